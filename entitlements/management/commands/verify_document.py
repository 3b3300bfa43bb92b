"""``manage.py verify_document FILE``: check a certificate or a license file (L7)."""

import getpass
import sys
from argparse import ArgumentParser, FileType
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from entitlements.certificates.services.documents import is_license, license_text, verify_document
from entitlements.certificates.services.license_checks import inside_checks, read_license
from entitlements.ledger.findings import Check, Kind, Verdict


class Command(BaseCommand):
    """Prints what is true of a certificate or license file and what is not.

    Ends with an error if it is not genuine, or no valid license.
    """

    help = (
        "Checks a certificate (PDF, or the JSON attached to it): signatures, and its movements in the ledger; "
        "or a license file: signature, and whether it is valid. With --host-id it asks for the Activation ID "
        "(or reads it from standard input) and shows what is in the license file."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the file. The Activation ID is a secret, which command lines must not have."""
        parser.add_argument("file", type=FileType("rb"))
        parser.add_argument(
            "--host-id", default="", help="decrypt a license file that was made for this device"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one line for each check."""
        with options["file"] as file:
            content = file.read()
        try:
            document = verify_document(content)
            inside = self._read(content, options["host_id"]) if options["host_id"] else []
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        for check in [*document.checks, *inside]:
            self.stdout.write(f"{self._word(check)}: {check.sentence}.")
        bad = document.verdict == Verdict.BAD or not all(check.holds for check in inside)
        if bad or (document.kind == Kind.LICENSE and document.verdict != Verdict.GOOD):
            raise CommandError("Not everything holds.")

    def _word(self, check: Check) -> str:
        if check.of_today:
            return "today" if check.holds else "CHANGED"
        return "holds" if check.holds else "DOES NOT HOLD"

    def _read(self, content: bytes, host_id: str) -> list[Check]:
        if not is_license(content):
            raise CommandError("--host-id is for license files only.")
        typed = getpass.getpass("Activation ID: ") if sys.stdin.isatty() else sys.stdin.readline()
        text = license_text(content)
        document = read_license(text, activation_id=typed.strip(), host_id=host_id)
        self._show(document)
        return list(inside_checks(text, document))

    def _show(self, document: dict[str, Any]) -> None:
        license, machine = document["included"][0], document["data"]["attributes"]
        about = license["attributes"]
        self.stdout.write(
            f"license {license['id']}: {about['copies']} × {about['name']} ({about['partNumber']})"
        )
        self.stdout.write(f"device {machine['fingerprint']} {machine['name']}".rstrip())
        self.stdout.write(f"from {about['starts']} to {about['expiry'] or 'permanent'}")
