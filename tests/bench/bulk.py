"""Bulk splits: against as many single ones, and the largest one that there is, with the memory that it takes."""

import re
import subprocess
import sys
from pathlib import Path

import django
from django.apps import apps

if not apps.ready:  # the process of its own, whose environment is the bench's
    django.setup()

from accounts.models import Tier
from entitlements.bulk.services.lines import MAX_BULK_LINES
from tests.bench.clock import IS_TRIAL, interleaved, seconds
from tests.bench.people import admin_of
from tests.bench.splits import issue_source
from tests.entitlements.bulk.making import line_for, make_buyers, split_bulk
from tests.factories import split_item

BUYERS = 50 if IS_TRIAL else 1000
# Of this very process: getrusage gives that of whoever started it, where it was higher.
HIGH_WATER = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)
LINES = 500 if IS_TRIAL else MAX_BULK_LINES


def bulk_split_vs_single() -> float:
    """How often one bulk split to 1,000 buyers goes into 1,000 single splits, mails included."""
    actor, source = admin_of(Tier.DISTRIBUTOR), issue_source()
    buyers = make_buyers(actor.account, BUYERS)

    def singly() -> None:
        for buyer in buyers:
            split_item(actor, source, buyer.account, copies=1, send_mail=True)

    def at_once() -> None:
        split_bulk(actor, [source], [line_for(buyer) for buyer in buyers], send_mail=True)

    single, bulk = interleaved(singly, at_once, rounds=3)
    return single / bulk


def bulk_split_10k() -> tuple[float, float]:
    """Seconds, and the megabytes of memory at the peak of a process that does nothing else."""
    command = [sys.executable, "-m", "tests.bench.bulk"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    took, peak = done.stdout.split()
    return float(took), float(peak)


def measure_10k() -> None:
    """One split of as many lines as one operation may have, to as many buyers, mails included."""
    actor, source = admin_of(Tier.DISTRIBUTOR), issue_source()
    buyers = make_buyers(actor.account, LINES)
    lines = [line_for(buyer) for buyer in buyers]
    took = seconds(lambda: split_bulk(actor, [source], lines, send_mail=True))
    print(took, int(HIGH_WATER.findall(Path("/proc/self/status").read_text())[0]) / 1024)


if __name__ == "__main__":
    measure_10k()
