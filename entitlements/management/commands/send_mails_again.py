"""``manage.py send_mails_again``: send failed mails once more, after the cause was corrected (N2, N8)."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from entitlements.mailing.services.resending import MAX_SENT_AGAIN, send_failed_again
from notifications.management.mails import add_filters, failed_mails


class Command(BaseCommand):
    """Sends failed mails again."""

    help = (
        "Sends e-mails again that were given up: those with the given IDs, or all that --kind and --since leave, or "
        "all with --all. Each goes to the address that its person has now. `list_failed_mails` shows them first. "
        "The worker delivers them; mails that do not wait any more are left alone, so the command can be repeated."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the mails, by ID, filter or all: nothing is sent by accident."""
        parser.add_argument("id", nargs="*", type=int, help="of mails, as list_failed_mails shows them")
        parser.add_argument("--all", action="store_true", help="all failed mails")
        add_filters(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Send the mails and print how many."""
        if not (options["id"] or options["all"] or options["kind"] or options["since"]):
            raise CommandError("Say which: IDs, --kind, --since or --all.")
        mails = failed_mails(options)
        if options["id"]:
            mails = mails.filter(pk__in=options["id"])
        pks = list(mails.values_list("pk", flat=True))
        count = sum(
            send_failed_again(pks[n : n + MAX_SENT_AGAIN]) for n in range(0, len(pks), MAX_SENT_AGAIN)
        )
        self.stdout.write(f"E-mails on their way again: {count}.")
