"""The outbox as a Django app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NotificationsConfig(AppConfig):
    """The outbox, which knows no business: other apps register their letters, gauges and checks in `ready`."""

    name = "notifications"
    verbose_name = _("Notifications")

    def ready(self) -> None:
        """Register badges, readiness checks and gauges."""
        from notifications import badges, health, metrics  # noqa: F401
