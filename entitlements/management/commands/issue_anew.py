"""``manage.py issue_anew``: issue again what compromised keys signed, after mark_key_compromised (L6)."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from entitlements.ledger.sealing.record_sealing import seal_records
from entitlements.ledger.sealing.seal import seal_ledger
from entitlements.orders.services.key_compromise import reissue_licenses


class Command(BaseCommand):
    """Signs again what compromised keys have signed."""

    help = (
        "Gives out a new license file, signed by the present key, for every valid one that a compromised key signed, "
        "and signs a new head over the ledger. The old files are listed in the revocations. Certificates need nothing: "
        "each is signed when it is asked for. Can be stopped and called again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take whether contacts get the new files."""
        parser.add_argument(
            "--send-mails",
            action="store_true",
            help="mail certificate and license files of each line item to its contact, once for each license",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Issue everything again and print how many license files."""
        count = sum(1 for _license in reissue_licenses(send_mails=options["send_mails"]))
        seal_ledger()
        seal_records()  # the mark itself is a record, so there is always a new head
        self.stdout.write(f"License files issued anew: {count}.")
