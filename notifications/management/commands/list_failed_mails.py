"""``manage.py list_failed_mails`` lists the mails that failed, and why (N2)."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from notifications.management.mails import add_filters, failed_mails, masked_address

COLUMNS = "ID\tWRITTEN\tKIND\tTO\tATTEMPTS\tREASON"


class Command(BaseCommand):
    """Lists failed mails (N2)."""

    help = (
        "Lists the e-mails that were given up: ID, day and time, kind, recipient, attempts and reason, a line each, "
        "with tabs between. Addresses are masked unless --addresses is given; what a mail says is never shown. "
        "`send_mails_again` sends them again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the filters, and the option to show whole addresses."""
        add_filters(parser)
        parser.add_argument(
            "--addresses", action="store_true", help="show whole addresses and servers' replies"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the list, oldest first."""
        self.stdout.write(COLUMNS)
        for mail in failed_mails(options).iterator(chunk_size=1000):
            whole = options["addresses"]
            to = mail.recipient_email if whole else masked_address(mail.recipient_email)
            reason = mail.last_error if whole else mail.failure  # a server's reply often names the address
            cells = [mail.pk, f"{mail.created_at:%Y-%m-%d %H:%M}", mail.kind, to, mail.attempts, reason]
            self.stdout.write("\t".join(map(str, cells)))
