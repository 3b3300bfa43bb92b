"""What a client may send instead of what a browser does: cookies, headers and names."""

from collections.abc import Callable

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from accounts.known_browsers import COOKIE
from accounts.models import LoginRecord, User
from mxportal.shared.forms import new_key
from tests.accounts.test_login import log_in
from tests.entitlements.api.client import program_of
from tests.factories import Cast

COOKIES = [
    settings.SESSION_COOKIE_NAME,
    settings.CSRF_COOKIE_NAME,
    settings.LANGUAGE_COOKIE_NAME,
    COOKIE,
    "messages",
]


@pytest.mark.parametrize("name", COOKIES)
@pytest.mark.parametrize("value", ['"\\000"', '"a\\000b"', '"\\012\\015"', '"\\377"', "x" * 4000])
def test_no_cookie_breaks_a_page(cast: Cast, name: str, value: str) -> None:
    """A quoted cookie can spell out a NUL, which PostgreSQL takes in no text."""
    client = Client(headers={"cookie": f"{name}={value}"})
    assert client.get(reverse("account_login")).status_code == 200
    assert client.get(reverse("account_list")).status_code == 302
    assert log_in(cast.installer, client=client).status_code == 302


def test_an_agent_of_control_characters(cast: Cast) -> None:
    """U6: it stands in the record on one line."""
    client = Client(headers={"user-agent": "a\x00b\x1b[31m\nc"})
    assert log_in(cast.installer, client=client).status_code == 302
    assert LoginRecord.objects.get().agent == "ab[31mc"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["City\u200bHospital", "\u202eCity", "Сity Hospital"])
def test_names_in_form_and_api(cast: Cast, as_user: Callable[[User], Client], name: str) -> None:
    """A3, U1: a sentence at the field."""
    page = as_user(cast.installer).post(
        reverse("account_create", args=["customer"]), {"name": name, "key": new_key()}
    )
    assert "name" in page.context["form"].errors
    person = {"first_name": name, "last_name": "B", "email": "a@twin.example"}
    asked = {"name": name, "tier": "end_customer", "country": "DE", "person": person}
    answer = program_of(cast.installer).post("/accounts", asked)
    assert answer.status_code in (400, 422)
    assert any("name" in field for field in answer.json()["errors"])
