"""``manage.py reset_login``: let a person log in again when no admin can help any more (U4, U9)."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from accounts.services.setup import reset_login


class Command(BaseCommand):
    """Unlocks a login and mails new credentials."""

    help = (
        "Unlocks a user's login and sends a new temporary password to the user's own address. The present password "
        "holds until that mail is delivered; the user's API tokens wait until an admin confirms them. "
        "For operators, where no admin of the account can do it in the portal."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the user ID."""
        parser.add_argument("email", help="the user ID")

    def handle(self, *args: Any, **options: Any) -> None:
        """Reset the login and print what happens next."""
        try:
            user = reset_login(email=options["email"])
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(
            f"{user} of {user.account} can log in again. Credentials are on their way to {user.email}."
        )
