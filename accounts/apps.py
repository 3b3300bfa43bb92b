"""Who: accounts, users, roles, visibility and the audit trail."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        """Listen to log-ins; register mails, badges and the menu."""
        from accounts import badges, mails, navigation, signals  # noqa: F401
