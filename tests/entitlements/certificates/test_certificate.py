"""View → View Certificate, and its PDF (E10)."""

import io
from datetime import date

import pytest
from django.test import Client
from django.urls import reverse
from pypdf import PdfReader

from entitlements.certificates import views as view
from entitlements.models import LineItem, State
from entitlements.orders.services.states import change_state
from mxportal.shared.forms import new_key
from mxportal.shared.pdf import PdfUnavailable
from tests.entitlements.pages import assert_statuses, client_of, html_of
from tests.factories import Cast, Chain, issue_item, make_chain, make_product, split_item

pytestmark = pytest.mark.django_db


@pytest.fixture
def chain(cast: Cast) -> Chain:
    return make_chain(cast, order_number="PO-4711")


def address(item: LineItem) -> str:
    return reverse("line_item_certificate", args=[item.pk])


def text_of(client: Client, item: LineItem, **query: str) -> str:
    """The text of the PDF in one line."""
    response = client.get(address(item), query)
    assert response.status_code == 200
    assert response["Content-Type"] == "application/pdf"
    pages = PdfReader(io.BytesIO(response.content)).pages
    text = " ".join(" ".join(page.extract_text() for page in pages).split())
    assert "<svg" not in text  # the QR code is drawn
    return text


def test_what_it_says_in_english(cast: Cast, chain: Chain) -> None:
    """E10: issuer, owner with address, seller, entitlement, Activation ID, product, quantity, dates, order number."""
    text = text_of(client_of(cast.installer), chain.served)

    entitlement = chain.served.entitlement
    for part in (
        "License certificate",
        "MOBOTIX AG",
        "City Hospital",
        "Kaiserslautern",
        "Blick Sicherheitstechnik",
    ):
        assert part in text, part
    for part in (
        chain.served.activation_id,
        entitlement.entitlement_id,
        "PO-4711",
        "Permanent",
        "Video Analytics",
    ):
        assert part in text, part
    assert cast.product.part_number in text


def test_what_it_says_in_german(cast: Cast, chain: Chain) -> None:
    """E10: the address decides, whatever the reader's language is."""
    text = text_of(client_of(cast.installer), chain.served, language="de")

    assert "Videoanalyse" in text
    assert "Video Analytics" not in text
    assert chain.served.activation_id in text


@pytest.mark.slow
def test_the_readers_language_unless_said(cast: Cast, chain: Chain) -> None:
    """E10: the reader's language, also where the address asks for an unknown language."""
    cast.installer.language = "de"
    cast.installer.save()
    client = client_of(cast.installer)

    assert "Videoanalyse" in text_of(client, chain.served)
    assert "Videoanalyse" in text_of(client, chain.served, language="xx")
    assert "Video Analytics" in text_of(client, chain.served, language="en")


@pytest.mark.slow
def test_dates_of_a_term(cast: Cast) -> None:
    """E14: the expiration is shown as a day."""
    item = issue_item(cast, starts_on=date(2027, 2, 1), expires_on=date(2028, 1, 31))
    text = text_of(client_of(cast.distributor), item)

    assert "2028" in text
    assert "Permanent" not in text


@pytest.mark.slow
def test_one_line_or_the_whole(cast: Cast) -> None:
    """E10: all lines of the entitlement; neither drafts nor obsolete ones, and nothing of other orders."""
    lines = [
        split_item(
            cast.distributor,
            issue_item(cast, product_id=make_product(f"PART-{number}").pk),
            cast.installer.account,
            order_number="PO-1" if number < 3 else "PO-2",
        )
        for number in range(4)
    ]
    change_state(actor=cast.mobotix, item_id=lines[2].pk, state=State.OBSOLETE, key=new_key(), reason="Fraud")
    client = client_of(cast.installer)
    one, whole = text_of(client, lines[0]), text_of(client, lines[0], whole="1")

    assert [f"PART-{number}" in one for number in range(4)] == [True, False, False, False]
    assert [f"PART-{number}" in whole for number in range(4)] == [True, True, False, False]


@pytest.mark.slow
def test_inline_or_as_a_file_and_never_cached(cast: Cast, chain: Chain) -> None:
    """E10: it opens in a new window or is saved; the file name tells no secret."""
    client = client_of(cast.installer)
    shown, saved = client.get(address(chain.served)), client.get(address(chain.served), {"download": "1"})
    name = f'filename="certificate-{chain.served.entitlement.entitlement_id}.pdf"'

    assert shown["Content-Disposition"] == f"inline; {name}"
    assert saved["Content-Disposition"] == f"attachment; {name}"
    assert "no-store" in shown["Cache-Control"]


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "{{ 7|add:7 }}", 'O\'Neill & "Söhne"', "Ωμέγα"]
)
def test_names_in_any_script(cast: Cast, chain: Chain, name: str) -> None:
    """E10: names are printed as they are, and do no harm."""
    cast.customer.name = name
    cast.customer.save()

    assert "".join(name.split()) in "".join(text_of(client_of(cast.installer), chain.served).split())


@pytest.mark.slow
def test_who_may_have_it(cast: Cast, chain: Chain) -> None:
    """E12, E13: owner, seller, serving account and MOBOTIX, also view-only users; nobody else up the chain."""
    assert_statuses(
        address(chain.served),
        [
            (cast.installer, 200),
            (cast.installer_viewer, 200),
            (cast.mobotix, 200),
            (cast.mobotix_viewer, 200),
            (cast.distributor, 403),
            (cast.distributor_viewer, 403),
            (cast.sibling_installer, 404),
            (cast.other_distributor, 404),
        ],
    )
    assert_statuses(address(chain.installed), [(cast.installer_viewer, 200), (cast.distributor_viewer, 200)])


def test_a_draft_has_none(cast: Cast) -> None:
    """E3: drafts and obsolete items have no certificate; the page says so."""
    draft = issue_item(cast, deploy=False)
    gone = issue_item(cast, product_id=make_product().pk)
    change_state(actor=cast.mobotix, item_id=gone.pk, state=State.OBSOLETE, key=new_key())
    for item in (draft, gone):
        for query in ({}, {"whole": "1"}):
            response = client_of(cast.mobotix).get(address(item), query)
            assert response.status_code == 409
            assert "has no certificate" in html_of(response)


def test_a_machine_without_pango_says_what_to_do(
    cast: Cast, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E10: the rest of the portal works."""

    def unavailable(**kwargs: object) -> bytes:
        raise PdfUnavailable("Run as root: apt-get install pango")

    monkeypatch.setattr(view, "render_certificate", unavailable)
    response = client_of(cast.installer).get(address(chain.served))

    assert response.status_code == 503
    assert "Run as root: apt-get install pango" in html_of(response)
