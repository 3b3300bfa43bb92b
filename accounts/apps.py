"""Who: accounts, users, roles, visibility and the audit trail."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        """Listen to log-ins."""
        from accounts import signals  # noqa: F401
