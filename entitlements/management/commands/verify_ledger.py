"""``manage.py verify_ledger``: recompute every balance from the movements, and the tree that seals them (E11)."""

from argparse import FileType
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from entitlements.ledger.head_repair import set_unsigned_heads_aside
from entitlements.ledger.key_verification import key_findings
from entitlements.ledger.repair import CannotRepairError, repair_ledger
from entitlements.ledger.return_verification import return_findings
from entitlements.ledger.sealing.anchors import KeptHead, kept_head
from entitlements.ledger.sealing.seal import sealing_lag
from entitlements.ledger.sealing.time_stamps import TimeStampError, stamped_at
from entitlements.ledger.sealing.verification import seal_findings
from entitlements.ledger.verification import differences, differences_on_devices

FAULTS_SHOWN = 20  # the first one matters; some more show the extent


class Command(BaseCommand):
    """Names the first entries that differ; ends with an error if there are any."""

    help = "Recomputes balances, hash tree and signatures from the movements, and names what does not fit."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--repair",
            action="store_true",
            help="First set aside heads that nobody signed, and put right every balance that does not follow from the"
            " movements, in one transaction while nobody moves copies, and say what stood there. On PostgreSQL it needs"
            " DATABASE_OWNER_URL.",
        )

        parser.add_argument(
            "--head",
            action="append",
            default=[],
            type=FileType("rb"),
            help="A head that was kept elsewhere (a file of LEDGER_HEAD_DIRECTORY, from a mail, or the certificate.json"
            " of any certificate): the ledger must still begin with its tree. May be given several times.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one line for each entry, balances first."""
        kept = [self._kept(file) for file in options["head"]]
        if options["repair"]:
            self._repair(kept)
        findings = list(
            map(
                str,
                islice(
                    chain(
                        differences(),
                        differences_on_devices(),
                        return_findings(),
                        seal_findings(kept),
                        key_findings(),
                    ),
                    FAULTS_SHOWN,
                ),
            )
        )
        for finding in findings:
            self.stderr.write(finding)
        if findings:
            raise CommandError(
                f"The ledger does not verify. The first entry that does not fit: {findings[0]}"
            )
        self.stdout.write("The ledger verifies: balances, tree and signatures follow from the movements.")
        if waiting := sealing_lag().count:
            self.stdout.write(f"Not sealed yet: {waiting}.")

    def _kept(self, file: BinaryIO) -> KeptHead:
        with file:
            content = file.read()
        try:
            kept = kept_head(content)
            if (stamp := Path(file.name).with_suffix(".tsr")).exists():
                moment = stamped_at(stamp.read_bytes(), content)
                self.stdout.write(
                    f"The head at {kept.size} was there on {moment:%Y-%m-%d %H:%M} UTC ({stamp.name})."
                )
        except (ValidationError, TimeStampError) as error:
            raise CommandError(f"{file.name}: {error}") from error
        return kept

    def _repair(self, kept: list[KeptHead]) -> None:
        try:
            if set_aside := set_unsigned_heads_aside(kept):
                self.stdout.write(f"Set aside {set_aside}. The audit trail keeps what they said.")
            repair = repair_ledger()
        except CannotRepairError as error:
            raise CommandError(str(error)) from error
        for sentence in repair.repaired:
            self.stdout.write(f"Repaired {sentence}.")
        if repair.queued:
            self.stdout.write(f"Queued to be sealed: {repair.queued} movements.")
        if repair.records:
            self.stdout.write(f"Queued to be sealed: {repair.records} records.")
        if not (repair.repaired or repair.left or repair.queued or repair.records):
            self.stdout.write("Nothing to repair.")
        for sentence in repair.left:
            self.stderr.write(f"Not repaired: {sentence}")
