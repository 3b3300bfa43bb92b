"""``manage.py rotate_signing_key``: L6."""

from typing import Any

from django.core.management.base import BaseCommand

from entitlements.services.signing import rotate_signing_key


class Command(BaseCommand):
    """Makes a new signing key; the old one's public half stays published."""

    help = "Makes a new signing key. The old one signs no more; what it has signed stays verifiable."

    def handle(self, *args: Any, **options: Any) -> None:
        """Rotate and name the new key."""
        self.stdout.write(f"New signatures are made with the key {rotate_signing_key().key_id}.")
