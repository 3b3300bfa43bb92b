"""Celery's worker and beat as threads of the one web process, for the embedded default.

The code is that of a server: the same tasks, sent through a broker, which here is in memory.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Thread
from typing import Any

from celery.beat import EmbeddedService
from celery.concurrency.thread import ApplyResult, TaskPool
from celery.worker import WorkController
from celery.worker import state as worker_state

from mxportal.celery import app

SECONDS_TO_STOP = 10
MAILS = "notifications."  # prefix of the tasks that a server's workers take from the queue of mails


class TwoLanes(TaskPool):
    """A pool with threads for mails and threads for everything else, so that neither waits for the other (N6)."""

    executor: ThreadPoolExecutor

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.others = self.executor
        self.mails = ThreadPoolExecutor(max_workers=1)

    def on_apply(
        self, target: Callable[..., Any], args: tuple[Any, ...] | None = None, *rest: Any, **options: Any
    ) -> ApplyResult:
        """Run the task in its lane; the task's name is the first of its arguments."""
        self.executor = self.mails if args and str(args[0]).startswith(MAILS) else self.others
        return super().on_apply(target, args, *rest, **options)

    def on_stop(self) -> None:
        """Stop both lanes."""
        self.mails.shutdown(cancel_futures=True)
        self.executor = self.others
        super().on_stop()


@dataclass
class _Running:
    """The threads of this process."""

    worker: Thread | None = None
    beat: Any = None


_running = _Running()


def start() -> None:
    """Start both; they end with the process, or with `stop`."""
    app.finalize()
    worker = WorkController(
        app=app,
        pool=TwoLanes,
        concurrency=2,
        prefetch_multiplier=0,  # so that no task waits in the broker behind one of the other lane
        without_heartbeat=True,
        without_mingle=True,
        without_gossip=True,
    )
    _running.beat = EmbeddedService(app, thread=True, scheduler_cls=app.conf.beat_scheduler)
    _running.worker = Thread(target=worker.start, name="celery-worker", daemon=True)
    _running.worker.start()
    _running.beat.start()
    for task in ("notifications.sweep", "entitlements.seal_ledger"):
        app.send_task(task)  # so that waiting work does not wait for beat's first turn


def stop() -> None:
    """Let the worker finish its present tasks and take no others; return when it has, or after some seconds.

    Otherwise the end of the process would end the pools under the worker, which would log errors.
    """
    worker_state.should_stop = 0
    if _running.beat is not None:
        _running.beat.service.stop()
    if _running.worker is not None and _running.worker.is_alive():
        _running.worker.join(SECONDS_TO_STOP)
