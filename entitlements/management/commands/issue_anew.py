"""``manage.py issue_anew``: L6, after mark_key_compromised."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from entitlements.ledger.sealing.record_sealing import seal_records
from entitlements.ledger.sealing.seal import seal_ledger
from entitlements.orders.services.key_compromise import reissue_licenses


class Command(BaseCommand):
    """Signs anew what compromised keys have signed."""

    help = (
        "Gives out a new license file, signed by the present key, for every valid one that a compromised key signed, "
        "and signs a new head over the ledger. The old files are listed in the revocations. Certificates need nothing: "
        "each is signed when it is asked for. Can be stopped and called again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Who is told."""
        parser.add_argument(
            "--send-mails",
            action="store_true",
            help="mail certificate and license files of each line item to its contact, once for each license",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it and count."""
        count = sum(1 for _license in reissue_licenses(send_mails=options["send_mails"]))
        seal_ledger()
        seal_records()  # the mark itself is a record, so that there is a new head in any case
        self.stdout.write(f"License files issued anew: {count}.")
