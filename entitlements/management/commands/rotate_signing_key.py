"""``manage.py rotate_signing_key``: make a new signing key (L6)."""

from typing import Any

from django.core.management.base import BaseCommand

from entitlements.ledger.signing import rotate_signing_key
from entitlements.management.keys import as_owner_of_keys


class Command(BaseCommand):
    """Makes a new signing key; the old one's public half stays published."""

    help = (
        "Makes a new signing key. The old one signs no more; what it has signed stays verifiable. "
        "Needs DATABASE_OWNER_URL where the portal has one."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Rotate the key and print the new one's ID."""
        with as_owner_of_keys():
            key = rotate_signing_key()
        self.stdout.write(f"New signatures are made with the key {key.key_id}.")
