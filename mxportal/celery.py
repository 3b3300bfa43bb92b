"""The Celery application: `celery -A mxportal worker` and `celery -A mxportal beat`."""

import logging
import os
from typing import Any

from celery import Celery, Task
from celery.signals import setup_logging, worker_init
from django.dispatch import receiver
from django_structlog.celery.receivers import CeleryReceiver
from django_structlog.celery.signals import bind_extra_task_metadata
from structlog.contextvars import bind_contextvars

from mxportal import shared_metrics

logger = logging.getLogger(__name__)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mxportal.settings")
if os.environ.get("WORKER_METRICS_PORT"):  # no signal of Celery comes before the import of prometheus_client
    shared_metrics.share()


class RestingTask(Task):
    """A task that rests during maintenance (O3): it is only an alarm, and the sweep does later what it was for."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the task, or log that it rests."""
        from mxportal.maintenance import mode

        if mode.message() is not None:
            logger.info("%s rests during maintenance", self.name)
            return None
        return super().__call__(*args, **kwargs)


app = Celery("mxportal", task_cls=RestingTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.autodiscover_tasks(["mxportal"], related_name="metrics")  # counts tasks and serves the counts

# Hands the request's ID on with each task, and logs its result. One receiver for all kinds of processes: the
# embedded default is web server and worker in one.
log_receiver = CeleryReceiver()
log_receiver.connect_worker_signals()


@receiver(bind_extra_task_metadata)
def name_task(task: Any, **kwargs: Any) -> None:
    """Put the task's name on every line of the task, also the one of its end."""
    bind_contextvars(task=task.name)


@setup_logging.connect
def keep_logging(**kwargs: Any) -> None:
    """Keep Django's log (LOG_FORMAT, LOG_LEVEL): Celery sets up none of its own if somebody listens here."""


@worker_init.connect
def check_at_start(**kwargs: Any) -> None:
    """Run the checks of a worker's start: it seals the ledger and signs certificates."""
    from mxportal.shared.starting import run_start_checks

    run_start_checks()
