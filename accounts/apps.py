"""The app of accounts, users, roles, visibility and the audit trail."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        """Listen to logins; register mails, badges and the menu."""
        from accounts import badges, mails, navigation, signals  # noqa: F401
