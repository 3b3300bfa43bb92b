"""What the restore drill runs in processes of its own: writes that go on meanwhile, and the proof afterwards.

python -m tests.drill write | refuse | split
"""

import sys

import django

if __name__ == "__main__":
    django.setup()

from django.db import DatabaseError, connection, transaction

from accounts.models import Role, SellingRelation, Tier
from entitlements.ledger.sealing.seal import seal_ledger
from entitlements.models import LineItem, Movement
from tests.factories import issue_item, make_cast, split_item

FORBIDDEN = (
    "UPDATE entitlements_lineitem SET available = available + 1, quantity = quantity + 1",
    "UPDATE entitlements_movement SET copies = copies + 1",
    "DELETE FROM entitlements_movement",
)


def write() -> None:
    """Splits one after another, sealed now and then, until somebody ends it. One line for each that is committed."""
    cast = make_cast()
    item = issue_item(cast, cast.distributor.account, quantity=1_000_000)
    while True:
        split_item(cast.distributor, item, cast.installer.account, copies=1, send_mail=True)
        count = Movement.objects.count()
        if count % 10 == 0:
            seal_ledger()
        print(count, flush=True)


def refuse() -> None:
    """E11: raw SQL that would break the ledger, one line for each that is let through."""
    for statement in FORBIDDEN:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)
        except DatabaseError:
            continue
        print(statement)


def split() -> None:
    """The numbers of movements before and after one more split."""
    item = LineItem.objects.filter(owner__tier=Tier.DISTRIBUTOR).latest("available")
    actor = item.owner.users.get(role=Role.PORTAL_ADMIN)
    print(Movement.objects.count())
    split_item(actor, item, SellingRelation.objects.filter(seller=item.owner)[0].buyer, copies=1)
    print(Movement.objects.count())


if __name__ == "__main__":
    {"write": write, "refuse": refuse, "split": split}[sys.argv[1]]()
