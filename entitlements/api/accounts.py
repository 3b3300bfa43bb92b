"""Accounts that the token's account sells to (A2–A4)."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Annotated, Any

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from ninja import Query, Router, Schema
from pydantic import Field, StringConstraints

from accounts.forms.accounts import EditAccountForm, NewAccountForm
from accounts.models import Account, AccountStatus, Tier, User
from accounts.permissions import Permission
from accounts.services.accounts import create_account, set_account_status, update_account
from entitlements.api.answers import once
from entitlements.api.auth import Token, TokenRequest
from entitlements.api.etags import etag, tagged, unchanged
from entitlements.api.parties import find_account
from entitlements.api.persons import FirstPersonIn, PersonIn, person_fields
from entitlements.api.shapes import (
    AccountId,
    IdempotencyKey,
    In,
    Page,
    PageQuery,
    Text20,
    Text40,
    Text100,
    Text200,
    Text500,
    checked,
    location,
    page_of,
)
from mxportal.shared.refusals import refusal

router = Router(tags=["Accounts"])
Country = Annotated[str, StringConstraints(pattern="^[A-Za-z]{2}$")]


class AccountOut(Schema):
    """An account and its details (A3)."""

    account_id: str
    name: str
    description: str
    tier: Tier
    status: AccountStatus
    visible_to_partners: bool
    street: str
    street2: str
    postal_code: str
    city: str
    region: str
    country: Annotated[str, Field(description="ISO 3166, two letters, or empty")]
    phone: str
    fax: str
    website: str

    @staticmethod
    def resolve_country(account: Account) -> str:
        """Return the country's code."""
        return str(account.country)


class AccountFields(In):
    """The fields that can be changed."""

    description: Text500 | None = None
    visible_to_partners: bool | None = None
    street: Text200 | None = None
    street2: Text200 | None = None
    postal_code: Text20 | None = None
    city: Text100 | None = None
    region: Text100 | None = None
    country: Country | None = None
    phone: Text40 | None = None
    fax: Text40 | None = None
    website: Text200 | None = None


class AccountIn(AccountFields):
    """An account of a lower tier (A2).

    Without an Account ID, the portal assigns one. ``person`` is created together with the account, or neither is.
    """

    name: Text200
    tier: Tier
    account_id: AccountId | None = None
    person: FirstPersonIn | None = None


class AccountChange(AccountFields):
    """The fields to change; all others stay as they are."""

    name: Text200 | None = None


class StatusIn(In):
    """Active or inactive (A5)."""

    status: AccountStatus


class AccountQuery(PageQuery):
    """The filters of the list of accounts."""

    q: Text200 = ""
    tier: Tier | None = None
    status: AccountStatus | None = None


@router.get("/accounts", auth=Token(Permission.VIEW), response=Page[AccountOut])
def account_list(request: TokenRequest, query: Query[AccountQuery]) -> Page[Any]:
    """List the accounts that the token's account sells to, by name. ``q`` searches names and Account IDs."""
    accounts = Account.objects.related_to(request.user)
    if query.q:
        accounts = accounts.named_like(query.q)
    chosen = {name: value for name in ("tier", "status") if (value := getattr(query, name))}
    items, address = page_of(request, accounts.filter(**chosen), query, order=("name_key", "id"))
    return Page.model_construct(items=items, next=address)


@router.post("/accounts", auth=Token(Permission.CREATE_ACCOUNTS), response={201: AccountOut})
def account_create(request: TokenRequest, body: AccountIn, idempotency_key: IdempotencyKey) -> HttpResponse:
    """Create a customer or partner account with its first person. The token's account becomes its seller."""
    create = partial(_create_account, request.user, body, idempotency_key)
    return once(
        request,
        idempotency_key,
        create,
        AccountOut.from_orm,
        status=201,
        headers=lambda shown: location("accounts", shown.account_id) | etag(shown),
    )


def _create_account(actor: User, body: AccountIn, key: str) -> Account:
    given = body.model_dump(exclude={"person"})
    tiers = actor.account.lower_tiers()
    if body.tier not in tiers:
        raise refusal("wrong-tier", {"tier": [f"{', '.join(tiers)}?"]})
    fields = checked(NewAccountForm, given, actor=actor, tiers=tiers)
    fields["tier"] = body.tier
    person = _person(actor, body.person, Account(tier=body.tier, country=fields["country"]))
    if body.account_id is None:
        fields.pop("account_id")  # proposed by the form, and no part of the request
    with _below_person():
        return create_account(actor=actor, key=key, person=person, **fields)


def _person(actor: User, given: FirstPersonIn | None, account: Account) -> dict[str, Any] | None:
    if given is None:
        return None
    with _below_person():
        return person_fields(actor, given, account)


@contextmanager
def _below_person() -> Iterator[None]:
    """Put the errors of the first person below the field ``person``."""
    try:
        yield
    except ValidationError as error:
        if not hasattr(error, "error_dict"):
            raise
        names = {*PersonIn.model_fields, "can_log_in"} - {*AccountIn.model_fields, "phone"}
        raise ValidationError(
            {f"person.{name}" if name in names else name: found for name, found in error.error_dict.items()}
        ) from error


@router.get("/accounts/{account_id}", auth=Token(Permission.VIEW), response=AccountOut)
def account_detail(request: TokenRequest, response: HttpResponse, account_id: AccountId) -> AccountOut:
    """Get an account that the token may see (A4)."""
    return tagged(response, AccountOut.from_orm(find_account(request, account_id)))


@router.patch("/accounts/{account_id}", auth=Token(Permission.MANAGE_USERS), response=AccountOut)
def account_change(
    request: TokenRequest, response: HttpResponse, account_id: AccountId, body: AccountChange
) -> AccountOut:
    """Change an account; its tier and Account ID are fixed. Sending the same values again changes nothing."""
    account = find_account(request, account_id)
    given = body.model_dump(exclude_unset=True)
    fields = checked(EditAccountForm, given, account=account)
    wanted = {name: value for name, value in fields.items() if name in given}
    check = unchanged(request, AccountOut.from_orm)
    changed = update_account(actor=request.user, account_id=account.pk, precondition=check, **wanted)
    return tagged(response, AccountOut.from_orm(changed))


@router.put("/accounts/{account_id}/status", auth=Token(Permission.CREATE_ACCOUNTS), response=AccountOut)
def account_status(
    request: TokenRequest, response: HttpResponse, account_id: AccountId, body: StatusIn
) -> AccountOut:
    """Set an account active or inactive.

    The users of an inactive account cannot log in, and nothing can be split to it (A5).
    """
    account = find_account(request, account_id)
    check = unchanged(request, AccountOut.from_orm)
    changed = set_account_status(
        actor=request.user, account_id=account.pk, status=body.status, precondition=check
    )
    return tagged(response, AccountOut.from_orm(changed))
