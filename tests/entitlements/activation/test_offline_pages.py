"""The pages of "Offline activation": by file, QR text or typed fields, with a login and without (L3)."""

import io
import json
import re
import zipfile
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import translation

from entitlements.activation.formats.license_files import read, unpack
from entitlements.models import License, LineItem, Movement, State
from tests.entitlements.activation.devices import balances
from tests.entitlements.activation.test_offline import MAC, mistyped
from tests.entitlements.activation.test_request_files import request_data
from tests.entitlements.pages import html_of
from tests.factories import Cast, Chain, split_item

pytestmark = pytest.mark.django_db
ADDRESS = "/activate/"


@pytest.fixture
def second(cast: Cast, chain: Chain) -> LineItem:
    return split_item(cast.installer, chain.installed, cast.customer, copies=3)


def text_of(*wanted: tuple[LineItem, int], **changes: Any) -> str:
    """A request of the camera software as text."""
    requests = [
        {"activationId": item.activation_id} | ({"copies": copies} if copies else {"return": True})
        for item, copies in wanted
    ]
    return json.dumps(request_data(requests=requests, **changes))


def upload(client: Client, content: bytes | str) -> Any:
    data = content.encode() if isinstance(content, str) else content
    file = SimpleUploadedFile("request.json", data, content_type="application/json")
    return client.post(ADDRESS, {"step": "file", "file": file})


def scan(client: Client, text: str) -> Any:
    return client.post(ADDRESS, {"step": "text", "text": text})


def typed(client: Client, *wanted: tuple[str, int], **fields: str) -> Any:
    rows = {"wanted-TOTAL_FORMS": str(len(wanted)), "wanted-INITIAL_FORMS": "0"}
    for place, (activation_id, copies) in enumerate(wanted):
        rows |= {
            f"wanted-{place}-activation_id": activation_id,
            f"wanted-{place}-what": "activate" if copies else "return",
            f"wanted-{place}-copies": str(copies or 1),
        }
    data = {"step": "typed", "host_id": MAC, "host_id_type": "mac", **rows, **fields}
    return client.post(ADDRESS, data)


def press(client: Client, preview: Any, step: str = "carry_out", **fields: str) -> Any:
    """Press the button of the page that shows what would happen."""
    request = preview.context["form"]["request"].value()
    return client.post(ADDRESS, {"step": step, "request": request, **fields})


def links(response: Any) -> list[str]:
    """The addresses of the downloads on a page."""
    return re.findall(r'href="(/activate/licenses/[^"]+)"', html_of(response))


@pytest.mark.parametrize("login", ["", "installer", "mobotix", "other_installer"])
def test_the_round_trip(client: Client, cast: Cast, chain: Chain, login: str) -> None:
    """L3: request file, preview, license file, which opens with the Activation ID and the host ID."""
    if login:
        client.force_login(getattr(cast, login))
    preview = upload(client, text_of((chain.served, 2)))
    assert "2 copies are activated." in html_of(preview)
    assert balances(chain.served) == (5, 5, 0)

    done = press(client, preview, reason="On the phone")
    assert balances(chain.served) == (5, 3, 2)
    (link,) = links(done)
    file = client.get(link)
    assert file["Content-Disposition"].startswith('attachment; filename="license-00-03-C5-AA-BB-CC')
    document = read(unpack(file.content.decode()), activation_id=chain.served.activation_id, host_id=MAC)
    assert document["included"][0]["attributes"]["copies"] == 2
    assert document["data"]["attributes"]["name"] == "Kamera Süd"


def test_the_text_of_a_qr_code(client: Client, chain: Chain) -> None:
    """L3: the text of a QR code is the same request."""
    press(client, scan(client, text_of((chain.served, 1))))
    assert balances(chain.served) == (5, 4, 1)


@pytest.mark.slow
def test_typed_fields(client: Client, chain: Chain, second: LineItem) -> None:
    """L3: several typed Activation IDs, one of them as a return."""
    press(client, typed(client, (chain.served.activation_id.lower(), 2)))
    press(client, typed(client, (chain.served.activation_id, 0), (second.activation_id, 1)))
    assert (balances(chain.served)[2], balances(second)[2]) == (0, 1)


@pytest.mark.slow
def test_replayed(client: Client, chain: Chain) -> None:
    """L2: the file again, or reloading the answer, gives the same license."""
    text = text_of((chain.served, 2))
    press(client, upload(client, text))
    preview = upload(client, text)
    assert "you get its license again" in html_of(preview)
    press(client, preview)
    press(client, preview)
    assert License.objects.count() == 1
    assert Movement.objects.filter(item=chain.served, kind="activate").count() == 1


def test_a_replayed_return(client: Client, chain: Chain) -> None:
    """L4: a repeated return changes nothing."""
    press(client, scan(client, text_of((chain.served, 2))))
    preview = scan(client, text_of((chain.served, 0)))
    assert "2 copies are returned. The license on this device ends." in html_of(preview)
    assert "have ended" in html_of(press(client, preview))
    assert "nothing changes" in html_of(scan(client, text_of((chain.served, 0))))
    press(client, preview)
    assert balances(chain.served) == (5, 5, 0)


@pytest.mark.slow
def test_several_licenses(client: Client, chain: Chain, second: LineItem) -> None:
    """L3: each license has its file and QR code, and one archive has all files."""
    done = press(client, scan(client, text_of((chain.served, 2), (second, 1))))
    together, *single = links(done)
    archive = zipfile.ZipFile(io.BytesIO(client.get(together).content))
    files = {client.get(link).content for link in single}
    assert {archive.read(name) for name in archive.namelist()} == files
    assert len(files) == 2
    assert html_of(done).count('class="mx-qr"') == 2


@pytest.mark.parametrize("copies", [1, 6])
def test_a_problem_is_shown_and_nothing_is_offered(
    client: Client, chain: Chain, second: LineItem, copies: int
) -> None:
    """L3: with a problem nothing is carried out, even if the second step is sent directly."""
    text = text_of((second, copies), (chain.served, 6))
    preview = scan(client, text)
    assert "cannot be carried out" in html_of(preview)
    assert 'value="carry_out"' not in html_of(preview)
    press(client, preview)
    assert (balances(chain.served)[2], balances(second)[2]) == (0, 0)


def test_what_was_read_can_be_changed(client: Client, chain: Chain) -> None:
    """The fields are filled with what the file said."""
    page = press(client, scan(client, text_of((chain.served, 6))), "edit")
    form = page.context["form"]
    assert (form.way, form["host_id"].value(), form["device_name"].value()) == ("typed", MAC, "Kamera Süd")
    assert form["device_model"].value() == "M73"
    (row,) = form.rows
    assert (row["activation_id"].value(), row["copies"].value()) == (chain.served.activation_id, 6)


def test_one_more_row_and_one_less(client: Client, chain: Chain) -> None:
    """Adding and removing rows works without JavaScript and keeps the typed text."""
    page = typed(client, ("first", 2), ("second", 0), host_id="wrong", step="add")
    ids = [row["activation_id"].value() for row in page.context["form"].rows]
    assert (ids, page.context["form"]["host_id"].value()) == (["first", "second", None], "wrong")
    page = typed(client, ("first", 2), ("second", 0), step="remove:0")
    assert [row["activation_id"].value() for row in page.context["form"].rows] == ["second"]
    assert typed(client, ("first", 2), step="remove:x").status_code == 200
    assert len(typed(client, ("", 1), step="remove:0").context["form"].rows.forms) == 1


def test_enter_in_a_field(client: Client, chain: Chain) -> None:
    """Without a button the filled field decides the way, and typed text of other ways is kept."""
    assert typed(client, (chain.served.activation_id, 1), step="").context["rows"][0].effect
    preview = client.post(
        ADDRESS, {"step": "", "text": text_of((chain.served, 1)), "wanted-TOTAL_FORMS": "1"}
    )
    assert preview.context["rows"][0].effect
    page = typed(client, ("first", 2), ("second", 1), step="file")
    assert page.context["form"].errors["file"]
    assert [row["activation_id"].value() for row in page.context["form"].rows] == ["first", "second"]


def test_wrong_fields(client: Client, chain: Chain) -> None:
    """L1, L2, E5: each error is at its field."""
    wrong = mistyped(chain.served)
    page = typed(client, (wrong, 2), ("", 1), host_id="00:03")
    form = page.context["form"]
    assert "12 hexadecimal" in form.errors["host_id"][0]
    first, second = form.rows
    assert "typing error" in first.errors["activation_id"][0]
    assert list(second.errors) == ["activation_id"]
    (row,) = typed(client, (chain.served.activation_id, 6)).context["form"].rows
    assert list(row.errors) == ["copies"]
    for copies in ("0", "1.5", ""):
        data = {"wanted-0-copies": copies}
        (row,) = typed(client, (chain.served.activation_id, 1), **data).context["form"].rows
        assert list(row.errors) == ["copies"]
    twice = typed(client, (chain.served.activation_id, 1), (chain.served.activation_id, 2))
    assert "appears twice" in str(twice.context["form"].non_field_errors())


@pytest.mark.parametrize(
    ("content", "said"), [(b"", "empty"), (b"{", "JSON"), (b"x" * 70_000, "64 kB"), (b"\xff", "UTF-8")]
)
def test_files_that_are_none(client: Client, content: bytes, said: str) -> None:
    """L3: the error is a sentence at the field."""
    assert said in upload(client, content).context["form"].errors["file"][0]


@pytest.mark.parametrize("step", ["file", "text", "typed", "carry_out", "edit", "nonsense", ""])
def test_nothing_sent(client: Client, step: str) -> None:
    """Whatever is missing, the server does not fail."""
    response = client.post(ADDRESS, {"step": step})
    assert response.status_code == 200
    assert response.context["form"].errors


def test_it_becomes_impossible_meanwhile(client: Client, chain: Chain) -> None:
    """E3: the item changes between the preview and the execution."""
    preview = scan(client, text_of((chain.served, 1)))
    LineItem.objects.filter(pk=chain.served.pk).update(state=State.INACTIVE)
    assert "cannot be carried out" in html_of(press(client, preview))
    assert balances(chain.served)[2] == 0


def test_in_german(client: Client, chain: Chain) -> None:
    """U8: pages are in the visitor's language."""
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "de"
    with translation.override("en"):
        preview = scan(client, text_of((chain.served, 2)))
        assert "Kopien werden aktiviert" in html_of(preview)
        assert "Lizenzdatei" in html_of(press(client, preview))


def test_a_row_of_very_many_digits(client: Client) -> None:
    """A row number with very many digits is ignored."""
    assert client.post(ADDRESS, {"step": f"remove:{'9' * 5000}"}).status_code == 200
