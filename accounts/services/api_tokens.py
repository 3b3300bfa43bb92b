"""Make, revoke and find the tokens of an account's programs (P1)."""

import re
import secrets
from collections.abc import Sequence
from datetime import date, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import ApiToken, AuditEntry, Operation, Scope, User
from accounts.models.api_token import hash_token
from accounts.permissions import Permission, check_permission
from mxportal.shared.days import today
from mxportal.shared.fields import fold
from mxportal.shared.queries import one_or_none

TOKEN_PREFIX = "mxp_"
RANDOM_BYTES = 24  # 192 bits
TOKEN_FORM = re.compile(rf"{TOKEN_PREFIX}[0-9a-f]{{{RANDOM_BYTES * 2}}}")
NOTED_USES_APART = timedelta(minutes=1)


def new_secret() -> str:
    """Return a token as its program sends it; scanners for lost secrets recognise its prefix."""
    return TOKEN_PREFIX + secrets.token_hex(RANDOM_BYTES)


def scopes_for(actor: User) -> list[Scope]:
    """Return the scopes that the actor can give; ``orders`` is only for MOBOTIX."""
    return [scope for scope in Scope if scope != Scope.ORDERS or actor.account.is_mobotix]


@transaction.atomic(durable=True)
def create_api_token(
    *,
    actor: User,
    key: str,
    secret: str,
    name: str,
    scopes: Sequence[str],
    expires_on: date | None = None,
) -> ApiToken:
    """Keep the hash of ``secret``, which the caller shows once; the token acts as the actor (P1).

    Without ``expires_on`` it ends after API_TOKEN_DAYS. The same key returns the token that was made first, which has
    another secret. Raises ValidationError at ``scopes`` or ``expires_on``.
    """
    check_permission(actor, Permission.MANAGE_TOKENS)
    User.objects.for_update().get(pk=actor.pk)
    request = {"name": name, "scopes": sorted(scopes), "expires_on": expires_on}
    once = Operation.once(actor, key, "create_api_token", request)
    if once.result:
        return ApiToken.objects.get(pk=once.result)
    token = _create(user=actor, by=actor, secret=secret, name=name, scopes=scopes, expires_on=expires_on)
    once.keep(token)
    return token


def default_end() -> date:
    """Return the last day of a token that is made today."""
    return today() + timedelta(days=settings.API_TOKEN_DAYS)


def _create(
    *, user: User, by: User | None, secret: str, name: str, scopes: Sequence[str], expires_on: date | None
) -> ApiToken:
    """Create a token. ``by`` is None for an operator of the portal."""
    token = ApiToken(
        account=user.account,
        user=user,
        created_by=user,
        name=name,
        scopes=sorted(scopes),
        token_hash=hash_token(secret),
        expires_on=expires_on or default_end(),
    )
    _check(user, token)
    token.save()
    _audit(by, "api_token_created", token)
    return token


def _check(user: User, token: ApiToken) -> None:
    if not token.scopes or not set(token.scopes) <= set(scopes_for(user)):
        raise ValidationError({"scopes": _("Choose what the token is for.")})
    if token.is_expired:
        raise ValidationError({"expires_on": _("This day is over. Choose a later one.")})


@transaction.atomic(durable=True)
def make_api_token(*, email: str, secret: str, name: str, scopes: Sequence[str], days: int) -> ApiToken:
    """Create a token that acts as the admin with this user ID, for an operator of the portal.

    Raises User.DoesNotExist, and ValidationError like ``create_api_token`` or if this is no active Portal Admin.
    """
    logins = User.objects.select_related("account").for_update()
    user = logins.get(login=fold(email))
    if not (user.is_admin and user.is_active):
        raise ValidationError(_("A token acts as an active Portal Admin. This person is not one."))
    expires_on = today() + timedelta(days=days)
    return _create(user=user, by=None, secret=secret, name=name, scopes=scopes, expires_on=expires_on)


@transaction.atomic(durable=True)
def end_api_token(*, token_id: int) -> ApiToken:
    """Revoke any token, for an operator of the portal; a second time changes nothing. Raises ApiToken.DoesNotExist."""
    tokens = ApiToken.objects.filter(pk=token_id)
    changed = tokens.filter(revoked_at=None).update(revoked_at=timezone.now())
    token = tokens.select_related("account").get()
    if changed:
        _audit(None, "api_token_revoked", token)
    return token


@transaction.atomic(durable=True)
def revoke_api_token(*, actor: User, token_id: int) -> ApiToken:
    """Revoke a token from the next request on; a second time changes nothing. Raises ApiToken.DoesNotExist."""
    check_permission(actor, Permission.MANAGE_TOKENS)
    tokens = ApiToken.objects.visible_to(actor).filter(pk=token_id)
    changed = tokens.filter(revoked_at=None).update(revoked_at=timezone.now(), revoked_by=actor)
    token = tokens.get()
    if changed:
        _audit(actor, "api_token_revoked", token)
    return token


@transaction.atomic(durable=True)
def take_over_api_token(*, actor: User, token_id: int) -> ApiToken:
    """Let the token act as the actor from now on, also if it was suspended.

    Raises ApiToken.DoesNotExist, and ValidationError if it has ended.
    """
    check_permission(actor, Permission.MANAGE_TOKENS)
    tokens = ApiToken.objects.visible_to(actor).filter(pk=token_id)
    others = tokens.not_ended().exclude(user=actor, suspended_at=None)
    changed = others.update(user=actor, suspended_at=None)
    token = tokens.get()
    if token.is_ended:
        raise ValidationError(_("This token has expired or was revoked. Create another one."))
    if changed:
        _audit(actor, "api_token_taken_over", token)
    return token


def _audit(actor: User | None, action: str, token: ApiToken) -> None:
    AuditEntry.objects.record(actor=actor, action=action, about=token.account, token=token.name)


def find_token(secret: str) -> ApiToken | None:
    """Return the token of a request, its user narrowed to its scopes; None, for any reason, if it is not usable."""
    if not TOKEN_FORM.fullmatch(secret):
        return None
    tokens = ApiToken.objects.select_related("user__account").filter(token_hash=hash_token(secret))
    found = one_or_none(tokens)
    if found is None or not found.is_usable:
        return None
    found.user.narrowed_to = found.permissions
    return found


def note_use(token: ApiToken) -> None:
    """Keep when it was last used, to the minute: a write at each request would cost too much."""
    now = timezone.now()
    long_ago = Q(last_used_at=None) | Q(last_used_at__lt=now - NOTED_USES_APART)
    if token.last_used_at is None or token.last_used_at < now - NOTED_USES_APART:
        ApiToken.objects.filter(long_ago, pk=token.pk).update(last_used_at=now)
