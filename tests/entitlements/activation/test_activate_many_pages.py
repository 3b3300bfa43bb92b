"""Activate many devices: pasted and uploaded lines, their check, all or none, and the licenses (L2)."""

import io
import zipfile
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from openpyxl import Workbook
from pytest_django import DjangoAssertNumQueries

from entitlements.activation.files import as_text, read_text
from entitlements.activation.services.activate_many_check import DeviceLine, check_lines
from entitlements.models import Activation, Device, License
from tests.entitlements.activation.devices import MAC, balances, give_back, put_on
from tests.entitlements.pages import client_of, errors_of, html_of
from tests.factories import Cast, Chain

pytestmark = pytest.mark.django_db
THIRTY = "\n".join(f"0003C5{number:06X}\tCamera {number}" for number in range(1, 31))


def address(chain: Chain) -> str:
    return reverse("line_item_activate_many", args=[chain.installed.pk])


def send(cast: Cast, chain: Chain, step: str, text: str = "", **fields: Any) -> Any:
    form = {"key": "k" * 20, "step": step, "text": text} | fields
    return client_of(cast.installer).post(address(chain), form, follow=True)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("00:03:C5:AA:BB:CC", DeviceLine(MAC, "", "1")),
        ("00:03:C5:AA:BB:CC;3", DeviceLine(MAC, "", "3")),
        ("00:03:C5:AA:BB:CC\tRoof", DeviceLine(MAC, "Roof", "1")),
        ("00:03:C5:AA:BB:CC,Roof,2", DeviceLine(MAC, "Roof", "2")),
        ("Kopien;Host-ID\n2;00:03:C5:AA:BB:CC", DeviceLine(MAC, "", "2")),
        ('Host ID\tName\n00:03:C5:AA:BB:CC\t"Roof ""A"""', DeviceLine(MAC, 'Roof "A"', "1")),
    ],
)
def test_lines_in_any_form(text: str, line: DeviceLine) -> None:
    """Lines are read with column names or without, in either language; the text shown again reads the same."""
    assert read_text(text) == [line]
    assert read_text(as_text([line])) == [line]


@pytest.mark.parametrize(
    "text", ["", " \n\t", "Name;Copies\nRoof;2", "Host ID", "SN-1\n" * 501, 'SN-1\t"Roof']
)
def test_no_lines(text: str) -> None:
    """Without lines a sentence says what to do."""
    with pytest.raises(ValidationError):
        read_text(text)


@pytest.mark.slow
def test_check_then_activate(cast: Cast, chain: Chain) -> None:
    """L2: the page shows what would happen, then activates all, and offers the licenses at once."""
    checked = send(cast, chain, "check", THIRTY)
    assert "All 30 lines are correct" in html_of(checked)
    assert "Activate 30 devices" in html_of(checked)
    assert not Device.objects.exists()
    done = send(cast, chain, "activate", THIRTY)
    assert "30 devices are activated" in html_of(done)
    assert balances(chain.installed) == (40, 5, 30)
    archive = client_of(cast.installer).get(
        reverse("line_item_licenses", args=[chain.installed.pk]) + "?" + done.context["range"]
    )
    with zipfile.ZipFile(io.BytesIO(archive.content)) as files:
        assert len(files.namelist()) == 30
    assert send(cast, chain, "activate", THIRTY).redirect_chain == done.redirect_chain
    assert License.objects.count() == 30


def test_only_the_new_ones(cast: Cast, chain: Chain) -> None:
    """The result shows the licenses of this request, and no other licenses of the item."""
    put_on(cast, chain.installed, 1, "SN-BEFORE")
    done = send(cast, chain, "activate", "SN-1\nSN-2")
    put_on(cast, chain.installed, 1, "SN-AFTER")
    page = client_of(cast.installer).get(done.redirect_chain[0][0])
    assert [row.host_id for row in page.context["activations"]] == ["SN-1", "SN-2"]


def test_every_wrong_line_with_its_reason(cast: Cast, chain: Chain) -> None:
    """Nothing is activated; the page shows each problem, and the typed text again."""
    text = f"{MAC}\tRoof\t2\n00-03-c5-aa-bb-cc\t\t1\n?\tDoor\t1\nSN-3\t\t0\nSN-4\t\tmany\nSN-5\t\t99"
    response = send(cast, chain, "activate", text)
    problems = [one.problems for one in response.context["checked"]]
    assert [len(found) for found in problems] == [0, 1, 1, 1, 1, 1]
    assert "5 of 6 lines must be corrected" in html_of(response)
    assert "Door" in response.context["form"]["text"].value()
    assert not Device.objects.exists()


@pytest.mark.parametrize(
    ("host_id", "said"),
    [("0003C5AABBCZ", "Enter a MAC address as 12"), ("10.23.1.5", "is an IP address")],
)
def test_host_ids_that_name_no_device(cast: Cast, chain: Chain, host_id: str, said: str) -> None:
    """L1: the page reports a mistyped MAC address and an IP address at their lines."""
    answer = send(cast, chain, "activate", f"{host_id};1")
    assert said in html_of(answer)
    assert not Device.objects.exists()


def test_lines_take_together_no_more_than_there_is(cast: Cast, chain: Chain) -> None:
    """L2, L4: copies that come back are available to the lines below; the year's limit applies to all lines
    together.
    """
    put_on(cast, chain.installed, 30, "SN-1")
    lines = [DeviceLine("SN-2", "", "4"), DeviceLine("SN-3", "", "2"), DeviceLine("SN-1", "", "27")]
    checked = check_lines(actor=cast.installer, item=refreshed(chain), lines=lines)
    assert [one.problems for one in checked][:2] == [[], ["Only 1 copy is left for this line."]]
    assert "If you need more, contact MOBOTIX" in checked[2].problems[0]


def test_lines_beyond_the_limit_cost_no_query_each(
    cast: Cast, chain: Chain, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """L4: the number of queries does not grow with the lines."""
    names = [f"SN-{number}" for number in range(3)]
    for name in names:
        put_on(cast, chain.installed, 4, name)
    item = refreshed(chain)
    for some in (names[:1], names):
        with django_assert_num_queries(3):
            lines = [DeviceLine(name, "", "1") for name in some]
            assert all(one.problems for one in check_lines(actor=cast.installer, item=item, lines=lines))


def refreshed(chain: Chain) -> Any:
    chain.installed.refresh_from_db()
    return chain.installed


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_file(cast: Cast, chain: Chain, kind: str) -> None:
    """Its lines become the text of the form."""
    file = SimpleUploadedFile(f"Geräte.{kind}", as_file(kind))
    checked = send(cast, chain, "check", file=file)
    text = checked.context["form"]["text"].value()
    assert read_text(text) == [DeviceLine("SN-1", "Dach", "2"), DeviceLine(MAC, "", "1")]
    send(cast, chain, "activate", text)
    assert set(Activation.objects.values_list("device__host_id", "copies")) == {("SN-1", 2), (MAC, 1)}


def as_file(kind: str) -> bytes:
    rows = [["Host-ID", "Gerät", "Kopien"], ["SN-1", "Dach", "2"], [MAC, "", ""]]
    if kind == "csv":
        return "\n".join(";".join(row) for row in rows).encode("cp1252")
    workbook, content = Workbook(), io.BytesIO()
    for row in rows:
        workbook.active.append(row)
    workbook.save(content)
    return content.getvalue()


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({}, "text"),
        ({"file": SimpleUploadedFile("list.pdf", b"%PDF-1.7")}, "file"),
        ({"file": SimpleUploadedFile("empty.csv", b"")}, "file"),
    ],
)
def test_nothing_to_read(cast: Cast, chain: Chain, fields: dict[str, Any], wrong: str) -> None:
    """The error is at the field."""
    assert list(errors_of(send(cast, chain, "check", **fields))) == [wrong]


def test_mobotix_gives_a_reason(cast: Cast, chain: Chain) -> None:
    """E13: MOBOTIX must give a reason where it acts on what others sold."""
    form = {"key": "k" * 20, "step": "activate", "text": "SN-1"}
    client = client_of(cast.mobotix)
    assert list(errors_of(client.post(address(chain), form))) == ["reason"]
    assert client.post(address(chain), form | {"reason": "By phone"}).status_code == 302


def test_what_was_returned_since(cast: Cast, chain: Chain) -> None:
    """The result shows no license that has ended."""
    done = send(cast, chain, "activate", "SN-1")
    give_back(cast, 1)
    page = html_of(client_of(cast.installer).get(done.redirect_chain[0][0]))
    assert "None of these licenses is still valid" in page


def test_a_fixed_number_of_queries(
    cast: Cast, chain: Chain, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """The check takes as many queries for thirty lines as for one."""
    client = client_of(cast.installer)
    form = {"key": "k" * 20, "step": "check"}
    with django_assert_num_queries(60, exact=False) as counted:
        client.post(address(chain), form | {"text": "SN-1"})
    with django_assert_num_queries(len(counted)):
        client.post(address(chain), form | {"text": THIRTY})
