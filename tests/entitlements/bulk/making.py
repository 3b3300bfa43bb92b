"""Short ways to many buyers and the lines that name them."""

import itertools
import secrets
from typing import Any

from django.utils import timezone

from accounts.models import Account, RelationStatus, SellingRelation, Tier, User
from entitlements.bulk.services.lines import BulkLine
from entitlements.bulk.services.requests import carry_out, start_bulk_split, undo_bulk_split
from entitlements.bulk.services.split import bulk_split
from entitlements.models import BulkSplit, LineItem, Origin
from entitlements.orders.services.transfer import transfer_account
from mxportal.shared.forms import new_key
from tests.factories import Cast, issue_item, make_account, make_contact, split_item

# begun by chance: another process may have made buyers in the same database
_numbers = itertools.count(secrets.randbelow(10**9))


def line_for(contact: User, amount: Any = 1, **fields: Any) -> BulkLine:
    """A line that brings the contact's account so many copies."""
    return BulkLine(account_id=contact.account.account_id, email=contact.email, amount=str(amount), **fields)


def split_bulk(actor: User, sources: list[LineItem], lines: list[BulkLine], **options: Any) -> BulkSplit:
    """A bulk split by the service itself."""
    options = {"key": new_key(), "send_mail": False} | options
    return bulk_split(actor=actor, item_ids=[source.pk for source in sources], lines=lines, **options)


def start(cast: Cast, item: LineItem, *lines: BulkLine, **options: Any) -> BulkSplit:
    """Lines of the distributor's, kept and checked."""
    options = {"key": new_key(), "origin": Origin.TABLE} | options
    return start_bulk_split(actor=cast.distributor, item_ids=[item.pk], lines=lines, **options)


def go(cast: Cast, bulk: BulkSplit, **options: Any) -> BulkSplit:
    """ "Split all"."""
    options = {"key": new_key(), "seen": bulk.version, "send_mail": True} | options
    return carry_out(actor=cast.distributor, bulk_id=bulk.pk, **options)


def undo(actor: User, bulk: BulkSplit, **options: Any) -> BulkSplit:
    """ "Undo all"."""
    return undo_bulk_split(actor=actor, bulk_id=bulk.pk, **{"key": new_key()} | options)


def sell_and_move(cast: Cast) -> tuple[BulkSplit, LineItem, LineItem]:
    """A bulk split of the installer to two end customers, one of whom MOBOTIX has moved away: with the item of each."""
    kept = make_contact(
        make_account(Tier.END_CUSTOMER, "Town Library", sellers=(cast.installer.account,)), "Lars"
    )
    source = split_item(cast.distributor, issue_item(cast), cast.installer.account)
    bulk = split_bulk(cast.installer, [source], [line_for(kept), line_for(cast.customer_contact)])
    transfer_account(
        actor=cast.mobotix,
        account_id=cast.customer.pk,
        former_id=cast.installer.account_id,
        seller_id=cast.other_installer.account_id,
        key=new_key(),
        reason="Out of business",
    )
    stays, moved = bulk.items.order_by("pk")
    return bulk, stays, moved


def make_buyers(seller: Account, count: int, tier: Tier = Tier.INSTALLER) -> list[User]:
    """So many buyers with a contact each, in a few statements."""
    accounts = Account.objects.bulk_create(
        Account(tier=tier, name=f"Buyer {number}", account_id=f"BUYER-{number}", country="DE")
        for number in itertools.islice(_numbers, count)
    )
    SellingRelation.objects.bulk_create(
        SellingRelation(
            seller=seller, buyer=account, status=RelationStatus.ACCEPTED, decided_at=timezone.now()
        )
        for account in accounts
    )
    return User.objects.bulk_create(
        User(
            account=account,
            first_name="Chris",
            last_name=f"Person{number}",
            email=f"contact@{account.account_id.lower()}.example",
            password="!",
        )
        for number, account in enumerate(accounts)
    )
