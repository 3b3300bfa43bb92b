"""``manage.py verify_ledger``: E11, recompute every balance from the movements."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from entitlements.services.ledger_verification import differences


class Command(BaseCommand):
    """Says where balances and movements differ; ends with an error where they do."""

    help = "Recomputes every line item's balances from the movements and says where the two differ."

    def handle(self, *args: Any, **options: Any) -> None:
        """One line for each difference."""
        found = 0
        for difference in differences():
            found += 1
            self.stderr.write(str(difference))
        if found:
            raise CommandError(f"The ledger does not verify: {found} line items differ from their movements.")
        self.stdout.write("The ledger verifies: every balance follows from the movements.")
