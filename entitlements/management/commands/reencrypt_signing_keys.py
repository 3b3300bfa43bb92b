"""``manage.py reencrypt_signing_keys``: the middle step of changing KEY_ENCRYPTION_KEY (L6)."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from entitlements.ledger.signing import reencrypt_signing_keys
from entitlements.management.keys import as_owner_of_keys


class Command(BaseCommand):
    """Encrypts the stored private keys with the newest KEY_ENCRYPTION_KEY."""

    help = (
        "Encrypts every stored private key with the first of KEY_ENCRYPTION_KEY. Run it once all processes have "
        "the new and the old one (KEY_ENCRYPTION_KEY=new,old); afterwards the old one can be taken away. "
        "Needs DATABASE_OWNER_URL where the portal has one."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Encrypt the keys and print how many."""
        try:
            with as_owner_of_keys():
                count = reencrypt_signing_keys()
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Private keys encrypted with the first of KEY_ENCRYPTION_KEY: {count}.")
