"""Who: accounts, users, roles, visibility and the audit trail."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        """Listen to log-ins; register the mails."""
        from accounts import mails, signals  # noqa: F401
