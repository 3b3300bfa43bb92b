"""Days in MOBOTIX's time zone (E14)."""

from datetime import date

from django.utils import timezone


def today() -> date:
    """Return the present day in the portal's own time zone, whatever the reader's is."""
    return timezone.localdate(timezone=timezone.get_default_timezone())
