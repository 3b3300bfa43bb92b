"""U10: what was typed outlives its login, for the person who typed it."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account, User
from mxportal.shared.drafts import (
    MAX_DRAFT_CHARACTERS,
    RETURNING_LARGE_A_MINUTE,
    SESSION_KEY,
    VISITORS_A_MINUTE,
    VISITORS_MAX_CHARACTERS,
)
from mxportal.shared.keys import reader_of
from tests.factories import PASSWORD, Cast

FORM = reverse("account_create", args=["customer"])
TYPED = {"name": "Hafenklinik", "city": "Hamburg", "account_id": "HK-1"}


def log_in(client: Client, user: User, address: str = "") -> Any:
    address = address or reverse("account_login")
    return client.post(address, {"login": user.login, "password": PASSWORD}, follow=True)


def browser_of(user: User, **options: Any) -> Client:
    client = Client(**options)
    client.force_login(user)
    return client


def shown_form(client: Client) -> dict[str, str]:
    """The fields of the form as its reader got it."""
    page = client.get(FORM, follow=True)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.content.decode())
    assert token
    fields = {field.name: field.value() for field in page.context["form"] if field.value() is not None}
    return fields | {"csrfmiddlewaretoken": token[1]}


def end_session(client: Client) -> None:
    """As when the night is over."""
    Session.objects.all().delete()


def test_an_expired_session_keeps_what_was_typed(cast: Cast) -> None:
    """U10: sent after the session's end, it is kept through the login and stands in the form; nothing is done."""
    client = browser_of(cast.installer)
    fields = shown_form(client) | TYPED
    end_session(client)
    answer = client.post(FORM, fields)
    login = client.get(answer["Location"])
    assert "Your input is kept" in login.content.decode()
    back = log_in(client, cast.installer, answer["Location"])
    page = back.content.decode()
    assert back.request["PATH_INFO"] == FORM
    assert 'value="Hafenklinik"' in page
    assert 'value="Hamburg"' in page
    assert "Nothing has been changed yet" in page
    assert not Account.objects.filter(name="Hafenklinik").exists()
    client.post(FORM, fields)
    client.post(FORM, fields)
    assert Account.objects.filter(name="Hafenklinik").count() == 1, "the key keeps it once (E7)"


def test_another_person_at_the_same_browser_sees_nothing(cast: Cast) -> None:
    """U10: who logs in instead gets an empty form, and nothing of it stays in their session."""
    client = browser_of(cast.installer)
    fields = shown_form(client) | TYPED
    end_session(client)
    answer = client.post(FORM, fields)
    back = log_in(client, cast.distributor, answer["Location"])
    assert back.status_code == 200
    assert "Hafenklinik" not in back.content.decode()
    assert "Hafenklinik" not in str(dict(client.session))


def test_a_form_from_before_a_new_login_comes_back_filled(cast: Cast) -> None:
    """U10: its token does not fit any more; it is shown again to the same person, in the portal's frame."""
    client = browser_of(cast.installer, enforce_csrf_checks=True)
    fields = shown_form(client) | TYPED
    log_in_elsewhere(client, cast.installer)
    back = client.post(FORM, fields, follow=True)
    assert 'value="Hafenklinik"' in back.content.decode()
    assert "Nothing has been changed yet" in back.content.decode()
    assert not Account.objects.filter(name="Hafenklinik").exists()


def log_in_elsewhere(client: Client, user: User) -> None:
    """In another window of the same browser: a new session, a new token."""
    client.cookies.clear()
    client.force_login(user)
    client.get(FORM, follow=True)


def test_a_form_of_another_person_is_refused_with_the_menus(cast: Cast) -> None:
    """U10: typed by one, sent while another is logged in: nothing is shown of it, and the page has a way on."""
    client = browser_of(cast.installer, enforce_csrf_checks=True)
    fields = shown_form(client) | TYPED
    log_in_elsewhere(client, cast.distributor)
    refused = client.post(FORM, fields)
    page = refused.content.decode()
    assert refused.status_code == 403
    assert "Hafenklinik" not in page
    assert 'class="mx-nav"' in page or "mx-nav" in page
    assert "Hafenklinik" not in str(dict(client.session))


@pytest.mark.parametrize("key", ["", "forged", "token.{pk}.forged", "token.{pk}", "token..", "ä.²."])
def test_a_forged_form_is_never_kept(cast: Cast, key: str) -> None:
    """U10: without a key that the portal made for this person nothing of a foreign form reaches a session or a page."""
    client = browser_of(cast.installer, enforce_csrf_checks=True)
    forged = TYPED | {"key": key.format(pk=cast.installer.pk)}
    refused = client.post(FORM, forged, headers={"origin": "https://evil.example"})
    assert refused.status_code == 403
    assert SESSION_KEY not in client.session
    visitor = Client()
    answer = visitor.post(FORM, forged)
    assert answer["Location"].startswith(reverse("account_login"))
    assert "draft" not in answer["Location"]
    assert SESSION_KEY not in visitor.session


def test_no_password_no_token_and_no_megabytes_are_kept(cast: Cast) -> None:
    """U10: names of passwords are left out, and so is what is too long."""
    client = browser_of(cast.installer)
    fields = shown_form(client) | TYPED
    end_session(client)
    client.post(FORM, fields | {"password": "Secret 1", "oldPassword2": "Secret 2"})
    kept = str(dict(client.session))
    assert "Hafenklinik" in kept
    assert "Secret" not in kept
    assert fields["csrfmiddlewaretoken"] not in kept
    answer = client.post(FORM, fields | {"description": "x" * MAX_DRAFT_CHARACTERS})
    assert "draft" not in answer["Location"]
    assert len(str(dict(client.session))) < MAX_DRAFT_CHARACTERS


def test_where_the_login_leads_is_a_page_of_ours(cast: Cast) -> None:
    """U10: a button of a page leads back to that page, and a foreign referrer to Home."""
    visitor = Client()
    action = reverse("relation_decide", args=[1])
    for referrer, expected in (
        ("http://testserver/accounts/7/?a=1", "/accounts/7/%3Fa%3D1"),
        ("https://evil.example/", "/"),
        ("http://testserver//evil.example/", "/"),
    ):
        answer = visitor.post(action, {}, headers={"referer": referrer})
        assert answer["Location"] == f"{reverse('account_login')}?next={expected}"


def test_a_second_login_window_is_no_dead_end(cast: Cast) -> None:
    """U10: whose log-in page is older than the login goes Home."""
    client = browser_of(cast.installer, enforce_csrf_checks=True)
    answer = client.post(reverse("account_login"), {"login": "x", "password": "y"})
    assert (answer.status_code, answer["Location"]) == (302, reverse("home"))


def test_a_key_names_its_reader_and_nobody_else(cast: Cast) -> None:
    """U10: signed; a key without a reader names none."""
    key = shown_form(browser_of(cast.installer))["key"]
    assert len(key) <= 64
    assert reader_of(key) == cast.installer.pk
    token, reader, signature = key.split(".")
    assert reader_of(f"{token}.{int(reader) + 1}.{signature}") is None
    assert reader_of(f"{token}x.{reader}.{signature}") is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("length", "most"), [(10, VISITORS_A_MINUTE), (VISITORS_MAX_CHARACTERS + 1, RETURNING_LARGE_A_MINUTE)]
)
def test_without_a_login_little_is_kept(cast: Cast, length: int, most: int) -> None:
    """U10: a key shows for whom a form was made, not who sends it: of one address few are kept, for an hour."""
    fields = shown_form(browser_of(cast.installer)) | TYPED | {"description": "x" * length}
    Session.objects.all().delete()
    addresses = [Client().post(FORM, fields)["Location"] for _ in range(2 * most + 1)]
    assert "draft" in addresses[0]
    assert "draft" not in addresses[-1]
    assert sum("draft" in address for address in addresses) <= 2 * most, "a minute may end between"
    in_an_hour = timezone.now() + timedelta(hours=1)
    assert not Session.objects.filter(expire_date__gt=in_an_hour).exists()
