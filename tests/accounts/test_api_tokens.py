"""P1: an account's API tokens: shown once, kept as a hash, and no more than their person's role."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.utils import timezone
from django.utils.translation import override
from pytest_django import DjangoAssertNumQueries

from accounts.models import AccountStatus, ApiRequest, ApiToken, Role, Scope, User, UserStatus
from accounts.models.api_token import PERMISSIONS_OF_SCOPE, hash_token
from accounts.permissions import Permission
from accounts.presentation import token_rows
from accounts.services.api_tokens import (
    TOKEN_FORM,
    end_api_token,
    find_token,
    new_secret,
    note_use,
    revoke_api_token,
    take_over_api_token,
)
from accounts.tasks import drop_old_api_requests
from entitlements.models import today
from mxportal.shared.forms import new_key
from tests.factories import Cast, make_token, make_user, yesterday

AsUser = Callable[[User], Client]
LIST, NEW = "/accounts/tokens/", "/accounts/tokens/new/"


def test_a_token_acts_as_its_person_narrowed_to_its_scopes(cast: Cast) -> None:
    """P1: a scope takes away and gives nothing; without a token the role is whole."""
    secret = new_secret()
    make_token(cast.installer, "activate", secret=secret)
    found = find_token(secret)
    assert found is not None
    assert found.user == cast.installer
    assert found.user.permissions() == {Permission.ACTIVATE}
    assert not found.user.may(Permission.SPLIT)
    assert cast.installer.may(Permission.SPLIT)


def test_no_scope_reaches_further_than_a_role(cast: Cast) -> None:
    """Users' roles, tokens and moves are for people, whatever scopes a token has."""
    secret = new_secret()
    make_token(cast.mobotix, secret=secret)
    found = find_token(secret)
    assert found is not None
    left = {
        Permission.EDIT_PROFILE,
        Permission.REPLACE_IDS,
        Permission.MANAGE_TOKENS,
        Permission.TRANSFER_ACCOUNTS,
        Permission.READ_MOBOTIX_HELP,
    }
    assert cast.mobotix.permissions() - found.user.permissions() == left
    assert set(PERMISSIONS_OF_SCOPE) == set(Scope)


def test_it_is_kept_as_a_hash_of_many_random_bits(cast: Cast) -> None:
    """P1: at least 160 bits, with a prefix that can be looked for."""
    secrets = {new_secret() for _ in range(50)}
    assert len(secrets) == 50
    assert all(
        re.fullmatch(r"mxp_[0-9a-f]{48}", secret) and TOKEN_FORM.fullmatch(secret) for secret in secrets
    )
    secret = secrets.pop()
    token = make_token(cast.installer, secret=secret)
    row = ApiToken.objects.filter(pk=token.pk).values().get()
    assert secret not in str(row)
    assert row["token_hash"] == hash_token(secret)


@pytest.mark.parametrize(
    "end",
    [
        lambda token, person: User.objects.filter(pk=person.pk).update(
            status=UserStatus.INACTIVE, login=None
        ),
        lambda token, person: User.objects.filter(pk=person.pk).update(role=Role.PORTAL_USER),
        lambda token, person: person.account.__class__.objects.filter(pk=person.account_id).update(
            status=AccountStatus.INACTIVE
        ),
        lambda token, person: ApiToken.objects.filter(pk=token.pk).update(expires_on=yesterday()),
        lambda token, person: revoke_api_token(actor=person, token_id=token.pk),
        lambda token, person: end_api_token(token_id=token.pk),
        lambda token, person: User.objects.filter(pk=person.pk).update(must_change_password=True),
        lambda token, person: ApiToken.objects.filter(pk=token.pk).update(suspended_at=timezone.now()),
    ],
    ids=[
        "person inactive",
        "no admin any more",
        "account inactive",
        "expired",
        "revoked",
        "revoked by an operator",
        "temporary password",
        "suspended",
    ],
)
def test_what_ends_it(cast: Cast, end: Callable[[ApiToken, User], object]) -> None:
    """P1, U7, A5: at the next request."""
    secret = new_secret()
    token = make_token(cast.installer, secret=secret)
    assert find_token(secret) == token
    end(token, cast.installer)
    assert find_token(secret) is None


@pytest.mark.parametrize("sent", ["", "mxp_", "mxp_" + "0" * 48, "mxp_" + "0" * 5000, "\0", "ſ"])
def test_what_is_no_token(db: None, sent: str) -> None:
    assert find_token(sent) is None


def test_another_admin_takes_it_over(cast: Cast) -> None:
    """P1: it goes on where its person has left; a revoked one does not."""
    secret, heir = new_secret(), make_user(cast.installer.account)
    token = make_token(cast.installer, secret=secret)
    User.objects.filter(pk=cast.installer.pk).update(status=UserStatus.INACTIVE, login=None)
    take_over_api_token(actor=heir, token_id=token.pk)
    found = find_token(secret)
    assert found is not None
    assert found.user == heir
    revoke_api_token(actor=heir, token_id=token.pk)
    with pytest.raises(ValidationError):
        take_over_api_token(actor=heir, token_id=token.pk)


def test_only_admins_of_the_account_have_its_tokens(cast: Cast) -> None:
    """P1: neither its sellers nor MOBOTIX nor viewers."""
    token = make_token(cast.installer)
    for other in (cast.distributor, cast.mobotix, cast.other_installer):
        assert not ApiToken.objects.visible_to(other).exists()
        for service in (revoke_api_token, take_over_api_token):
            with pytest.raises(ApiToken.DoesNotExist):
                service(actor=other, token_id=token.pk)
    with pytest.raises(PermissionDenied):
        make_token(cast.installer_viewer)


@pytest.mark.parametrize(
    ("scopes", "until", "field"),
    [
        (["orders"], None, "scopes"),
        (["everything"], None, "scopes"),
        (["read"], -1, "expires_on"),
    ],
)
def test_what_a_token_cannot_be(cast: Cast, scopes: list[str], until: int | None, field: str) -> None:
    """Orders are MOBOTIX's alone, and a token that has ended is none."""
    expires_on = None if until is None else today() + timedelta(days=until)
    with pytest.raises(ValidationError) as refused:
        make_token(cast.distributor, *scopes, expires_on=expires_on)
    assert list(refused.value.message_dict) == [field]


def test_when_it_was_used_last_is_written_once_a_minute(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    token = make_token(cast.installer)
    with django_assert_num_queries(1):
        note_use(token)
    token.refresh_from_db()
    with django_assert_num_queries(0):
        note_use(token)
    token.last_used_at = timezone.now() - timedelta(minutes=2)
    with django_assert_num_queries(1):
        note_use(token)


def test_the_page_shows_it_once(cast: Cast, as_user: AsUser) -> None:
    """P1: in the answer to the form; not in an address, not in the list, and not when the form is sent again."""
    client, data = as_user(cast.installer), {"key": new_key(), "name": "ERP", "scopes": ["read"]}
    answer = client.post(NEW, data)
    (secret,) = set(re.findall(r"mxp_[0-9a-f]{48}", answer.content.decode()))
    assert find_token(secret) == ApiToken.objects.get()
    assert "no-store" in answer.headers["Cache-Control"]
    again = client.post(NEW, data)
    assert "mxp_" not in again.content.decode()
    assert "was already sent" in again.content.decode()
    assert ApiToken.objects.count() == 1
    assert "mxp_" not in client.get(LIST).content.decode()


def test_a_wrong_form_keeps_what_was_typed(cast: Cast, as_user: AsUser) -> None:
    page = as_user(cast.installer).post(NEW, {"key": new_key(), "name": "My ERP"}).content.decode()
    assert "Choose what the token is for." in page
    assert 'value="My ERP"' in page
    assert not ApiToken.objects.exists()


def test_revoking_is_asked_first(cast: Cast, as_user: AsUser) -> None:
    """And stands in the account's history."""
    client, token = as_user(cast.installer), make_token(cast.installer, name="Old ERP")
    address = f"/accounts/tokens/{token.pk}/revoke/"
    assert "Old ERP" in client.get(address).content.decode()
    token.refresh_from_db()
    assert token.revoked_at is None
    assert client.post(address, {"key": new_key()}).status_code == 302
    token.refresh_from_db()
    assert token.revoked_by == cast.installer
    history = client.get(f"/accounts/{cast.installer.account_id}/").content.decode()
    assert "revoked the API token “Old ERP”" in history


@pytest.mark.parametrize("rows", [1, 3])
def test_the_lists_have_fixed_numbers_of_queries(
    cast: Cast, as_user: AsUser, rows: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(rows):
        token = make_token(make_user(cast.installer.account), name=f"Token {number}")
        ApiRequest.objects.create(
            token=token, account=token.account, method="GET", route="/items", status=200, duration_ms=1
        )
    client = as_user(cast.installer)
    client.get(LIST)
    for address in (LIST, "/accounts/tokens/requests/"):
        with django_assert_num_queries(3):
            page = client.get(address).content.decode()
        assert page.count("<tr>") == rows + 1


def test_requests_are_seen_by_their_account(cast: Cast) -> None:
    """MOBOTIX sees all of them, those without a token as well."""
    own, foreign = make_token(cast.installer), make_token(cast.distributor)
    for token in (own, foreign, None):
        account = token.account if token else None
        ApiRequest.objects.create(
            token=token, account=account, method="GET", route="/items", status=200, duration_ms=1
        )
    assert [request.token for request in ApiRequest.objects.visible_to(cast.installer)] == [own]
    assert ApiRequest.objects.visible_to(cast.mobotix).count() == 3
    assert not ApiRequest.objects.visible_to(cast.sibling_installer).exists()


def test_old_requests_are_dropped(cast: Cast, settings: Any) -> None:
    """The log does not grow for ever."""
    for _ in range(3):
        ApiRequest.objects.create(method="GET", route="/items", status=200, duration_ms=1)
    long_ago = timezone.now() - timedelta(days=settings.API_LOG_DAYS, minutes=1)
    kept = ApiRequest.objects.latest("pk")
    ApiRequest.objects.exclude(pk=kept.pk).update(at=long_ago)
    drop_old_api_requests()
    assert ApiRequest.objects.get() == kept


def test_scopes_in_the_readers_language(cast: Cast) -> None:
    """P1: on the list, in a word each."""
    token = make_token(cast.installer, "read", "sell")
    with override("de"):
        assert token_rows([token])[0].scopes == ["Lesen", "Verkaufen"]
