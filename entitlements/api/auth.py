"""The stamp of every operation: the permission that its token must have, or why it needs no token (P1)."""

from collections.abc import Callable

from django.http import HttpRequest
from ninja.errors import AuthenticationError
from ninja.security.base import AuthBase
from structlog.contextvars import bind_contextvars

from accounts.models import ApiToken, User
from accounts.permissions import Permission, check_permission

HEADER = "Authorization"


class TokenRequest(HttpRequest):
    """The request of an operation.

    ``user`` is the token's person, narrowed to its scopes, so that every ``visible_to`` and every service works as on
    the pages.
    """

    user: User
    api_token: ApiToken | None


class Token(AuthBase):
    """The stamp ``auth=Token(Permission.X)``, which is checked before anything else of the request."""

    openapi_type = "http"
    openapi_scheme = "bearer"

    def __init__(self, permission: Permission) -> None:
        self.permission = permission
        super().__init__()

    def __call__(self, request: HttpRequest) -> ApiToken:
        """Return the token and set ``request.user``. Raises AuthenticationError, PermissionDenied."""
        token: ApiToken | None = request.api_token  # type: ignore[attr-defined]  # by ApiMiddleware
        if token is None:
            raise AuthenticationError
        check_permission(token.user, self.permission)
        request.user = token.user
        bind_contextvars(user_id=token.user_id, token_id=token.pk)
        return token


class TokenOrProof:
    """A token, or without one the Activation ID in the body as the bearer's proof (L2). A wrong token is refused."""

    def __init__(self, permission: Permission, reason: str) -> None:
        self.permission, self.public_reason = permission, reason

    def __call__(self, request: HttpRequest) -> ApiToken | bool:
        """Return the token, or True for a bearer. Raises AuthenticationError, PermissionDenied."""
        return Token(self.permission)(request) if HEADER in request.headers else True


def nobody(reason: str) -> Callable[[HttpRequest], bool]:
    """Return the stamp ``auth=nobody("why")`` of an operation that needs no token."""

    def let_in(request: HttpRequest) -> bool:
        return True

    let_in.public_reason = reason  # type: ignore[attr-defined]
    return let_in


def unstamped(request: HttpRequest) -> bool:
    """Refuse everybody, for operations without a stamp."""
    raise AuthenticationError
