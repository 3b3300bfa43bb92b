"""What each role may do, in one table, and the stamp of every view (U3)."""

from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase

from mxportal.shared.stamps import View as View
from mxportal.shared.stamps import public as public

if TYPE_CHECKING:
    from accounts.models import User


class Permission(StrEnum):
    """Everything that a role may be allowed to do; MOBOTIX's own are at the end."""

    VIEW = "view"
    EDIT_PROFILE = "edit_profile"
    MANAGE_USERS = "manage_users"
    CREATE_ACCOUNTS = "create_accounts"
    SPLIT = "split"
    SEND_MAIL = "send_mail"
    UNDO_SPLIT = "undo_split"
    ACTIVATE = "activate"
    REPLACE_IDS = "replace_ids"
    MANAGE_TOKENS = "manage_tokens"
    MANAGE_PRODUCTS = "manage_products"
    CREATE_ENTITLEMENTS = "create_entitlements"
    CHANGE_STATES = "change_states"
    CORRECT_QUANTITIES = "correct_quantities"
    TRANSFER_ACCOUNTS = "move_accounts"
    READ_MOBOTIX_HELP = "read_mobotix_help"


PORTAL_USER_PERMISSIONS = frozenset({Permission.VIEW, Permission.EDIT_PROFILE})
PORTAL_ADMIN_PERMISSIONS = PORTAL_USER_PERMISSIONS | {
    Permission.MANAGE_USERS,
    Permission.CREATE_ACCOUNTS,
    Permission.SPLIT,
    Permission.SEND_MAIL,
    Permission.UNDO_SPLIT,
    Permission.ACTIVATE,
    Permission.REPLACE_IDS,
    Permission.MANAGE_TOKENS,
}
MOBOTIX_USER_PERMISSIONS = PORTAL_USER_PERMISSIONS | {Permission.READ_MOBOTIX_HELP}
MOBOTIX_ADMIN_PERMISSIONS = (
    PORTAL_ADMIN_PERMISSIONS
    | MOBOTIX_USER_PERMISSIONS
    | {
        Permission.MANAGE_PRODUCTS,
        Permission.CREATE_ENTITLEMENTS,
        Permission.CHANGE_STATES,
        Permission.CORRECT_QUANTITIES,
        Permission.TRANSFER_ACCOUNTS,
    }
)


def check_permission(actor: "User", permission: Permission) -> None:
    """Raise PermissionDenied (403) if the actor's role lacks the permission; services check it again."""
    if not actor.may(permission):
        raise PermissionDenied


def requires(permission: Permission) -> Callable[[View], View]:
    """Stamp a view with the permission that it needs. LoginRequiredMiddleware lets no anonymous visitor get here."""

    def stamp(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            check_permission(request.user, permission)  # type: ignore[arg-type]
            return view(request, *args, **kwargs)

        checked.permission = permission  # type: ignore[attr-defined]
        checked.login_required = True  # type: ignore[attr-defined]  # allauth's views say False of themselves
        return checked

    return stamp
