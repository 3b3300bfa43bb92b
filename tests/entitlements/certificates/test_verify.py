"""The public page behind a certificate's QR code."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from entitlements.models import LineItem, State, today
from tests.entitlements.pages import errors_of, html_of
from tests.factories import Cast, Chain, issue_item, make_chain

pytestmark = pytest.mark.django_db


@pytest.fixture
def chain(cast: Cast) -> Chain:
    return make_chain(cast, order_number="PO-4711")


def address(code: str) -> str:
    return reverse("verify", args=[code])


def test_genuine(client: Client, cast: Cast, chain: Chain) -> None:
    """E10: without login: product, part number, quantity, state and dates."""
    response = client.get(address(chain.served.verification_code))
    page = html_of(response)

    assert response.status_code == 200
    for part in (
        "This certificate is genuine",
        "Video Analytics",
        cast.product.part_number,
        "Deployed",
        "Permanent",
    ):
        assert part in page


def test_it_tells_no_more(client: Client, cast: Cast, chain: Chain) -> None:
    """E10: no name, no Activation ID, no order number; search engines do not index it."""
    response = client.get(address(chain.served.verification_code))
    page = html_of(response)
    secrets = [
        "City Hospital",
        "Blick",
        "Nordlicht",
        "PO-4711",
        chain.served.activation_id,
        chain.served.activation_id_tail,
        chain.served.entitlement.entitlement_id,
        cast.customer_contact.email,
        cast.customer_contact.last_name,
    ]

    assert [secret for secret in secrets if secret in page] == []
    assert response["X-Robots-Tag"] == "noindex, nofollow"
    assert "no-store" in response["Cache-Control"]
    assert 'content="noindex, nofollow"' in page


@pytest.mark.parametrize(
    "code", ["x", "a" * 22, "a" * 5000, "'; DROP TABLE--", "<script>", "%00", "\0", "日本"]
)
def test_unknown(client: Client, chain: Chain, code: str) -> None:
    """E10: an unknown code is "not genuine", as 404."""
    response = client.get(address(code))

    assert response.status_code == 404
    assert "This certificate is not genuine" in html_of(response)
    assert "Video Analytics" not in html_of(response)


def test_codes_differ_by_case(client: Client, chain: Chain) -> None:
    """E10: upper and lower case are different codes."""
    assert client.get(address(chain.served.verification_code.swapcase())).status_code == 404


def test_the_activation_id_is_no_code(client: Client, chain: Chain) -> None:
    """E5, E10: neither an Activation ID nor a row number is a code."""
    for code in (chain.served.activation_id, str(chain.served.pk), chain.served.entitlement.entitlement_id):
        assert client.get(address(code)).status_code == 404


def test_expired_and_obsolete_are_said(client: Client, chain: Chain) -> None:
    """E10, E14: the page says that they are genuine and cannot be used any more."""
    past = today() - timedelta(days=1)
    LineItem.objects.filter(pk=chain.served.pk).update(starts_on=past, expires_on=past)
    assert "Expired" in html_of(client.get(address(chain.served.verification_code)))
    LineItem.objects.filter(pk=chain.served.pk).update(state=State.OBSOLETE)
    assert "Obsolete" in html_of(client.get(address(chain.served.verification_code)))


def test_a_draft_is_not_genuine(client: Client, cast: Cast) -> None:
    """E3: a draft has no certificate yet."""
    draft = issue_item(cast, deploy=False)
    assert client.get(address(draft.verification_code)).status_code == 404


def test_in_german(client: Client, chain: Chain) -> None:
    """E10: the page is in the visitor's language."""
    page = client.get(address(chain.served.verification_code), headers={"accept-language": "de"})

    assert "Videoanalyse" in html_of(page)


@pytest.mark.parametrize("form", ["{}", "  {} ", "https://licenses.example.com/verify/{}/", "/verify/{}?x=1"])
def test_a_code(client: Client, chain: Chain, form: str) -> None:
    """E10: the code below the QR code, or the whole address."""
    code = chain.served.verification_code
    response = client.post(reverse("verify_start"), {"way": "code", "code": form.format(code)})
    assert response.headers["Location"] == reverse("verify", args=[code])


@pytest.mark.parametrize("code", ["", " ", "a/b", "<script>", "Ä", "x" * 101, "https://example.com/verify/"])
def test_no_code(client: Client, code: str) -> None:
    """E10: the error is at the field."""
    response = client.post(reverse("verify_start"), {"way": "code", "code": code})
    assert list(errors_of(response)) == ["code"]
