"""U4, U6, U7, U8: logging in, the forced change of the password, and the forgotten one."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail as outbox
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from accounts.models import Account, LoginRecord, User, UserStatus
from notifications.models import Mail
from notifications.services import deliver_mails
from tests.factories import PASSWORD, Cast

NEW = "a much better one 17"


def log_in(user: User, password: str = PASSWORD, client: Client | None = None) -> Any:
    client = client or Client()
    return client.post(reverse("account_login"), {"login": user.email, "password": password})


def give_temporary_password(user: User) -> str:
    user.set_temporary_password("temporary pass 1")
    user.save()
    return "temporary pass 1"


def test_log_in_in_any_case(cast: Cast) -> None:
    """U2: the user ID is compared without case; the login is recorded with address and agent."""
    client = Client(headers={"user-agent": "Camera Browser"})
    answer = client.post(
        reverse("account_login"), {"login": f" {cast.installer.email.upper()}", "password": PASSWORD}
    )
    assert (answer.status_code, answer.url) == (302, reverse("home"))
    record = LoginRecord.objects.get()
    assert (record.user, record.succeeded, record.agent) == (cast.installer, True, "Camera Browser")


@pytest.mark.parametrize(("proxies", "address"), [(0, "127.0.0.1"), (1, "203.0.113.9")])
def test_address_of_a_login_behind_proxies(cast: Cast, settings: Any, proxies: int, address: str) -> None:
    """U6: the address is the visitor's where a proxy of ours says it, and no header is believed without one."""
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    log_in(cast.installer, client=Client(headers={"x-forwarded-for": "198.51.100.1, 203.0.113.9"}))
    assert LoginRecord.objects.get().address == address


@pytest.mark.parametrize("who", ["unknown", "contact", "inactive", "inactive account", "wrong password"])
def test_refusals_look_alike(cast: Cast, who: str) -> None:
    """U8: whoever cannot log in reads one and the same sentence."""
    user, password = cast.installer_viewer, PASSWORD
    if who == "unknown":
        user = User(email="nobody@nowhere.example")
    elif who == "contact":
        user = cast.customer_contact
    elif who == "inactive":
        user.status = UserStatus.INACTIVE
        user.save()
    elif who == "inactive account":
        Account.objects.filter(pk=user.account_id).update(status="inactive")
    else:
        password = "not the one"
    answer = log_in(user, password)
    assert answer.status_code == 200
    assert answer.context["form"].non_field_errors() == ["User ID and password do not match."]
    assert not LoginRecord.objects.filter(succeeded=True)


def test_shared_login_leaves_no_success(cast: Cast) -> None:
    """U6: successes of a shared login are written nowhere, its failures are; two may use it at once."""
    User.objects.filter(pk=cast.installer.pk).update(shared_login=True)
    one, other = Client(), Client()
    log_in(cast.installer, client=one)
    log_in(cast.installer, client=other)
    assert not LoginRecord.objects.exists()
    assert User.objects.get(pk=cast.installer.pk).last_login is None
    assert (
        one.get(reverse("account_list")).status_code == other.get(reverse("account_list")).status_code == 200
    )
    log_in(cast.installer, "wrong")
    assert LoginRecord.objects.get().succeeded is False


def test_first_admin_takes_the_account_over(cast: Cast) -> None:
    """U4: a viewer's login changes nothing; the first admin's ends the seller's management."""
    log_in(cast.installer_viewer)
    assert cast.installer.account in Account.objects.managed_by(cast.distributor)
    log_in(cast.installer)
    assert cast.installer.account not in Account.objects.managed_by(cast.distributor)


def test_inactive_ends_sessions(cast: Cast, as_user: Callable[[User], Client]) -> None:
    """U7, A5: an inactive user, and a user of an inactive account, is out at the next request."""
    client, other = as_user(cast.installer), as_user(cast.sibling_installer)
    assert client.get(reverse("account_list")).status_code == 200
    User.objects.filter(pk=cast.installer.pk).update(status="inactive", login=None)
    Account.objects.filter(pk=cast.sibling_installer.account_id).update(status="inactive")
    assert client.get(reverse("account_list")).status_code == 302
    assert other.get(reverse("account_list")).status_code == 302


def test_temporary_password_opens_one_page(cast: Cast) -> None:
    """U4: every page leads to "Change your password" until a password of one's own is set; then home."""
    client = Client()
    password = give_temporary_password(cast.installer)
    log_in(cast.installer, password, client)
    change = reverse("account_change_password")
    for name in ("account_list", "profile_edit", "related_account_list"):
        assert client.get(reverse(name)).url == change
    same = {"oldpassword": password, "password1": password, "password2": password}
    assert client.post(change, same).context["form"].errors
    answer = client.post(change, {"oldpassword": password, "password1": NEW, "password2": NEW})
    assert answer.url == reverse("home")
    assert client.get(reverse("account_list")).status_code == 200
    assert User.objects.get(pk=cast.installer.pk).check_password(NEW)


def test_expired_temporary_password_is_recorded(cast: Cast) -> None:
    """U6: an attempt that did not succeed, although the password was right."""
    password = give_temporary_password(cast.installer)
    User.objects.filter(pk=cast.installer.pk).update(temporary_password_until=timezone.now())
    log_in(cast.installer, password)
    record = LoginRecord.objects.get()
    assert (record.user, record.succeeded) == (cast.installer, False)


def test_expired_temporary_password(cast: Cast) -> None:
    """U4: after its days it opens nothing, and only who knows it is told so."""
    password = give_temporary_password(cast.installer)
    User.objects.update(
        temporary_password_until=timezone.now() - timedelta(minutes=1), must_change_password=True
    )
    assert "expired" in log_in(cast.installer, password).content.decode()
    assert "expired" not in log_in(cast.installer, "wrong").content.decode()


def test_forgotten_password(cast: Cast) -> None:
    """U8: the link sets a new password once; an unknown address gets the same answer and no mail."""
    client, page = Client(), reverse("account_reset_password")
    unknown = client.post(page, {"email": "nobody@nowhere.example"})
    known = client.post(page, {"email": cast.installer.email})
    assert (unknown.status_code, unknown.url) == (known.status_code, known.url)
    deliver_mails(Mail.objects.values_list("pk", flat=True))
    assert len(outbox.outbox) == 1
    link = re.search(r"https?://[^/\s]+(/password/reset/key/\S+)", str(outbox.outbox[-1].body))[1]  # type: ignore[index]
    form = client.get(link).url
    assert client.post(form, {"password1": NEW, "password2": NEW}).status_code == 302
    assert User.objects.get(pk=cast.installer.pk).check_password(NEW)
    assert Client().get(link).context["token_fail"]


def test_nothing_else_of_allauth(db: None) -> None:
    """U8: sign-up and further e-mail addresses have no page."""
    for name in ("account_signup", "account_email", "account_set_password", "account_reauthenticate"):
        with pytest.raises(NoReverseMatch):
            reverse(name)


def test_language_before_and_after(cast: Cast) -> None:
    """U8: before the login the visitor's choice, after it the user's own language."""
    client = Client()
    client.post(reverse("set_language"), {"language": "de", "next": reverse("account_login")})
    assert 'lang="de"' in client.get(reverse("account_login")).content.decode()
    log_in(cast.installer, client=client)
    assert '<html lang="en">' in client.get(reverse("account_list")).content.decode()


def test_the_old_address_leads_to_the_login(client: Client) -> None:
    """Bookmarks and mails of the portal before this one still lead to the log-in page."""
    response = client.get("/flexnet/operationsportal/logon.do?next=/elsewhere/")
    assert (response.status_code, response.headers["Location"]) == (301, reverse("account_login"))
