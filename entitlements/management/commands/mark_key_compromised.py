"""``manage.py mark_key_compromised KEY_ID``: mark a signing key as compromised (L6)."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from entitlements.management.keys import as_owner_of_keys
from entitlements.orders.services.key_compromise import mark_compromised


class Command(BaseCommand):
    """Marks a signing key that somebody else may have."""

    help = (
        "Marks a signing key as compromised; the one that signs now is replaced first. The public keys, /verify/ and "
        "verify_document say so from then on. Afterwards run issue_anew. Needs DATABASE_OWNER_URL where the portal has "
        "one."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the key, and what happened."""
        parser.add_argument("key_id", help="its ID, as /.well-known/jwks.json has it (kid)")
        parser.add_argument("--reason", default="", help="for the audit trail")

    def handle(self, *args: Any, **options: Any) -> None:
        """Mark the key and print the next steps."""
        try:
            with as_owner_of_keys():
                key = mark_compromised(key_id=options["key_id"], reason=options["reason"])
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(
            f"The key {key.key_id} is marked as compromised since {key.compromised_at:%Y-%m-%d %H:%M} UTC."
        )
        self.stdout.write("What it signed proves nothing any more. Run manage.py issue_anew.")
