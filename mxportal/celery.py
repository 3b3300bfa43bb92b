"""The Celery application: `celery -A mxportal worker` and `celery -A mxportal beat`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mxportal.settings")

app = Celery("mxportal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
