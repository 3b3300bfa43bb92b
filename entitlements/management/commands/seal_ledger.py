"""``manage.py seal_ledger``: seal now what beat seals every minute."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from entitlements.ledger.sealing.record_sealing import seal_records
from entitlements.ledger.sealing.seal import seal_ledger
from entitlements.ledger.sealing.tree import SealingStoppedError


class Command(BaseCommand):
    """Seals all movements that wait."""

    help = (
        "Gives every movement that waits its place in the hash tree, and the records of line items, licenses and the "
        "audit trail, and signs the head. Ends with an error where the tree does not end in a head that the portal "
        "signed."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Seal, and print how many."""
        try:
            movements, records = seal_ledger(), seal_records()
        except SealingStoppedError as error:
            raise CommandError(
                f"Sealing stopped: {error}. Run verify_ledger. Where it names only a head that nobody signed and what"
                " lies under it, verify_ledger --repair, as the tables' owner, sets it aside: docs/sealed-ledger.md."
            ) from error
        self.stdout.write(f"Movements sealed: {movements}. Records sealed: {records}.")
