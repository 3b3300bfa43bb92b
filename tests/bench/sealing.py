"""Sealing the seeded ledger, and verifying all of it."""

import os
import subprocess
import sys

from django.db import connection

from entitlements.services.sealing import seal_ledger
from tests.bench.clock import ITEMS, seconds

QUEUE = "INSERT INTO entitlements_unsealedmovement (movement_id) SELECT id FROM entitlements_movement"
KIBIBYTES_PER_MB = 1024


def sealed_per_second() -> float:
    """Movements a second. The seed made them without the trigger that queues them."""
    with connection.cursor() as cursor:
        cursor.execute(QUEUE)
    rate = ITEMS / seconds(seal_ledger)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE) entitlements_unsealedmovement")
        cursor.execute("ANALYZE entitlements_ledgerleaf, entitlements_ledgernode, entitlements_ledgerhead")
    return rate


def verify_ledger_cost() -> tuple[float, float]:
    """Seconds and peak MB of `manage.py verify_ledger` in a process of its own, over every movement there is."""
    verify = subprocess.Popen([sys.executable, "manage.py", "verify_ledger"], stdout=subprocess.DEVNULL)
    usage = []

    def wait() -> None:
        _pid, status, used = os.wait4(verify.pid, 0)
        verify.returncode = os.waitstatus_to_exitcode(status)
        usage.append(used)

    elapsed = seconds(wait)
    if verify.returncode:
        raise AssertionError("The seeded ledger does not verify.")
    return elapsed, usage[0].ru_maxrss / KIBIBYTES_PER_MB
