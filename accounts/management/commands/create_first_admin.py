"""``manage.py create_first_admin``: create the one user whom nobody in the portal can create (A1)."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from accounts.services.setup import found_mobotix


class Command(BaseCommand):
    """Creates the MOBOTIX account and its first Portal Admin."""

    help = (
        "Creates the MOBOTIX account with its first Portal Admin, who gets user ID and password by e-mail. "
        "Call it again to correct a typing error, as long as that admin has never logged in: what was sent before "
        "opens nothing then. Later it adds an admin only while MOBOTIX has no active one."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the account's name and the person."""
        parser.add_argument("email", help="the e-mail address, which is the user ID")
        parser.add_argument("first_name")
        parser.add_argument("last_name")
        parser.add_argument("--account-name", default="MOBOTIX AG")
        parser.add_argument("--language", default="en", choices=[code for code, _ in settings.LANGUAGES])

    def handle(self, *args: Any, **options: Any) -> None:
        """Create them and print what happens next."""
        names = ("email", "first_name", "last_name", "account_name", "language")
        try:
            user = found_mobotix(**{name: options[name] for name in names})
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(
            f"{user} is Portal Admin of {user.account}. The credentials are on their way to {user.email}."
        )
