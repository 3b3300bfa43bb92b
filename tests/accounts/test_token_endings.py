"""P1: API tokens stop with the login of their person, end by themselves, and operators make and revoke them."""

import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts.models import ApiToken, AuditEntry, Role, User, UserStatus
from accounts.services.api_tokens import find_token, new_secret, take_over_api_token
from accounts.services.credentials import send_credentials, set_own_password
from accounts.services.token_notices import TOKEN_ENDS
from accounts.services.users import update_profile, update_user
from accounts.tasks import tell_of_ending_tokens
from entitlements.models import today
from mxportal.shared.forms import new_key
from notifications.models import Mail
from notifications.registry import render
from tests.factories import Cast, make_token, make_user

AsUser = Callable[[User], Client]
LIST = "/accounts/tokens/"


def update(user: User, **fields: Any) -> None:
    """By MOBOTIX."""
    update_user(
        actor=User.objects.get(account__tier="mobotix", role="portal_admin"), user_id=user.pk, **fields
    )


SUSPENDS: dict[str, Callable[[User], object]] = {
    "a password of one's own": lambda user: set_own_password(user, "another password 17"),
    "new credentials": lambda user: send_credentials(
        actor=User.objects.filter(account__tier="mobotix", role="portal_admin").get(),
        user_id=user.pk,
        key=new_key(),
    ),
    "demotion": lambda user: update(user, role=Role.PORTAL_USER),
    "inactive": lambda user: update(user, status=UserStatus.INACTIVE),
    "no login": lambda user: update(user, can_log_in=False, role=""),
    "another user ID": lambda user: update(user, email="another@blick.example"),
}


@pytest.mark.parametrize("event", SUSPENDS)
def test_what_suspends_a_token_until_an_admin_confirms_it(cast: Cast, event: str) -> None:
    """P1: it does not come back by itself, neither by a promotion nor by a new password."""
    secret, heir = new_secret(), make_user(cast.installer.account)
    token, other = make_token(cast.installer, secret=secret), make_token(heir)
    SUSPENDS[event](cast.installer)
    user = User.objects.get(pk=cast.installer.pk)
    update(user, status=UserStatus.ACTIVE, can_log_in=True, role=Role.PORTAL_ADMIN)
    set_own_password(user, "one of my own 1984")
    assert find_token(secret) is None
    other.refresh_from_db()
    assert other.suspended_at is None, "another person's goes on"
    take_over_api_token(actor=heir, token_id=token.pk)
    found = find_token(secret)
    assert found is not None
    assert found.user == heir


def test_a_changed_profile_suspends_nothing(cast: Cast) -> None:
    make_user(cast.installer.account)
    make_token(cast.installer)
    update_profile(actor=cast.installer, phone="110")
    update(cast.installer, last_name="Other")
    assert ApiToken.objects.get().suspended_at is None


def test_its_own_person_confirms_it_on_the_page(cast: Cast, as_user: AsUser) -> None:
    """After a change of the password on the page itself."""
    secret = new_secret()
    make_token(cast.installer, secret=secret)
    cast.installer.set_password("the old password 12")
    cast.installer.save()
    client = as_user(cast.installer)
    passwords = {"oldpassword": "the old password 12", "password1": "the new password 34"}
    answer = client.post("/password/change/", passwords | {"password2": "the new password 34"})
    assert answer.status_code == 302, answer.content
    assert find_token(secret) is None
    page = client.get(LIST).content.decode()
    assert "Suspended" in page
    assert re.search(r"<button[^>]*>Confirm<", page)
    client.post(f"{LIST}{ApiToken.objects.get().pk}/take-over/")
    assert find_token(secret) is not None
    assert "Suspended" not in client.get(LIST).content.decode()


def test_what_nobody_confirms_ends_for_good(cast: Cast, settings: Any) -> None:
    token = make_token(cast.installer)
    long_ago = timezone.now() - timedelta(days=settings.API_TOKEN_SUSPENDED_DAYS, minutes=1)
    ApiToken.objects.filter(pk=token.pk).update(suspended_at=long_ago)
    with pytest.raises(ValidationError):
        take_over_api_token(actor=cast.installer, token_id=token.pk)


def test_the_admins_are_told_that_programs_stand_still(cast: Cast) -> None:
    """P1: those who can confirm it, in their language; nobody where nothing was suspended."""
    heir = make_user(cast.installer.account, email="heir@blick.example", language="de")
    update(cast.installer, status=UserStatus.INACTIVE)
    assert not Mail.objects.filter(kind="accounts.tokens_suspended").exists()
    update(cast.installer, status=UserStatus.ACTIVE)
    set_own_password(User.objects.get(pk=cast.installer.pk), "one of my own 1984")
    make_token(User.objects.get(pk=cast.installer.pk), name="ERP, orders")
    update(cast.installer, status=UserStatus.INACTIVE)
    mail = Mail.objects.get(kind="accounts.tokens_suspended")
    assert mail.recipient_email == heir.email
    message = render(mail)
    assert message is not None
    assert "ERP, orders" in message.text
    assert "/accounts/tokens/" in message.text
    take_over_api_token(actor=heir, token_id=ApiToken.objects.get().pk)
    assert render(mail) is None, "nothing waits any more"


def test_a_token_ends_after_a_year_unless_said_otherwise(cast: Cast, as_user: AsUser, settings: Any) -> None:
    settings.API_TOKEN_DAYS = 365
    assert make_token(cast.installer).expires_on == today() + timedelta(days=365)
    page = as_user(cast.installer).get(f"{LIST}new/").content.decode()
    assert f'value="{today() + timedelta(days=365):%Y-%m-%d}"' in page
    data = {"key": new_key(), "name": "ERP", "scopes": ["read"], "expires_on": today().isoformat()}
    created = as_user(cast.installer).post(f"{LIST}new/", data)
    assert "The token works until" in created.content.decode()
    assert ApiToken.objects.latest("pk").expires_on == today()


def test_its_end_is_told_at_each_mark_once(cast: Cast, settings: Any) -> None:
    """P1: a beat that calls often, or was down at the first mark, tells each mark once and none too late."""
    settings.API_TOKEN_NOTICE_DAYS = [30, 7]
    token = make_token(cast.installer, name="ERP", expires_on=today() + timedelta(days=31))
    for left, mails in ((31, 0), (30, 1), (29, 1), (8, 1), (7, 2), (0, 2)):
        ApiToken.objects.filter(pk=token.pk).update(expires_on=today() + timedelta(days=left))
        tell_of_ending_tokens()
        tell_of_ending_tokens()
        assert Mail.objects.filter(kind=TOKEN_ENDS).count() == mails, left
    message = render(Mail.objects.filter(kind=TOKEN_ENDS).latest("pk"))
    assert message is not None
    assert "“ERP” expires soon" in message.subject
    late = make_token(cast.installer, expires_on=today() + timedelta(days=3))
    tell_of_ending_tokens()
    assert Mail.objects.filter(kind=TOKEN_ENDS, context__token=late.pk).count() == 1


def test_an_operator_makes_a_token(cast: Cast) -> None:
    """It is printed once, alone on standard output; the audit trail names nobody of the account for it."""
    out, err = io.StringIO(), io.StringIO()
    arguments = [cast.installer.email.upper(), "Script", "read", "sell", "--days", "10"]
    call_command("make_token", *arguments, stdout=out, stderr=err)
    found = find_token(out.getvalue().strip())
    assert found is not None
    assert (found.user, found.scopes) == (cast.installer, ["read", "sell"])
    assert found.expires_on == today() + timedelta(days=10)
    assert AuditEntry.objects.get(action="api_token_created").actor is None
    assert "mxp_" not in err.getvalue()


@pytest.mark.parametrize("who", ["nobody@blick.example", "viewer", "contact"])
def test_for_whom_no_token_is_made(cast: Cast, who: str) -> None:
    persons = {"viewer": cast.installer_viewer, "contact": cast.customer_contact}
    email = persons[who].email if who in persons else who
    with pytest.raises(CommandError):
        call_command("make_token", email, "Script", "read")
    with pytest.raises(CommandError, match="what the token is for"):
        call_command("make_token", cast.installer.email, "Script", "orders")
    assert not ApiToken.objects.exists()


def test_an_operator_revokes_a_token(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its number, or by the token that was found; again, it changes nothing."""
    first, second = new_secret(), new_secret()
    one, _two = make_token(cast.installer, secret=first), make_token(cast.installer, secret=second)
    for _ in range(2):
        call_command("revoke_token", str(one.pk), stdout=io.StringIO())
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{second}\n"))
    call_command("revoke_token", stdout=io.StringIO())
    assert (find_token(first), find_token(second)) == (None, None)
    assert AuditEntry.objects.filter(action="api_token_revoked", actor=None).count() == 2
    with pytest.raises(CommandError, match="no such token"):
        call_command("revoke_token", "999999")


@pytest.mark.parametrize("command", ["make_token", "revoke_token"])
def test_what_the_commands_do_stands_in_their_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call_command(command, "--help")
    assert "API token" in capsys.readouterr().out
