"""What /readyz asks about the ledger."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from entitlements.models import LedgerHead
from entitlements.services.sealing import sealing_lag
from mxportal.shared.readiness import register_check


def sealing_goes_on() -> bool:
    """What waits for its leaf has not waited long, or at least a head was signed lately."""
    lately = timedelta(minutes=settings.SEAL_LATE_MINUTES)
    if sealing_lag().age <= lately:
        return True
    return LedgerHead.objects.filter(sealed_at__gte=timezone.now() - lately).exists()


register_check("sealing", sealing_goes_on)
