"""Users and contacts of accounts (U1–U5)."""

from typing import Any, Literal

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils.translation import gettext as _
from ninja import Query, Router, Schema

from accounts.forms.users import EditUserForm, NewUserForm
from accounts.models import Account, Role, User, UserStatus
from accounts.permissions import Permission
from accounts.services.users import check_login_allowed, create_user, update_user
from entitlements.api.answers import once
from entitlements.api.auth import Token, TokenRequest
from entitlements.api.etags import etag, tagged, unchanged
from entitlements.api.parties import find_account
from entitlements.api.shapes import (
    AccountId,
    Email,
    IdempotencyKey,
    In,
    Page,
    PageQuery,
    Text40,
    Text100,
    checked,
    location,
    page_of,
)
from mxportal.shared.refusals import refusal

router = Router(tags=["Accounts"])


class PersonOut(Schema):
    """A user who can log in, or a contact (U1)."""

    id: int
    first_name: str
    last_name: str
    email: str
    phone: str
    language: str
    can_log_in: bool
    status: UserStatus


class PersonIn(In):
    """A contact."""

    first_name: Text100
    last_name: Text100
    email: Email
    phone: Text40 = ""
    language: Literal["en", "de"] | None = None
    expiring_email: bool = False


class FirstPersonIn(PersonIn):
    """A contact, or with ``can_log_in`` the account's first Portal Admin, who receives credentials by e-mail (U4)."""

    can_log_in: bool = False


class PersonChange(In):
    """The fields to change; all others stay as they are."""

    first_name: Text100 | None = None
    last_name: Text100 | None = None
    email: Email | None = None
    phone: Text40 | None = None
    language: Literal["en", "de"] | None = None
    expiring_email: bool | None = None
    status: UserStatus | None = None


def person_fields(actor: User, given: PersonIn, account: Account) -> dict[str, Any]:
    """Return the service's arguments as "Create a User" makes them; the first login is the first Portal Admin (U4)."""
    values = given.model_dump()
    values.setdefault("can_log_in", False)
    check_login_allowed(
        User(account=account, can_log_in=values["can_log_in"])
    )  # the page's form has no such answer
    values["role"] = [Role.PORTAL_ADMIN] if values["can_log_in"] else []
    known = {"account": account, "actor": actor, "can_log_in": values["can_log_in"]}
    return checked(NewUserForm, values, **known)


@router.get("/accounts/{account_id}/persons", auth=Token(Permission.VIEW), response=Page[PersonOut])
def person_list(request: TokenRequest, account_id: AccountId, query: Query[PageQuery]) -> Page[Any]:
    """List the users and contacts of an account, by last name."""
    items, address = page_of(request, _persons(request, account_id), query, order=("last_name", "id"))
    return Page.model_construct(items=items, next=address)


@router.post("/accounts/{account_id}/persons", auth=Token(Permission.MANAGE_USERS), response={201: PersonOut})
def person_create(
    request: TokenRequest, account_id: AccountId, body: PersonIn, idempotency_key: IdempotencyKey
) -> HttpResponse:
    """Create a contact of an account that the token's account looks after (U4)."""

    def create() -> User:
        account = find_account(request, account_id)
        fields = person_fields(request.user, body, account)
        return create_user(actor=request.user, account_id=account.pk, key=idempotency_key, **fields)

    return once(
        request,
        idempotency_key,
        create,
        PersonOut.from_orm,
        status=201,
        headers=lambda shown: location("accounts", account_id, "persons", shown.id) | etag(shown),
    )


@router.get("/accounts/{account_id}/persons/{int:person_id}", auth=Token(Permission.VIEW), response=PersonOut)
def person_detail(
    request: TokenRequest, response: HttpResponse, account_id: AccountId, person_id: int
) -> PersonOut:
    """Get a user or a contact."""
    return tagged(response, PersonOut.from_orm(_persons(request, account_id).get(pk=person_id)))


@router.patch(
    "/accounts/{account_id}/persons/{int:person_id}", auth=Token(Permission.MANAGE_USERS), response=PersonOut
)
def person_change(
    request: TokenRequest, response: HttpResponse, account_id: AccountId, person_id: int, body: PersonChange
) -> PersonOut:
    """Change a contact, or set it inactive or active again. Sending the same values again changes nothing.

    Users who can log in are changed in the portal only, so that a stolen token never becomes a login.
    """
    person = _persons(request, account_id).get(pk=person_id)
    if person.can_log_in:
        raise refusal(
            "login-in-portal",
            _("The API changes contacts only. Users who can log in are changed in the portal."),
        )
    given = body.model_dump(exclude_unset=True)
    fields = checked(EditUserForm, given | {"confirm": True}, user=person)
    wanted = {name: fields[name] for name in given}
    changed = update_user(
        actor=request.user, user_id=person.pk, precondition=unchanged(request, PersonOut.from_orm), **wanted
    )
    return tagged(response, PersonOut.from_orm(changed))


def _persons(request: TokenRequest, account_id: str) -> QuerySet[User]:
    account = find_account(request, account_id)
    return User.objects.visible_to(request.user).filter(account=account)
