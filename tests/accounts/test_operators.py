"""U4, U9: what operators do from the command line: the first admin, and a way back in."""

import io

import pytest
from django.core import mail as outbox
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import AuditEntry, User
from notifications.models import Mail, Status
from notifications.services import deliver_mails
from tests.accounts.test_login import log_in
from tests.accounts.test_login_limits import is_locked, lock
from tests.factories import Cast

pytestmark = pytest.mark.django_db


def run(*command: str) -> str:
    said = io.StringIO()
    call_command(*command, stdout=said)
    return said.getvalue()


def password_of_last_mail() -> str:
    lines = str(outbox.outbox[-1].body).splitlines()
    return next(line for line in lines if "assword" in line and ":" in line).rpartition(":")[2].strip()


def test_a_typing_error_is_corrected() -> None:
    """A1: the same admin with the right address; what went to the wrong one opens nothing any more."""
    run("create_first_admin", "mara@wrong.example", "Mara", "Kellr")
    deliver_mails([Mail.objects.get().pk])
    leaked = password_of_last_mail()
    waiting = run("create_first_admin", "mara@wronger.example", "Mara", "Keller")
    assert "mara@wronger.example" in waiting
    run("create_first_admin", "mara@right.example", "Mara", "Keller")
    user = User.objects.get()
    assert (user.email, str(user)) == ("mara@right.example", "Mara Keller")
    assert not user.check_password(leaked)
    deliver_mails(Mail.objects.values_list("pk", flat=True))
    assert list(Mail.objects.order_by("pk").values_list("status", flat=True)) == [
        Status.SENT,
        Status.CANCELLED,
        Status.SENT,
    ]
    assert outbox.outbox[-1].to == ["Mara Keller <mara@right.example>"]
    assert log_in(user, password_of_last_mail()).status_code == 302
    assert AuditEntry.objects.filter(action="user_changed").count() == 2


def test_once_the_admin_has_logged_in_it_is_over() -> None:
    """U3: then it would be a way round the portal."""
    run("create_first_admin", "mara@right.example", "Mara", "Keller")
    deliver_mails([Mail.objects.get().pk])
    log_in(User.objects.get(), password_of_last_mail())
    with pytest.raises(CommandError, match="already has an active Portal Admin"):
        run("create_first_admin", "eve@evil.example", "Eve", "Evil")
    assert User.objects.get().email == "mara@right.example"


def test_names_of_the_first_admin() -> None:
    """U1: as everybody's."""
    with pytest.raises(CommandError, match="invisible characters"):
        run("create_first_admin", "mara@right.example", "Ma\u200bra", "Keller")


def test_reset_login(cast: Cast) -> None:
    """U9: unlocked at once; the password changes with the delivery."""
    lock(cast.mobotix.email)
    assert is_locked(log_in(cast.mobotix))
    assert cast.mobotix.email in run("reset_login", cast.mobotix.email.upper())
    assert log_in(cast.mobotix, client=Client()).status_code == 302
    deliver_mails([Mail.objects.get().pk])
    assert log_in(cast.mobotix).status_code == 200
    assert log_in(cast.mobotix, password_of_last_mail()).status_code == 302


@pytest.mark.parametrize("who", ["customer_contact", "nobody"])
def test_reset_login_of_nobody(cast: Cast, who: str) -> None:
    """U5: a contact has none."""
    email = getattr(cast, who).email if who != "nobody" else "nobody@nowhere.example"
    with pytest.raises(CommandError, match="No active user"):
        run("reset_login", email)


@pytest.mark.parametrize("command", ["create_first_admin", "reset_login"])
def test_help_says_what_it_does(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call_command(command, "--help")
    said = " ".join(capsys.readouterr().out.split())
    assert "logged in" in said or "temporary password" in said
