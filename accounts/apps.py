"""Who: accounts, users, roles, visibility and the audit trail."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        """Register what listens: login signals and the renderers of this app's mails."""
        from accounts import mails, signals  # noqa: F401, PLC0415
