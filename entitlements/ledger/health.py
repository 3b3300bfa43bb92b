"""What /readyz asks about the ledger."""

import logging
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.utils import timezone

from entitlements.ledger import triggers
from entitlements.ledger.sealing.seal import sealing_lag
from entitlements.ledger.sealing.tree import tree_problem
from entitlements.ledger.signing import current_key_problem
from entitlements.models import LedgerHead
from mxportal.shared.readiness import register_check

logger = logging.getLogger(__name__)


def sealing_goes_on() -> bool:
    """What waits for its leaf has not waited long, or at least a head was signed lately; and it can go on."""
    if problem := tree_problem():
        logger.error("Sealing stopped: %s", problem)
        return False
    lately = timedelta(minutes=settings.SEAL_LATE_MINUTES)
    if sealing_lag().age <= lately:
        return True
    return LedgerHead.objects.filter(sealed_at__gte=timezone.now() - lately).exists()


def signing_key_opens() -> bool:
    """L6: KEY_ENCRYPTION_KEY opens the key that signs; without it nothing can be activated or certified."""
    return not current_key_problem()


def triggers_stand() -> bool:
    """Every trigger of the ledger is there, enabled, and as this version makes it (E11)."""
    found = triggers.findings(connection)
    for finding in found:
        logger.warning("Ledger: %s", finding)
    return not found


register_check("triggers", triggers_stand)
register_check("sealing", sealing_goes_on)
register_check("keys", signing_key_opens)
