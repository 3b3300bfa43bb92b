"""The fault run's short form, and that its checks see what they are for."""

import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.entitlements.activation.devices import MAC, put_on
from tests.factories import Cast, issue_item, make_chain, split_item
from tests.faults import checks
from tests.faults.mails import Delivery
from tests.faults.model import Item, Model, Posted
from tests.faults.outages import OUTAGES
from tests.faults.plan import FLUSHES, WEIGHTS, Kind, Mood, Orders, make_plan
from tests.faults.system import HOOK, Killed

ROOT = Path(__file__).resolve().parent.parent.parent
KILLS = len(WEIGHTS)
SHORT_OUTAGES = len(OUTAGES) + 1  # clocks jump while Redis works, and while it is away

LOOK_AT_CLOCK = """
import os, sys, time
real = time.time() - time.monotonic()
def wrong(): return round((time.time() - time.monotonic() - real) / 60) * 60
def when(expected):
    while wrong() != expected and time.monotonic() < end: time.sleep(0.05)
    return wrong()
end = time.monotonic() + 20
pid = os.fork()
name = "parent" if pid else "child"
if pid: os.waitpid(pid, 0)
open(os.environ["FAULT_CLOCK"], "w").write("3600")
before = when(3600)
open(os.environ["FAULT_CLOCK"], "w").write("0")
print(name, before, when(0), flush=True)
"""


@pytest.mark.live
@pytest.mark.xdist_group("live")
def test_nothing_is_lost_or_done_twice() -> None:
    """E4, E7, N1, O2: each kind of process killed, each outage once, under load; the run's own checks decide."""
    # One seed, so that it fails for what was changed and not by chance; `make faults` takes another each time.
    environment = os.environ | {"SEED": "two", "KILLS": str(KILLS), "DURATION": "20", "OUTAGE": "15"}
    environment.pop("DATABASE_OWNER_URL", None)
    command = [sys.executable, "-m", "tests.faults"]
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    acknowledged = re.search(r"acknowledged (\d+)", run.stdout)
    assert f"killed {KILLS} times" in run.stdout
    left_out = run.stdout.count("faults: left out: ")
    assert f"outages {SHORT_OUTAGES - left_out}" in run.stdout
    assert acknowledged, run.stdout
    assert int(acknowledged[1]) > 20


def test_the_seed_says_what_goes_wrong() -> None:
    """The same seed gives the same faults; as many kills as were asked for, of every kind."""
    orders = Orders(seed="a seed", kills=40, seconds=150, without_redis=300)
    plan = make_plan(orders)
    assert plan == make_plan(orders) != make_plan(replace(orders, seed="another"))
    kinds = Counter(fault.kind for fault in [*plan, *plan[-1].meanwhile])
    assert sum(kinds[kind] for kind in WEIGHTS) == 40
    assert kinds[Kind.FLUSH] == 40 // FLUSHES
    assert set(kinds) == set(Kind)


def test_a_lost_and_a_doubled_split_are_seen(cast: Cast) -> None:
    """E7: line items and operations that differ from the answers are named."""
    source = issue_item(cast)
    told = split_item(cast.distributor, source, cast.installer.account, copies=3, key="told")
    model = Model()
    model.add_item(Item(source.pk, source.owner_id, None, 100))
    model.add_item(Item(told.pk, told.owner_id, source.pk, 3))
    assert list(checks.check_items(model)) == list(checks.check_movements(model)) == []

    twin = split_item(cast.distributor, source, cast.installer.account, copies=3, key="twin")
    model.add_item(Item(twin.pk + 1, told.owner_id, source.pk, 3))
    model.add_posted(Posted("split", "lost", "dora", "/items/9/split/done/", 1))
    model.add_posted(Posted("split", "told", "dora", "", 1))
    assert list(checks.check_items(model)) == [
        f"Line item {twin.pk} is one too many.",
        f"Line item {twin.pk + 1} was acknowledged and is lost.",
    ]
    assert list(checks.check_operations(model))[:2] == [
        "split /items/9/split/done/ was acknowledged and is lost.",
        "split told was refused and yet carried out.",
    ]


def test_a_quantity_that_drifted_is_seen(cast: Cast) -> None:
    """E4: every balance is compared with the answers."""
    source = issue_item(cast)
    model = Model()
    model.add_item(Item(source.pk, source.owner_id, None, 99))
    assert [sentence.split(":")[0] for sentence in checks.check_items(model)] == [f"Line item {source.pk}"]


def test_a_lost_and_a_doubled_license_are_seen(cast: Cast) -> None:
    """L2: copies on devices, and the license that says so, are compared with the answers."""
    served = make_chain(cast).served
    license = put_on(cast, served, 2)
    model = Model()
    model.add_item(Item(served.pk, served.owner_id, None, 5))
    model.hold(served.pk, MAC, 2, str(license.license_id))
    assert list(checks.check_licenses(model)) == model.errors == []

    model.hold(served.pk, MAC, 2, "another for the same copies")
    model.hold(served.pk, "SN-GATE", 1, "lost")
    put_on(cast, served, 1)
    assert len(model.errors) == 1
    assert [sentence.split(": ")[1].split(" ")[0] for sentence in checks.check_licenses(model)] == [
        "licenses",
        "valid",
    ]


def test_a_mail_that_waits_is_seen(cast: Cast) -> None:
    """N1: a mail that waits, and an item without one, are named."""
    source = issue_item(cast)
    told = split_item(cast.distributor, source, cast.installer.account, send_mail=True)
    mail = told.mails.get()
    assert list(checks.check_mails(Model(), [])) == [
        f"Mail {mail.pk} is queued: no attempt.",
        f"Line item {source.pk} has no mail.",
    ]


def test_a_duplicate_needs_a_reason() -> None:
    """N1: a mail may come twice where the answer was lost, or could not be written down."""
    killed = [Killed(Kind.POOL, 100, 101), Killed(Kind.POSTGRES, 200, 210)]
    first = [
        Delivery("a", Mood.DIES_AFTER_DATA, 1),
        Delivery("b", Mood.TAKES, 99, answered=True),
        Delivery("c", Mood.TAKES, 205, answered=True),
        Delivery("d", Mood.TAKES, 300, answered=True),
    ]
    again = [Delivery(delivery.message_id, Mood.TAKES, 400, answered=True) for delivery in first]
    assert checks.causes_of_duplicates([*first, *again, Delivery("e", Mood.TAKES, 1)], killed) == {
        "answer lost by the mail server": 1,
        "worker killed before it wrote the answer down": 1,
        "database gone before the answer was written down": 1,
        "unexplained": 1,
    }


def test_an_answer_that_is_no_outage_is_seen() -> None:
    """O2: 503 without a time to come again, and 500, are named."""
    model = Model()
    model.count_outage(503, "15")
    assert list(checks.check_outages(model)) == []
    model.count_outage(503, "")
    model.count_outage(500, "")
    assert list(checks.check_outages(model)) == [
        "1 requests were answered 503 without Retry-After.",
        "1 requests were answered 500 without Retry-After.",
    ]


@pytest.mark.slow
def test_a_clock_goes_wrong_and_right_again(tmp_path: Path) -> None:
    """By the file, also in a process that was forked; time that is measured goes on."""
    file = tmp_path / "clock"
    environment = os.environ | {"FAULT_CLOCK": str(file), "PYTHONPATH": str(HOOK)}
    run = subprocess.run(
        [sys.executable, "-c", LOOK_AT_CLOCK], env=environment, capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == ["child", "3600", "0", "parent", "3600", "0"]
