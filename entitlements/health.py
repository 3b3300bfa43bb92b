"""What /readyz asks about the ledger."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from entitlements.models import LedgerHead
from entitlements.services.sealing import sealing_lag
from entitlements.services.signing import current_key_problem
from mxportal.shared.readiness import register_check


def sealing_goes_on() -> bool:
    """What waits for its leaf has not waited long, or at least a head was signed lately."""
    lately = timedelta(minutes=settings.SEAL_LATE_MINUTES)
    if sealing_lag().age <= lately:
        return True
    return LedgerHead.objects.filter(sealed_at__gte=timezone.now() - lately).exists()


def signing_key_opens() -> bool:
    """L6: KEY_ENCRYPTION_KEY opens the key that signs; without it nothing can be activated or certified."""
    return not current_key_problem()


register_check("sealing", sealing_goes_on)
register_check("keys", signing_key_opens)
