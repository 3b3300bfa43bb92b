"""What the commands about mails share: filters of failed mails, and masked addresses."""

from argparse import ArgumentParser
from datetime import datetime, time
from typing import Any

from django.core.management.base import CommandError
from django.db.models import QuerySet
from django.utils.dateparse import parse_date
from django.utils.timezone import make_aware

from notifications.models import Mail, Status
from notifications.registry import is_known, kinds


def add_filters(parser: ArgumentParser) -> None:
    """Add the options --kind and --since."""
    known = ", ".join(kind for kind, _label in kinds())
    parser.add_argument("--kind", help=f"only mails of this kind: {known}")
    parser.add_argument("--since", metavar="YYYY-MM-DD", help="only mails written on this day or later")


def failed_mails(options: dict[str, Any]) -> QuerySet[Mail]:
    """Return the failed mails that the options ask for, the oldest first.

    Raises CommandError.
    """
    mails = Mail.objects.filter(status=Status.FAILED).order_by("pk")
    if kind := options["kind"]:
        if not is_known(kind):
            raise CommandError(f"No mails are of the kind {kind!r}. See --help.")
        mails = mails.filter(kind=kind)
    if options["since"]:
        mails = mails.filter(created_at__gte=_start_of(options["since"]))
    return mails


def _start_of(text: str) -> datetime:
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None:
        raise CommandError(f"{text!r} is no day. Write it as 2026-11-29.")
    return make_aware(datetime.combine(day, time.min))


def masked_address(address: str) -> str:
    """Return the first character and the domain of an address, by which its owner can be found."""
    name, _at, domain = address.rpartition("@")
    return f"{name[:1]}…@{domain}"
