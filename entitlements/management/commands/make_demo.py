"""``manage.py make_demo``: make the demo chain of ``make run``."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from entitlements.management.demo import logins, make_demo


class Command(BaseCommand):
    """Makes the demo chain if the portal is empty, and prints its logins."""

    help = "Makes the demo company chain in an empty portal and prints its logins (DEMO=1 only)."

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the demo. Refuses on a portal that is no demo, because it prints passwords."""
        if not settings.DEMO:
            raise CommandError("The demo chain is for demonstrations: set DEMO=1.")
        made = make_demo()
        self.stdout.write(
            "The demo chain is ready:" if made else "The data of last time is kept. The demo's logins:"
        )
        for email, password, role, account in logins():
            self.stdout.write(f"  {email:<32} {password:<14} {role:<24} {account}")
