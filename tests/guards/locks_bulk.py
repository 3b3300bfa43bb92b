"""The table of locks, bulk splits: for each the race that only it decides rightly."""

from typing import Any

from entitlements.bulk.services.jobs import _do_job
from entitlements.bulk.services.requests import (
    _correct,
    _start,
    _undo,
    carry_out,
    start_bulk_split,
    undo_bulk_split,
)
from entitlements.bulk.services.split import bulk_split
from entitlements.models import BulkSplit, Origin, State
from mxportal.shared.forms import new_key
from tests.entitlements.bulk.making import line_for
from tests.factories import Cast, issue_item
from tests.guards.keys import done_bulk, running_bulk, seen_bulk
from tests.guards.locks_entitlements import set_state
from tests.guards.races import Race, inside, proves, refused


@proves("entitlements.bulk.services.split.lock_sources")
def bulk_split_of_what_becomes_inactive(cast: Cast) -> Race:
    """E3: nor in bulk."""
    item = issue_item(cast)
    request = {"item_ids": [item.pk], "lines": [line_for(cast.installer)], "send_mail": False}
    return Race(
        other=lambda: set_state(cast, item, State.INACTIVE),
        ours=lambda: bulk_split(actor=cast.distributor, key=new_key(), **request),
        right=refused("lines"),
    )


@proves("entitlements.bulk.services.jobs._lock_if_free")
def two_workers(cast: Cast) -> Race:
    """E7: one of them does the job, and the other does not wait for it."""
    bulk = running_bulk(cast)
    return Race(
        other=lambda: inside(_do_job)(bulk.pk),
        ours=lambda: _do_job(bulk.pk),
        right=lambda outcome: bulk.sources.get().splits.count() == 1,
    )


@proves("entitlements.bulk.services.jobs.lock_own")
def corrected_while_carried_out(cast: Cast) -> Race:
    """E7: lines that nobody has seen checked are not split."""
    asked = seen_bulk(cast)
    request = {"bulk": asked["bulk_id"], "seen": asked["seen"], "create_customers": False}
    rows = {0: line_for(cast.installer, 2).as_row()}
    return Race(
        other=lambda: inside(_correct)(
            actor=cast.distributor, key=new_key(), request=request | {"rows": rows}
        ),
        ours=lambda: carry_out(key=new_key(), send_mail=False, **asked),
        right=refused(),
    )


@proves("entitlements.bulk.services.requests._start")
def started_twice(cast: Cast) -> Race:
    """E7: a double click; both get the same bulk split."""
    pk, line = issue_item(cast).pk, line_for(cast.installer)
    request = {"items": [pk], "lines": [line.as_row()], "create_customers": False, "replaces": None}
    asked: dict[str, Any] = {"actor": cast.distributor, "key": new_key(), "origin": Origin.TABLE}
    return Race(
        other=lambda: inside(_start)(request=request, file_name="", **asked),
        ours=lambda: start_bulk_split(item_ids=[pk], lines=[line], **asked),
        right=lambda outcome: isinstance(outcome, BulkSplit),
    )


@proves("entitlements.bulk.services.requests._undo")
def undone_twice(cast: Cast) -> Race:
    """E8: two people at the same bulk split."""
    asked: dict[str, Any] = {"actor": cast.distributor, "bulk_id": done_bulk(cast).pk}
    return Race(
        other=lambda: inside(_undo)(key=new_key(), reason="", **asked),
        ours=lambda: undo_bulk_split(key=new_key(), **asked),
        right=refused(),
    )
