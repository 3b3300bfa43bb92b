"""The fault run's short form, and that its checks see what they are for."""

import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.entitlements.devices import MAC, put_on
from tests.factories import Cast, issue_item, make_chain, split_item
from tests.faults import checks
from tests.faults.mails import Delivery
from tests.faults.model import Item, Model, Posted
from tests.faults.plan import FLUSHES, WEIGHTS, Kind, Mood, Orders, make_plan
from tests.faults.system import Killed

ROOT = Path(__file__).resolve().parent.parent.parent
KILLS = len(WEIGHTS)


@pytest.mark.live
@pytest.mark.xdist_group("live")
def test_nothing_is_lost_or_done_twice() -> None:
    """E4, E7, N1: every kind of process killed once under load; the run's own checks decide (`make faults`)."""
    environment = os.environ | {"KILLS": str(KILLS), "DURATION": "20"}
    environment.pop("DATABASE_OWNER_URL", None)
    command = [sys.executable, "-m", "tests.faults"]
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    acknowledged = re.search(r"acknowledged (\d+)", run.stdout)
    assert f"killed {KILLS} times" in run.stdout
    assert acknowledged, run.stdout
    assert int(acknowledged[1]) > 20


def test_the_seed_says_what_goes_wrong() -> None:
    """The same seed gives the same faults; as many kills as were asked for, of every kind."""
    orders = Orders(seed="a seed", kills=40, seconds=300)
    plan = make_plan(orders)
    assert plan == make_plan(orders) != make_plan(replace(orders, seed="another"))
    kinds = Counter(fault.kind for fault in plan)
    assert (kinds.total() - kinds[Kind.FLUSH], kinds[Kind.FLUSH]) == (40, 40 // FLUSHES)
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
