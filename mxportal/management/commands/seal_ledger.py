"""``manage.py seal_ledger``: what beat does every minute, now."""

from typing import Any

from django.core.management.base import BaseCommand

from entitlements.services.sealing import seal_ledger


class Command(BaseCommand):
    """Seals all movements that wait."""

    help = "Gives every movement that waits its place in the hash tree and signs the head."

    def handle(self, *args: Any, **options: Any) -> None:
        """Seal and say how many."""
        self.stdout.write(f"Movements sealed: {seal_ledger()}.")
