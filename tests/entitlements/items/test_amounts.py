"""An amount is never read as another number than was typed, wherever it is entered (E18)."""

import io
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.translation import override
from openpyxl import Workbook

from accounts.models import User
from entitlements.activation.files import read_file as read_devices
from entitlements.activation.files import read_text as read_device_text
from entitlements.activation.forms.devices import DeviceFilter
from entitlements.bulk.files.lines import read_file, read_text
from entitlements.bulk.forms import typed_lines
from entitlements.items.fields import ChosenField, CopiesField
from entitlements.models import Activation, Entitlement, LineItem
from mxportal.shared.forms import new_key
from tests.entitlements.activation.devices import MAC
from tests.entitlements.api.client import assert_problem, program_of
from tests.entitlements.pages import client_of, errors_of, html_of
from tests.entitlements.splits.split_pages import address, typed
from tests.factories import Cast, Chain, issue_item

REFUSED = [
    "2.0",
    "2.",
    "2.00",
    "2.0000",
    "02.000",
    "0.500",
    "２.000",
    "２",
    "2 000",
    "2'000",
    "2_000",
    "2,000.0",
]
READ = [("en", "2,000", 2000), ("de", "2.000", 2000), ("en", "1,000,000", 1_000_000), ("de", " 1.000 ", 1000)]
OTHER = [
    ("en", "2.000"),
    ("de", "2,000"),
    ("en", "1.000.000"),
    ("de", "2.000,0"),
    ("en", "2,00"),
    ("de", "2.0000"),
]
HEADER = ["Account ID", "Contact e-mail", "Amount"]


@pytest.mark.parametrize(("language", "text", "number"), READ)
def test_separators_of_the_readers_language(language: str, text: str, number: int) -> None:
    """E18: separators are accepted where they group three digits."""
    with override(language):
        assert CopiesField().clean(text) == number


@pytest.mark.parametrize(
    ("language", "text"), OTHER + [(one, text) for one in ("en", "de") for text in REFUSED]
)
def test_what_is_no_amount(language: str, text: str) -> None:
    """E18: Django would read "2.000" as 2, and full-width digits as digits."""
    with override(language), pytest.raises(ValidationError) as refused:
        CopiesField().clean(text)
    assert refused.value.code == "invalid"


@pytest.mark.parametrize("text", ["2.000", "2.0", "２", "2,000", "-2"])
def test_a_number_of_the_pages_own_has_digits_alone(text: str) -> None:
    """E18: a key that is read differently would open another row."""
    with pytest.raises(ValidationError):
        ChosenField("Choose.").clean(text)
    form = DeviceFilter({"account": text})
    assert not form.is_valid()
    assert form.filters()["account"] is None


# --- Pages ------------------------------------------------------------------------------------------------------------


def in_german(user: User) -> User:
    user.language = "de"
    user.save()
    return user


@pytest.mark.django_db
@pytest.mark.parametrize("step", ["summary", "complete"])
def test_a_split_of_two_thousand(cast: Cast, step: str) -> None:
    """E18: "2.000" is refused in English, with the typed text in the field, and is 2,000 in German."""
    item = issue_item(cast, quantity=5000)
    response = client_of(cast.distributor).post(address(item), typed(cast, step=step, copies="2.000"))
    assert list(errors_of(response)) == ["copies"]
    assert 'value="2.000"' in html_of(response)
    assert not LineItem.objects.filter(parent=item).exists()
    german = client_of(in_german(cast.distributor))
    german.post(address(item), typed(cast, step="complete", copies="2.000"))
    assert LineItem.objects.get(parent=item).quantity == 2000


@pytest.mark.django_db
def test_an_order_of_a_thousand(cast: Cast) -> None:
    """E1, E18: "1.000" does not order one copy."""
    form = {
        "key": new_key(),
        "step": "save",
        "owner": cast.distributor.account_id,
        "contact": cast.distributor.pk,
        "lines-TOTAL_FORMS": "1",
        "lines-INITIAL_FORMS": "0",
        "lines-0-product": cast.product.pk,
        "lines-0-quantity": "1.000",
        "lines-0-starts_on": "2026-01-01",
        "lines-0-permanent": "on",
    }
    page = client_of(cast.mobotix).post(reverse("entitlement_create"), form)
    assert "Enter a whole number, for example 5 or 2,000." in html_of(page)
    assert not Entitlement.objects.exists()
    client_of(in_german(cast.mobotix)).post(reverse("entitlement_create"), form)
    assert LineItem.objects.get().quantity == 1000


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("line_item_undo", {"copies": "1.000"}),
        ("line_item_quantity", {"correction": "lower", "copies": "1.000", "step": "change", "reason": "x"}),
        ("line_item_activate", {"copies": "1.000", "host_id": MAC}),
    ],
)
def test_steps_with_an_amount(cast: Cast, chain: Chain, name: str, form: dict[str, str]) -> None:
    """E18: "1.000" is refused: 1,000 copies would be too many, and one copy is not what was typed."""
    actor = cast.mobotix if name == "line_item_quantity" else cast.installer
    url = reverse(name, args=[chain.served.pk])
    english = errors_of(client_of(actor).post(url, {"key": new_key(), **form}))
    assert english["copies"] == ["Enter a whole number, for example 5 or 2,000."]
    german = errors_of(client_of(in_german(actor)).post(url, {"key": new_key(), **form}))
    assert german["copies"] == ["Es sind nur noch 5 Kopien verfügbar. Geben Sie eine kleinere Anzahl ein."]
    assert not Activation.objects.exists()


@pytest.mark.django_db
def test_fields_of_an_offline_request(cast: Cast, chain: Chain) -> None:
    """L3, E18: also for a bearer of the Activation ID."""
    form = {
        "step": "typed",
        "host_id": MAC,
        "host_id_type": "mac",
        "wanted-TOTAL_FORMS": "1",
        "wanted-INITIAL_FORMS": "0",
        "wanted-0-activation_id": chain.served.activation_id,
        "wanted-0-what": "activate",
        "wanted-0-copies": "2.000",
    }
    page = client_of(cast.installer).post(reverse("offline_activation"), form)
    assert "Enter a whole number" in html_of(page)


# --- Files and pasted texts -------------------------------------------------------------------------------------------


def sheet(*rows: list[Any]) -> io.BytesIO:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    file.seek(0)
    return file


def csv(*amounts: str) -> io.BytesIO:
    rows = "".join(f"A1;e@buyer.example;{amount}\n" for amount in amounts)
    return io.BytesIO((";".join(HEADER) + "\n" + rows).encode())


@pytest.mark.parametrize(
    ("language", "amounts"), [("en", ["2.000", "2000", "２", "2.5"]), ("de", ["2000", "2,000", "２", "2.5"])]
)
def test_lines_of_a_file_are_read_in_the_readers_language(language: str, amounts: list[str]) -> None:
    """E18: they are stored as numbers at once, because a task may check them later."""
    with override(language):
        typed_amounts = ("2.000", "2,000", "２", "2.5")
        assert [line.amount for line in read_file(csv(*typed_amounts), "a.csv")] == amounts
        pasted = csv(*typed_amounts).getvalue().decode()
        assert [line.amount for line in read_text(pasted)] == amounts
        table = {"lines-total": "4"} | {f"lines-{n}-amount": text for n, text in enumerate(typed_amounts)}
        assert [line.amount for line in typed_lines(table)] == amounts


@pytest.mark.slow
@pytest.mark.parametrize(("language", "fraction"), [("en", "2.125"), ("de", "2,125")])
def test_numbers_in_a_workbook(language: str, fraction: str) -> None:
    """E18: whole numbers stay, fractions are refused in every language, and text cells are read like typed text."""
    cells: list[Any] = [2.0, 2000, 2.125, "2.000", True]
    rows = [["A1", "e@buyer.example", cell] for cell in cells]
    amounts = ["2", "2000", fraction, "2000" if language == "de" else "2.000", "True"]
    with override(language):
        assert [line.amount for line in read_file(sheet(HEADER, *rows), "a.xlsx")] == amounts
        devices = sheet(["Host ID", "Copies"], *[[f"SN-{n}", cell] for n, cell in enumerate(cells)])
        assert [line.copies for line in read_devices(devices, "a.xlsx")] == amounts


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("text", ["2.000", "2,5", "2.0", "２", "+2", "-2", "2 000"])
def test_the_second_of_two_cells_is_no_name(language: str, text: str) -> None:
    """L2, E18: it is meant as copies; reading it as a name would activate one copy."""
    with override(language):
        (line,) = read_device_text(f"SN-1\t{text}")
        assert line.name == ""
        assert line.number in ((2000,) if (language, text) == ("de", "2.000") else (None,))
    (named,) = read_device_text("SN-1\t2 East")
    assert (named.name, named.number) == ("2 East", 1)


# --- API --------------------------------------------------------------------------------------------------------------


NO_NUMBERS: list[Any] = [2.0, 2.5, True, "2", "２", "2.000", [2], {"a": 2}]


@pytest.mark.django_db
@pytest.mark.parametrize("value", NO_NUMBERS)
def test_json_has_whole_numbers_alone(cast: Cast, chain: Chain, value: Any) -> None:
    """E18: for every amount and every item number in a body."""
    item, mobotix, installer = chain.installed, program_of(cast.mobotix), program_of(cast.installer)
    buyer = {"account_id": cast.customer.account_id, "contact_email": cast.customer_contact.email}
    line = {"account_id": cast.customer.account_id, "email": cast.customer_contact.email}
    new = {"part_number": cast.product.part_number, "starts_on": "2026-01-01"}
    order = {"account_id": cast.distributor.account.account_id, "contact_email": cast.distributor.email}
    lower = {"correction": "lower", "reason": "x"}
    device = {"host_id": MAC}
    asked = [
        (installer, f"/items/{item.pk}/splits", buyer | {"copies": value}, "copies"),
        (installer, f"/items/{item.pk}/undo", {"copies": value}, "copies"),
        (
            installer,
            "/bulk-splits",
            {"item_ids": [item.pk], "lines": [line | {"amount": value}]},
            "lines.0.amount",
        ),
        (installer, "/bulk-splits", {"item_ids": [value], "lines": [line | {"amount": 1}]}, "item_ids.0"),
        (installer, "/activations", device | {"item_id": item.pk, "copies": value}, "copies"),
        (installer, "/activations", device | {"item_id": value}, "item_id"),
        (installer, "/returns", device | {"item_id": item.pk, "copies": value}, "copies"),
        (mobotix, f"/items/{item.pk}/quantity", lower | {"copies": value}, "copies"),
        (mobotix, "/entitlements", order | {"lines": [new | {"quantity": value}]}, "lines.0.quantity"),
    ]
    for program, path, body, field in asked:
        assert_problem(program.post(path, body), 422, "refused", fields=(field,))


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["2.0", "２", "%202", "+2", "1_0", "2,000", "true"])
def test_addresses_have_ascii_digits_alone(cast: Cast, text: str) -> None:
    """E18: for pages and filters."""
    program = program_of(cast.installer)
    for path, name in (("/items", "limit"), ("/items", "after"), ("/licenses", "item_id")):
        assert_problem(program.get(f"{path}?{name}={text}"), 422, "refused", fields=(name,))
