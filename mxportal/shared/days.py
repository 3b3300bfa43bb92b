"""E14: days in MOBOTIX's time zone."""

from datetime import date

from django.utils import timezone


def today() -> date:
    """The present day in the portal's own time zone, whatever the reader's."""
    return timezone.localdate(timezone=timezone.get_default_timezone())
