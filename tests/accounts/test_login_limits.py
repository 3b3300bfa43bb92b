"""U9: wrong logins are limited by the person they are tried on, and nobody locks another out of the own browser."""

from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.core import mail as outbox
from django.test import Client
from django.urls import reverse

from accounts.known_browsers import COOKIE
from accounts.models import Attempts, User
from accounts.services.attempts import drop_old_attempts
from accounts.services.credentials import LinkUsedError, request_password_reset, set_password_by_link
from mxportal.shared.fields import fold
from notifications.models import Mail
from notifications.services import deliver_mails
from tests.accounts.test_login import NEW, log_in
from tests.factories import PASSWORD, Cast

LOCKED = "Too many attempts"


def named(user: User, address: str = "peter.shaw@inst.example") -> User:
    """With an address in which there is an s."""
    user.email = address
    user.save()
    return user


def lock(login: str, **extra: Any) -> None:
    """Five wrong logins, each from another address."""
    for number in range(5):
        post(Client(), login, "wrong", REMOTE_ADDR=f"192.0.2.{number}", **extra)


def post(client: Client, login: str, password: str = PASSWORD, **extra: Any) -> Any:
    return client.post(reverse("account_login"), {"login": login, "password": password}, **extra)


def is_locked(answer: Any) -> bool:
    return LOCKED in answer.content.decode()


@pytest.mark.parametrize(
    "login", ["peter.shaw@inst.example", "peter.\u017fhaw@inst.example", " PETER.SHAW@inst.example"]
)
def test_no_other_spelling_passes(cast: Cast, login: str) -> None:
    """U2: what is looked up as one user ID is counted as one."""
    user = named(cast.installer)
    lock(user.email)
    assert fold(login) == user.login
    assert is_locked(post(Client(), login, REMOTE_ADDR="192.0.2.77"))


def test_no_other_host_passes(cast: Cast, settings: Any) -> None:
    """The host that a client names is its own choice."""
    settings.ALLOWED_HOSTS = ["*"]
    lock(cast.installer.email)
    for host in ("testserver:1", "testserver:65535", "other.example"):
        assert is_locked(post(Client(headers={"host": host}), cast.installer.email, REMOTE_ADDR="192.0.2.77"))


def test_width_is_no_other_name() -> None:
    """U2, A3: NFKC."""
    assert fold("Ｃity\u00a0Ｈospital") == fold("city hospital")
    assert fold("peter@ｉnst.example") == "peter@inst.example"


def test_a_known_browser_keeps_its_own_count(cast: Cast) -> None:
    """Five wrong logins from elsewhere keep the person out of no browser that knows them; ten there keep it out."""
    home = Client()
    log_in(cast.installer, client=home)
    home.post(reverse("account_logout"))
    lock(cast.installer.email)
    assert is_locked(log_in(cast.installer))
    assert log_in(cast.installer, client=home).status_code == 302
    home.post(reverse("account_logout"))
    said = [is_locked(log_in(cast.installer, "wrong", home)) for _ in range(6)]
    assert said == [False] * 5 + [True]


def test_an_attackers_address_keeps_no_known_browser_out(cast: Cast) -> None:
    """A neighbour behind the same router tries ten times a minute."""
    home = Client()
    log_in(cast.installer, client=home)
    home.post(reverse("account_logout"))
    for number in range(10):
        post(Client(), f"nobody{number}@nowhere.example", "wrong")
    assert is_locked(log_in(cast.sibling_installer))
    assert log_in(cast.installer, client=home).status_code == 302


@pytest.mark.slow
def test_who_is_kept_out_by_address_counts_for_nobody(cast: Cast) -> None:
    """Or one address could lock everybody out."""
    for number in range(10):
        post(Client(), f"nobody{number}@nowhere.example", "wrong")
    for _ in range(5):
        assert is_locked(log_in(cast.installer, "wrong"))
    assert post(Client(), cast.installer.email, REMOTE_ADDR="192.0.2.77").status_code == 302


def test_the_cookie_is_for_one_person_and_one_password(cast: Cast) -> None:
    """Another's, a forged one, and one of an earlier password name no count."""
    home = Client()
    log_in(cast.installer, client=home)
    home.post(reverse("account_logout"))
    cookie = home.cookies[COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    lock(cast.sibling_installer.email)
    assert is_locked(log_in(cast.sibling_installer, client=home))
    lock(cast.installer.email)
    forged = Client()
    forged.cookies[COOKIE] = cookie.value[:-1] + ("A" if cookie.value[-1] != "A" else "B")
    assert is_locked(log_in(cast.installer, client=forged))
    cast.installer.set_password(NEW)
    cast.installer.save()
    assert is_locked(log_in(cast.installer, NEW, home))


@pytest.mark.slow
def test_several_people_of_one_browser(cast: Cast) -> None:
    """Each keeps the own count; the sixth pushes the first out."""
    home = Client()
    people = [
        cast.installer,
        cast.installer_viewer,
        cast.distributor,
        cast.distributor_viewer,
        cast.mobotix,
        cast.other_installer,
    ]
    for user in people:
        assert log_in(user, client=home).status_code == 302
        home.post(reverse("account_logout"))
    for user in people:
        lock(user.email)
    locked = [is_locked(log_in(user, "wrong", home)) for user in people]
    assert locked == [True] + [False] * 5


def link_of(user: User) -> str:
    """Of the newest mail."""
    request_password_reset(email=user.email)
    deliver_mails([Mail.objects.latest("pk").pk])
    body = str(outbox.outbox[-1].body)
    return body[body.index("/password/reset/key/") :].split()[0]


def test_a_link_leads_back_in(cast: Cast) -> None:
    """Who was locked out sets a new password by the link, and this browser is known from then on."""
    lock(cast.installer.email)
    home = Client()
    form = home.get(link_of(cast.installer)).url
    assert home.post(form, {"password1": NEW, "password2": NEW}).status_code == 302
    lock(cast.installer.email)
    assert log_in(cast.installer, NEW, home).status_code == 302


def test_a_link_sets_one_password(cast: Cast) -> None:
    """U8: the second request that was on its way reads that the link was used."""
    link = link_of(cast.installer)
    first, second = Client(), Client()
    forms = [client.get(link).url for client in (first, second)]
    token = link.rstrip("/").partition("-")[2]
    set_password_by_link(user_id=cast.installer.pk, token=token, password=NEW)
    with pytest.raises(LinkUsedError):
        set_password_by_link(user_id=cast.installer.pk, token=token, password="another one 4711")
    answer = second.post(forms[1], {"password1": "another one 4711", "password2": "another one 4711"})
    assert answer.context["token_fail"]
    assert User.objects.get(pk=cast.installer.pk).check_password(NEW)


def test_requests_for_a_password_are_limited(cast: Cast) -> None:
    """In the database, by the folded address, whether it exists or not."""
    page = reverse("account_reset_password")
    named(cast.installer)
    spellings = ["peter.shaw@inst.example", "Peter.\u017fHAW@inst.example"] * 3
    statuses = [Client().post(page, {"email": email}).status_code for email in spellings]
    assert statuses == [302] * 5 + [429]
    statuses = [Client().post(page, {"email": "nobody@nowhere.example"}).status_code for _ in range(6)]
    assert statuses == [302] * 5 + [429]


def test_who_logs_in_too_often_reads_when_to_come_back(cast: Cast) -> None:
    """allauth's own limit has a page of ours."""
    for number in range(30):
        Client().post(reverse("account_login"), {"login": f"n{number}"})
    answer = log_in(cast.installer)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "60")
    assert "Try again in 1 minute" in answer.content.decode()


def test_counts_begin_anew_and_are_dropped(cast: Cast) -> None:
    """U8: locked for five minutes at most; no further attempt makes it longer."""
    lock(cast.installer.email)
    assert is_locked(log_in(cast.installer))
    ends = set(Attempts.objects.values_list("ends_at", flat=True))
    log_in(cast.installer)
    assert set(Attempts.objects.values_list("ends_at", flat=True)) == ends
    Attempts.objects.update(ends_at=0)
    assert log_in(cast.installer).status_code == 302
    Attempts.objects.update(ends_at=0)
    assert drop_old_attempts() > 0
    assert not Attempts.objects.exists()


@pytest.mark.parametrize("address", ["a" * 60 + "@" + ("b" * 50 + ".") * 4 + "example", "a@\ufdfa.example"])
def test_an_address_that_no_mail_can_have_is_answered_like_any_other(db: None, address: str) -> None:
    """U8: one that is too long, or is none once it is folded (U2), is refused at its field."""
    asked = Client().post(reverse("account_reset_password"), {"email": address})
    assert asked.status_code == 200
    assert not Mail.objects.exists()


def test_nobody_fills_a_mailbox_with_links(cast: Cast) -> None:
    """U8: five mails an hour to one person, from however many addresses; the first links go on working."""
    page = reverse("account_reset_password")
    with time_machine.travel(datetime(2026, 11, 2, 9, tzinfo=UTC)) as clock:
        for number in range(10):
            Client(REMOTE_ADDR=f"192.0.2.{number}").post(page, {"email": cast.installer.email})
            clock.shift(60)
        assert Mail.objects.count() == 5
        clock.shift(3600)
        Client(REMOTE_ADDR="192.0.2.99").post(page, {"email": cast.installer.email})
        assert Mail.objects.count() == 6
