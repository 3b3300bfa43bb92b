"""Create and change accounts (A2–A6)."""

from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import (
    Account,
    AccountStatus,
    AuditEntry,
    Operation,
    RelationStatus,
    SellingRelation,
    Tier,
    User,
)
from accounts.models.account import propose_account_id
from accounts.permissions import Permission, check_permission
from accounts.services.relations import tell_of_namesakes
from accounts.services.users import add_person, user_id_race
from mxportal.shared.fields import fold
from mxportal.shared.refusals import refusal

NAME_KEY_LENGTH = 400
Precondition = Callable[[Account], None]  # gets the locked row; an exception of it ends the change
EDITABLE_FIELDS = (
    "name",
    "description",
    "visible_to_partners",
    "street",
    "street2",
    "postal_code",
    "city",
    "region",
    "country",
    "phone",
    "fax",
    "website",
)


def create_account(
    *, actor: User, tier: Tier, key: str, person: Mapping[str, Any] | None = None, **fields: Any
) -> Account:
    """Create an account of a lower tier; the actor's account becomes its seller (A2).

    ``fields`` are ``account_id`` and EDITABLE_FIELDS; ``person`` has the fields of its first user or contact, who is
    created with it. Raises ValidationError at ``account_id`` (in use; the message proposes a free one), at ``name``
    (another buyer of the same seller has it), and like ``create_user``.
    """
    try:
        with user_id_race():
            return _create_account(actor=actor, tier=tier, key=key, fields=fields, person=person)
    except IntegrityError as error:
        if "account_id_unique_without_case" not in str(error) and "account_id" not in str(error):
            raise
        raise account_id_taken() from error


def account_id_taken() -> ValidationError:
    """Return the error at an Account ID in use, which proposes a free one and does not say who has it (A3)."""
    message = _("This Account ID cannot be used. Use a free one, for example: %(proposal)s")
    return refusal("account-id-used", {"account_id": message % {"proposal": propose_account_id()}})


@transaction.atomic(durable=True)
def _create_account(
    *, actor: User, tier: Tier, key: str, fields: dict[str, Any], person: Mapping[str, Any] | None = None
) -> Account:
    check_permission(actor, Permission.CREATE_ACCOUNTS)
    if tier not in actor.account.lower_tiers():
        raise PermissionDenied
    seller = Account.objects.for_update().get(pk=actor.account_id)
    request = {"tier": tier, **fields, **({"person": dict(person)} if person else {})}
    once = Operation.once(actor, key, "create_account", request)
    if once.result:
        return Account.objects.get(pk=once.result)
    if Account.objects.filter(account_id__iexact=fields.get("account_id", "")).exists():
        raise account_id_taken()
    _check_name(fields["name"], seller)
    account = Account.objects.create(tier=tier, **fields)
    SellingRelation.objects.create(
        seller=seller,
        buyer=account,
        status=RelationStatus.ACCEPTED,
        requested_by=actor,
        decided_by=actor,
        decided_at=timezone.now(),
    )
    AuditEntry.objects.record(actor=actor, action="account_created", about=account)
    if person:
        check_permission(actor, Permission.MANAGE_USERS)
        add_person(actor, account, person)
    once.keep(account)
    return account


def _check_name(name: str, seller: Account | None, except_for: Account | None = None) -> None:
    """Check that the seller, whose row is locked against simultaneous ones, has no other buyer of this name (A3)."""
    if len(fold(name)) > NAME_KEY_LENGTH:  # folding case makes some letters three
        raise name_too_long()
    if seller and SellingRelation.objects.buyers_named(seller, fold(name)).exclude(buyer=except_for).exists():
        raise name_in_use()


def name_in_use() -> ValidationError:
    """Return the error at a name that another buyer of the same seller has (A3)."""
    message = _(
        "You already sell to an account with this name. Use that account, or add the city to the name."
    )
    return refusal("name-used", {"name": message})


def name_too_long() -> ValidationError:
    """Return the error at a name longer than the column in which names are compared."""
    return refusal("name-too-long", {"name": _("This name is too long. Please shorten it.")})


@transaction.atomic(durable=True)
def update_account(
    *, actor: User, account_id: int, precondition: Precondition | None = None, **fields: Any
) -> Account:
    """Change an account that the actor's account manages. Tier and Account ID are fixed (A3).

    A seller cannot give two of its buyers one name. An account that renames itself is not refused, because a refusal
    would tell whom its sellers sell to; the sellers are told instead.

    Raises Account.DoesNotExist if another account manages it, and ValidationError at ``name``.
    """
    check_permission(actor, Permission.MANAGE_USERS)
    sellers = Account.objects.filter(
        buyer_relations__buyer=account_id, buyer_relations__status=RelationStatus.ACCEPTED
    )
    locked_sellers = list(sellers.order_by("pk").for_update())
    account = Account.objects.managed_by(actor).for_update().get(pk=account_id)
    if precondition:
        precondition(account)
    is_renamed = fold(fields.get("name", account.name)) != account.name_key
    if is_renamed:
        own = next((seller for seller in locked_sellers if seller == actor.account), None)
        _check_name(fields["name"], own, except_for=account)
    changes = {
        name: str(fields[name])
        for name in EDITABLE_FIELDS
        if name in fields and getattr(account, name) != fields[name]
    }
    for name in changes:
        setattr(account, name, fields[name])
    account.save()
    AuditEntry.objects.record(actor=actor, action="account_changed", about=account, **changes)
    if is_renamed:
        tell_of_namesakes(account, locked_sellers)
    return account


@transaction.atomic(durable=True)
def set_account_status(
    *, actor: User, account_id: int, status: AccountStatus, precondition: Precondition | None = None
) -> Account:
    """Set an account active or inactive, for MOBOTIX, or for the seller of an account that it still manages (A5).

    Nobody can do it to their own account, because they could not undo it. Raises Account.DoesNotExist.
    """
    check_permission(actor, Permission.CREATE_ACCOUNTS)
    managed = Account.objects.managed_by(actor).exclude(pk=actor.account_id).exclude(tier=Tier.MOBOTIX)
    account = managed.for_update().get(pk=account_id)
    if precondition:
        precondition(account)
    account.status = status
    account.save()
    AuditEntry.objects.record(actor=actor, action=f"account_{status}", about=account)
    return account
