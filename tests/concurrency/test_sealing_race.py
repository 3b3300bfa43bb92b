"""Two who seal, or rotate the key, in the same moment."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections

from entitlements.ledger.sealing import seal as sealing
from entitlements.ledger.sealing.seal import seal_ledger
from entitlements.ledger.signing import active_key
from entitlements.models import LedgerHead, LedgerLeaf, Movement, MovementKind, SigningKey
from tests.factories import issue_item, make_cast
from tests.roles import rotate_signing_key

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 4


def at_once(job: Callable[[], Any]) -> list[Any]:
    """Run the job in threads that start together; returns what each gave or raised."""
    gate, results = threading.Barrier(AT_ONCE), [None] * AT_ONCE

    def work(number: int) -> None:
        try:
            gate.wait(30)
            results[number] = job()
        except Exception as error:
            results[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def test_two_sealers_share_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """One waits for the other's batch: each movement has one leaf, each head its own size."""
    monkeypatch.setattr(sealing, "SEAL_BATCH", 10)
    cast = make_cast()
    item = issue_item(cast)
    Movement.objects.bulk_create(
        Movement(kind=MovementKind.ADJUST, item=item, copies=1, actor=cast.mobotix) for _ in range(119)
    )
    assert sum(at_once(seal_ledger)) == 120
    assert list(LedgerLeaf.objects.order_by("number").values_list("number", flat=True)) == list(range(120))
    assert list(LedgerHead.objects.order_by("size").values_list("size", flat=True)) == [*range(10, 121, 10)]


def test_rotations_at_once_leave_one_active_key() -> None:
    """L6: each waits for the one before."""
    active_key()
    keys = at_once(rotate_signing_key)
    assert len(set(keys)) == AT_ONCE
    assert SigningKey.objects.filter(retired_at=None).count() == 1
    assert SigningKey.objects.count() == AT_ONCE + 1
