""" "Verify" takes a code, a certificate or a license file from anybody, and tells no name (L7)."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from entitlements.activation.services.activate import activate_as_bearer, return_as_bearer
from entitlements.activation.services.licenses import license_file
from entitlements.certificates.services.documents import (
    verify_document,
)
from entitlements.ledger.findings import Verdict
from entitlements.models import License, LineItem, State
from entitlements.orders.services.replacing import replace_activation_id
from entitlements.orders.services.states import change_state
from entitlements.splits.services.undo import undo_split
from mxportal.shared.forms import new_key
from tests.entitlements.activation.devices import host
from tests.entitlements.activation.test_license_files import packed
from tests.entitlements.certificates.test_signed_certificate import data_of, pdf_of, signed_again
from tests.entitlements.pages import html_of
from tests.factories import Cast, Chain, make_chain, yesterday
from tests.roles import rotate_signing_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def chain(cast: Cast) -> Chain:
    return make_chain(cast, order_number="PO-4711")


@pytest.fixture
def license(chain: Chain) -> License:
    """A license for 2 of the end customer's 5 copies."""
    return activate_as_bearer(activation_id=chain.served.activation_id, host=host(), copies=2)


def upload(client: Client, content: bytes | str, name: str = "license.lic") -> Any:
    data = content.encode() if isinstance(content, str) else content
    return client.post(reverse("verify_start"), {"way": "file", "file": SimpleUploadedFile(name, data)})


def verdict(response: Any) -> Verdict:
    return response.context["document"].verdict


def failed(response: Any) -> str:
    return " ".join(check.sentence for check in response.context["document"].checks if not check.holds)


# --- License files ----------------------------------------------------------------------------------------------------


def test_a_valid_license(client: Client, license: License) -> None:
    """L5, L7: genuine and valid."""
    response = upload(client, license.file)
    assert "This license is genuine and valid" in html_of(response)
    assert verdict(response) == Verdict.GOOD


@pytest.mark.parametrize(
    "carried",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\ufeff\n" + text.strip() + "\n\n",
        lambda text: (
            text.replace("\n", "").replace("FILE-----", "FILE-----\n", 1).replace("-----END", "\n-----END")
        ),
    ],
)
def test_however_it_was_carried(client: Client, license: License, carried: Any) -> None:
    """L5: line ends and wrapping are not signed."""
    assert verdict(upload(client, carried(license.file))) == Verdict.GOOD


def test_after_a_rotation(client: Client, license: License) -> None:
    """L6: a license of the retired key stays valid; a new one is signed with the new key."""
    rotate_signing_key()
    response = upload(client, license.file)
    assert verdict(response) == Verdict.GOOD
    assert "retired" in html_of(response)
    activation_id = license.activation.item.activation_id
    newer = activate_as_bearer(activation_id=activation_id, host=host(), copies=3)
    assert "in use" in html_of(upload(client, newer.file))


@pytest.mark.parametrize("ending", ["returned", "replaced", "obsolete", "expired"])
def test_not_valid_any_more(client: Client, cast: Cast, chain: Chain, license: License, ending: str) -> None:
    """L4, E3, E14: returned, revoked and expired licenses are genuine and outdated."""
    served = chain.served
    if ending == "returned":
        return_as_bearer(activation_id=served.activation_id, host=host())
    elif ending == "replaced":
        activate_as_bearer(activation_id=served.activation_id, host=host(), copies=3)
    elif ending == "obsolete":
        end = {"state": State.OBSOLETE, "reason": "Stolen", "key": new_key()}
        change_state(actor=cast.mobotix, item_id=served.pk, **end)  # type: ignore[arg-type]
    else:
        LineItem.objects.filter(pk=served.pk).update(starts_on=yesterday(), expires_on=yesterday())
    response = upload(client, license.file)
    assert verdict(response) == Verdict.OUTDATED
    assert "This license is no longer valid" in html_of(response)
    assert ("It has expired" if ending == "expired" else "It ended on") in failed(response)


def test_after_its_id_was_replaced(client: Client, cast: Cast, chain: Chain, license: License) -> None:
    """E5: the license stays valid."""
    request = {"item_id": chain.served.pk, "reason": "Sent to the wrong place", "key": new_key()}
    replace_activation_id(actor=cast.installer, **request)  # type: ignore[arg-type]
    response = upload(client, license.file)
    assert verdict(response) == Verdict.GOOD
    assert "has since been replaced" in html_of(response)


def test_of_another_portal(client: Client, license: License) -> None:
    """L6: the format is right, and the key is unknown."""
    response = upload(client, packed())
    assert verdict(response) == Verdict.BAD
    assert "This license is not genuine" in html_of(response)


def test_signed_and_never_given_out(client: Client, license: License) -> None:
    """L5: a license signed with a stolen key is not in the database."""
    assert verdict(upload(client, license_file(license))) == Verdict.BAD


def test_a_license_tells_nothing(client: Client, cast: Cast, chain: Chain, license: License) -> None:
    """L5, E10: encrypted content stays secret: no product, device, copies, name or Activation ID."""
    page = html_of(upload(client, license.file))
    secrets = [
        "City Hospital",
        "Blick",
        "Nordlicht",
        "PO-4711",
        "Video Analytics",
        cast.product.part_number,
        chain.served.activation_id,
        chain.served.activation_id_tail,
        host().normal,
        str(license.license_id),
    ]
    assert [secret for secret in secrets if secret in page] == []


# --- Certificates -----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_certificate(client: Client, cast: Cast, chain: Chain) -> None:
    """L7: the PDF, or its JSON data; the answer has no name and no Activation ID."""
    pdf = pdf_of(chain.served)
    for content in (pdf, json.dumps(data_of(pdf)).encode()):
        response = upload(client, content, "certificate.pdf")
        assert verdict(response) == Verdict.GOOD
        page = html_of(response)
        assert "This certificate is genuine" in page
        secrets = ("City Hospital", "Blick", "Nordlicht", "PO-4711", chain.served.activation_id)
        assert [secret for secret in secrets if secret in page] == []


@pytest.mark.parametrize("change", ["undone", "inactive", "replaced"])
def test_an_outdated_certificate(client: Client, cast: Cast, chain: Chain, change: str) -> None:
    """E3, E5, E8: it is genuine, and some facts have changed."""
    pdf, served = pdf_of(chain.served), {"item_id": chain.served.pk, "key": new_key()}
    if change == "undone":
        undo_split(actor=cast.installer, copies=2, **served)
    elif change == "inactive":
        change_state(actor=cast.mobotix, state=State.INACTIVE, reason="Unpaid", **served)
    else:
        replace_activation_id(actor=cast.installer, reason="Sent to the wrong place", **served)
    response = upload(client, pdf)
    assert verdict(response) == Verdict.OUTDATED
    said = {"undone": "today: 3 copies", "inactive": "today: Inactive", "replaced": "has been replaced"}
    assert failed(response).startswith("Line 1")
    assert said[change] in failed(response)


def test_a_forged_certificate(client: Client, chain: Chain) -> None:
    """L7: the answer tells a forger nothing about the present state."""
    data = data_of(pdf_of(chain.served))
    data["certificate"]["lines"][0]["activation_id"] = "guessed"
    response = upload(client, json.dumps(data))
    assert verdict(response) == Verdict.BAD
    assert "This certificate is not genuine" in html_of(response)
    assert not [check for check in response.context["document"].checks if check.of_today]


JUNK = (None, True, -1, 10**40, 1.5, "", "\x00", "ff", [], [{}], {}, {"state": "sealed"}, "2026-01-01", "٣")


def places(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of everything in the data."""
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for name, value in inner:
        yield (*path, name)
        yield from places(value, (*path, name))


@pytest.mark.slow
def test_whatever_stands_in_it(chain: Chain) -> None:
    """L7: data of any other form, even signed, gives failed checks or a sentence."""
    data = data_of(pdf_of(chain.served))
    for number, path in enumerate(places(data)):
        changed = json.loads(json.dumps(data))
        place = changed
        for name in path[:-1]:
            place = place[name]
        place[path[-1]] = JUNK[number % len(JUNK)]
        try:
            contents = [json.dumps(changed).encode(), signed_again(changed)]
        except (ValueError, TypeError, OverflowError):
            contents = [json.dumps(changed).encode()]
        for content in contents:
            try:
                verify_document(content)
            except ValidationError as error:
                assert error.messages  # noqa: PT017


# --- Limit ------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("within_a_minute")
def test_too_often(client: Client, chain: Chain, license: License, settings: Any) -> None:
    """L7: files and codes of one address are limited; the form itself is not."""
    settings.VERIFICATIONS_A_MINUTE = 2
    code = reverse("verify", args=[chain.served.verification_code])
    assert upload(client, license.file).status_code == 200
    assert client.get(code).status_code == 200
    waiting = upload(client, license.file)
    assert waiting.status_code == 429
    assert 0 < int(waiting["Retry-After"]) <= 60
    assert client.get(code).status_code == 429
    assert client.get(reverse("verify_start")).status_code == 200
    assert upload(Client(REMOTE_ADDR="2001:db8::1"), license.file).status_code == 200
