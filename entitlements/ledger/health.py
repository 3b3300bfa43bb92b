"""Readiness checks of the ledger for /readyz."""

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
    """Return whether sealing can go on and is in time: no movement waits for long, or a head was signed lately."""
    if problem := tree_problem():
        logger.error("Sealing stopped: %s", problem)
        return False
    lately = timedelta(minutes=settings.SEAL_LATE_MINUTES)
    if sealing_lag().age <= lately:
        return True
    return LedgerHead.objects.filter(sealed_at__gte=timezone.now() - lately).exists()


def signing_key_opens() -> bool:
    """Return whether KEY_ENCRYPTION_KEY opens the signing key (L6).

    Without it nothing can be activated or certified.
    """
    return not current_key_problem()


def triggers_are_intact() -> bool:
    """Return whether every trigger of the ledger exists, is enabled, and is the one of this version (E11)."""
    found = triggers.findings(connection)
    for finding in found:
        logger.warning("Ledger: %s", finding)
    return not found


register_check("triggers", triggers_are_intact)
register_check("sealing", sealing_goes_on)
register_check("keys", signing_key_opens)
