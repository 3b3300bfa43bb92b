"""Races in one shape: somebody else has written and commits only once our service waits for it, or is done.

A lock is a call of ``for_update``; its name is that of the function that makes it: ``module.function``, and
``module.function 2`` for a second one there.
"""

import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, connections, transaction

from mxportal.shared.queries import LockingQuerySet
from tests.factories import Cast
from tests.guards.code import calls, functions

SECONDS = 10


@dataclass(frozen=True)
class Race:
    """``other`` writes first, ``ours`` comes while that is not committed; ``right`` judges what it gave or raised."""

    other: Callable[[], object]
    ours: Callable[[], object]
    right: Callable[[Any], bool]


@dataclass(frozen=True)
class Lock:
    """Where it is taken: the file and the lines of the call."""

    file: Path
    lines: range

    def is_called_by(self, frame: FrameType) -> bool:
        """Whether this frame is at it now."""
        return frame.f_code.co_filename == str(self.file) and frame.f_lineno in self.lines


def all_locks() -> dict[str, Lock]:
    """Those of our own apps, by name."""
    return {
        f"{name} {number}" if number > 1 else name: Lock(path, range(call.lineno, (call.end_lineno or 0) + 1))
        for name, path, function in functions()
        for number, call in enumerate(calls(function, "for_update"), start=1)
    }


@contextmanager
def without(lock: Lock | None) -> Iterator[None]:
    """This one lock does nothing, every other one does."""
    real = LockingQuerySet.for_update

    def for_update(self: LockingQuerySet, **options: Any) -> LockingQuerySet:
        callers = (sys._getframe(1), sys._getframe(2))  # a manager stands between the two
        missing = lock is not None and any(lock.is_called_by(frame) for frame in callers)
        return self if missing else real(self, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LockingQuerySet, "for_update", for_update)
        yield


def turns_out_right(race: Race, *, without_lock: Lock | None = None) -> bool:
    """Run the race."""
    with other_first(race.other), without(without_lock):
        try:
            outcome = race.ours()
        except Exception as error:
            outcome = error
    return race.right(outcome)


@contextmanager
def other_first(write: Callable[[], object]) -> Iterator[None]:
    """Somebody else has written, and commits once the block waits for it in the database, or is over."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        our_process = cursor.fetchone()[0]
    written, over = threading.Event(), threading.Event()

    def work() -> None:
        try:
            with transaction.atomic():
                write()
                written.set()
                while not over.wait(0.01) and not _waits(our_process):
                    pass
        finally:
            written.set()
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(work)
        written.wait(SECONDS)
        try:
            yield
        finally:
            over.set()
            job.result(SECONDS)


def _waits(process: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT cardinality(pg_blocking_pids(%s)) > 0", [process])
        return cursor.fetchone()[0]


def inside(service: Callable[..., Any]) -> Callable[..., Any]:
    """The service within the transaction of the one who is first, where its own, durable, cannot be opened."""
    return service.__wrapped__


def refused(*fields: str) -> Callable[[Any], bool]:
    """Right is a sentence at these fields; without a field, one for the whole."""

    def right(outcome: Any) -> bool:
        return isinstance(outcome, ValidationError) and list(getattr(outcome, "error_dict", {})) == [*fields]

    return right


Proof = Callable[[Cast], Race]
PROOFS: dict[str, Proof] = {}


def proves(name: str) -> Callable[[Proof], Proof]:
    """A line of the table: the race that goes wrong when the lock of this name is taken away."""

    def enter(proof: Proof) -> Proof:
        assert name not in PROOFS, f"{name} has a race already"
        PROOFS[name] = proof
        return proof

    return enter
