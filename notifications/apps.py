"""The outbox as a Django app."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _


class NotificationsConfig(AppConfig):
    """Knows no business: the other apps say in their module `mails` how their mails are rendered."""

    name = "notifications"
    verbose_name = _("Notifications")

    def ready(self) -> None:
        """Find the mails of every app; register what /readyz asks."""
        from notifications import health  # noqa: F401

        autodiscover_modules("mails")
