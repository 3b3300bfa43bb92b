"""The scheduler of beat, for a clock that is set back."""

import logging
from datetime import datetime
from typing import Any

from celery.beat import Scheduler

logger = logging.getLogger(__name__)


class SteadyScheduler(Scheduler):
    """Celery's own, but a clock that was ahead and is set back holds up no task.

    Celery's waits until the clock says again what it said when the tasks ran last: an hour, or a year.
    """

    _ticked_at: datetime | None = None

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Call one task that is due; return the seconds until the next one is."""
        now = self.app.now()
        if self._ticked_at is not None and now < self._ticked_at:
            logger.warning("The clock was set back: every task is counted from now on")
            for entry in self.schedule.values():
                entry.last_run_at = min(entry.last_run_at, now)
            self._heap = None  # ordered by the times of before
        self._ticked_at = now
        return float(super().tick(*args, **kwargs))
