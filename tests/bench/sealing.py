"""Sealing the seeded ledger, and verifying all of it."""

import re
import subprocess
import sys
from pathlib import Path

from django.db import connection

from entitlements.ledger.sealing.record_sealing import seal_records
from entitlements.ledger.sealing.seal import seal_ledger
from entitlements.models import RecordBackfill
from tests.bench.clock import ITEMS, seconds

QUEUE = "INSERT INTO entitlements_unsealedmovement (movement_id) SELECT id FROM entitlements_movement"
# The high water of this very process: getrusage gives that of whoever started it, where it was higher.
VERIFY = """
import django
django.setup()
from django.core.management import call_command
call_command("verify_ledger")
print(open("/proc/self/status").read())
"""
HIGH_WATER = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


def sealed_per_second() -> float:
    """Movements a second. The seed made them without the trigger that queues them."""
    with connection.cursor() as cursor:
        cursor.execute(QUEUE)
    rate = ITEMS / seconds(seal_ledger)
    RecordBackfill.objects.create(kind="item")  # as after an upgrade: they are not queued either
    seal_records()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE) entitlements_unsealedmovement")
        cursor.execute("ANALYZE entitlements_ledgerleaf, entitlements_ledgernode, entitlements_ledgerhead")
    return rate


def verify_ledger_cost() -> tuple[float, float]:
    """Seconds and peak MB of `manage.py verify_ledger` in a process of its own, over every movement there is."""
    printed: list[str] = []

    def verify() -> None:
        command = [sys.executable, "-c", VERIFY]
        done = subprocess.run(
            command, cwd=Path(__file__).parents[2], check=True, stdout=subprocess.PIPE, text=True
        )
        printed.append(done.stdout)

    elapsed = seconds(verify)
    high_water = HIGH_WATER.search(printed[0])
    if "The ledger verifies" not in printed[0] or not high_water:
        raise AssertionError(printed[0])
    return elapsed, int(high_water[1]) / 1024
