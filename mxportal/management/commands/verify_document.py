"""``manage.py verify_document FILE``: L7."""

from argparse import ArgumentParser, FileType
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from entitlements.services.document_verification import verify_document


class Command(BaseCommand):
    """Says what holds of a certificate and what does not; ends with an error where something does not."""

    help = (
        "Checks a certificate (PDF, or the JSON attached to it): signatures, and its movements in the ledger."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which file."""
        parser.add_argument("file", type=FileType("rb"))

    def handle(self, *args: Any, **options: Any) -> None:
        """One line for each statement."""
        with options["file"] as file:
            content = file.read()
        try:
            checks = verify_document(content)
        except ValidationError as error:
            raise CommandError(error.message) from error
        for check in checks:
            self.stdout.write(f"{'holds' if check.holds else 'DOES NOT HOLD'}: {check.sentence}.")
        if not all(check.holds for check in checks):
            raise CommandError("Not everything holds.")
