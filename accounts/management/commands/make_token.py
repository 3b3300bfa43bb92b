"""``manage.py make_token``: make an API token, for an operator without a browser (P1)."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from accounts.models import Scope, User
from accounts.services.api_tokens import make_api_token, new_secret


class Command(BaseCommand):
    """Makes a token and prints it once."""

    help = (
        "Makes an API token that acts as a Portal Admin, and prints it on standard output. It is printed this once and "
        "kept nowhere but as a hash."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the person as whom it acts, and its scopes."""
        parser.add_argument("email", help="user ID of the Portal Admin that it acts as")
        parser.add_argument("name", help="what uses it, for example “ERP, orders”")
        parser.add_argument("scopes", nargs="+", choices=Scope.values, help="what it is for")
        days = settings.API_TOKEN_DAYS
        parser.add_argument("--days", type=int, default=days, help=f"how long it works (default: {days})")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print only the token on standard output, so that a pipe can hand it on."""
        secret = new_secret()
        asked = {name: options[name] for name in ("email", "name", "scopes", "days")}
        try:
            token = make_api_token(secret=secret, **asked)
        except User.DoesNotExist as error:
            raise CommandError("There is no active login with this user ID.") from error
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stderr.write(f"Token {token.pk} of {token.account} works until {token.expires_on}.")
        self.stdout.write(secret)
