"""The outbox as a Django app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NotificationsConfig(AppConfig):
    """Knows no business: each app registers its letters, gauges and checks in `ready`."""

    name = "notifications"
    verbose_name = _("Notifications")

    def ready(self) -> None:
        """Register badges, and what /readyz and Prometheus ask."""
        from notifications import badges, health, metrics  # noqa: F401
