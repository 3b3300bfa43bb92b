"""``manage.py maintenance on|off|state``: stop all work with the portal while an operator changes it (O3)."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from mxportal import maintenance
from mxportal.models import Maintenance


class Command(BaseCommand):
    """Begins and ends maintenance, for all processes on all machines."""

    help = (
        "on: every page and every request to the API answers 503 with Retry-After, in English and German, keeping "
        "what somebody typed; tasks (mails, bulk splits, sealing, notices) rest, and nothing is written. Probes are "
        "answered. The command returns when every process knows. It works while migrate runs. off: everything goes "
        "on, and the next sweep takes up what rested. state: says which it is."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what to do, and what people read."""
        parser.add_argument("action", choices=["on", "off", "state"])
        parser.add_argument("--message", default="", help="shown on the page and to programs, as it is")

    def handle(self, *args: Any, action: str, message: str, **options: Any) -> None:
        """Do it and print the state."""
        if action == "on":
            maintenance.begin(message)
            time.sleep(2 * maintenance.mode.fresh)  # until every process has asked
        elif action == "off":
            maintenance.end()
        row = Maintenance.objects.first()
        self.stdout.write(
            f"Maintenance since {row.since:%Y-%m-%d %H:%M:%S %Z}." if row else "No maintenance."
        )
