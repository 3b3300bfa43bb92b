"""The Celery application: `celery -A mxportal worker` and `celery -A mxportal beat`."""

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging
from django_structlog.celery.receivers import CeleryReceiver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mxportal.settings")

app = Celery("mxportal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# Hands the request's ID on with each task, and logs what becomes of it. One receiver for all kinds of processes: the
# embedded default's is web server and worker in one.
receiver = CeleryReceiver()
receiver.connect_worker_signals()


@setup_logging.connect
def keep_logging(**kwargs: Any) -> None:
    """Celery sets up no log of its own where somebody listens here: Django's stands (LOG_FORMAT, LOG_LEVEL)."""
