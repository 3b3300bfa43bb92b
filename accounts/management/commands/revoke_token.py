"""``manage.py revoke_token``: end an API token, for example one that was found in a public place (P1)."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import ApiToken
from accounts.models.api_token import hash_token
from accounts.services.api_tokens import end_api_token


class Command(BaseCommand):
    """Revokes a token, named by its number or by the token itself."""

    help = (
        "Revokes an API token: from the next request on it opens nothing. Name it by its number, or hand the token "
        "itself over on standard input, where it stays out of the shell's history."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the token."""
        parser.add_argument(
            "number", type=int, nargs="?", help="as make_token said; without it, the token is read"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Revoke the token; a second time changes nothing."""
        number = options["number"]
        try:
            if number is None:
                number = ApiToken.objects.get(token_hash=hash_token(sys.stdin.readline().strip())).pk
            token = end_api_token(token_id=number)
        except ApiToken.DoesNotExist as error:
            raise CommandError("There is no such token.") from error
        self.stdout.write(f"The token “{token}” of {token.account} is revoked.")
