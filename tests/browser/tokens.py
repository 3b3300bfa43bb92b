"""API tokens in every state, and what was asked with one."""

from django.utils import timezone

from accounts.models import ApiRequest, ApiToken, Role, User
from accounts.services.api_tokens import revoke_api_token
from tests.factories import Cast, make_token, make_user, yesterday


def make_tokens(cast: Cast, name: str) -> ApiToken:
    """The installer's: of another admin, revoked, expired, of who left; and what was asked with one."""
    colleague, gone = make_user(cast.installer.account, "Cora"), make_user(cast.installer.account, "Gero")
    token = make_token(colleague, name=name)
    revoke_api_token(actor=colleague, token_id=make_token(colleague).pk)
    late = make_token(cast.installer, "read")
    late.expires_on, late.last_used_at = yesterday(), timezone.now()
    late.save()
    make_token(gone, "activate")
    User.objects.filter(pk=gone.pk).update(role=Role.PORTAL_USER)
    for account, used in ((token.account, token), (None, None)):
        ApiRequest.objects.create(
            account=account,
            token=used,
            method="POST",
            route="/api/v1/activations",
            status=201,
            duration_ms=12,
            address="2001:db8::7",
            request_id="7f3cA0123",
        )
    return token
