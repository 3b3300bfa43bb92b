"""Beat and a clock that is set back."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from celery import Celery
from celery.beat import Scheduler

from mxportal.beat import SteadyScheduler

pytestmark = pytest.mark.once
START = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
EVERY = 30  # seconds


def calls_after_a_jump(scheduler: type[Scheduler], monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The times of a task's calls: the clock is an hour ahead for a minute, and right again for ten."""
    called: list[datetime] = []
    app = Celery("beat-of-a-test", broker="memory://")
    app.conf.beat_schedule = {"sweep": {"task": "sweep", "schedule": float(EVERY)}}
    monkeypatch.setattr(scheduler, "apply_entry", lambda self, entry, producer=None: called.append(app.now()))
    with time_machine.travel(START, tick=False) as clock:
        beat = scheduler(app=app)
        for jump, minutes in ((timedelta(), 1), (timedelta(hours=1), 1), (-timedelta(hours=1), 10)):
            clock.shift(jump)
            for _second in range(60 * minutes):
                clock.shift(1)
                while beat.tick() == 0:
                    pass
    return [moment for moment in called if moment < START + timedelta(minutes=30)]


def test_a_clock_that_is_set_back_holds_up_no_task(monkeypatch: pytest.MonkeyPatch) -> None:
    """At most one call is late; Celery's own scheduler would wait for an hour."""
    assert len(calls_after_a_jump(SteadyScheduler, monkeypatch)) >= 20
    assert len(calls_after_a_jump(Scheduler, monkeypatch)) <= 3, (
        "Celery does it by itself: drop mxportal/beat.py"
    )
