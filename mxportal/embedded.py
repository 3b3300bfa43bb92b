"""Celery's worker and beat as threads of the one web process, for the embedded default.

The code that runs is the code of a server: the same tasks, sent through a broker, which here lives in memory.
"""

from threading import Thread

from celery.beat import EmbeddedService
from celery.worker import WorkController
from celery.worker import state as worker_state

from mxportal.celery import app


def start() -> None:
    """Start both; they end with the process, or with `stop`."""
    app.finalize()
    worker = WorkController(
        app=app,
        pool="threads",
        concurrency=2,
        without_heartbeat=True,
        without_mingle=True,
        without_gossip=True,
    )
    Thread(target=worker.start, name="celery-worker", daemon=True).start()
    EmbeddedService(app, thread=True, scheduler_cls=app.conf.beat_scheduler).start()
    for task in ("notifications.sweep", "entitlements.seal_ledger"):
        app.send_task(task)  # what waited while nothing ran does not wait for beat's first turn


def stop() -> None:
    """Let the worker finish the task in hand and take no other."""
    worker_state.should_stop = 0
