"""The outbox: mails with an Activation ID, each with its own alarm, through one worker process to a mail server."""

import os
import tempfile
import time
from pathlib import Path

from django.conf import settings
from django.db.models import Max, Min

from entitlements.models import LineItem
from entitlements.models.kinds import MailKind
from notifications.models import Mail, Status
from notifications.services import MailDraft, queue_mails
from tests.bench.clock import IS_TRIAL
from tests.live import BIN, process
from tests.smtp import MailServer

MAILS = 50 if IS_TRIAL else 1000
PATIENCE = 120  # seconds


def outbox_per_second() -> float:
    """Mails delivered a second, from the first to the last; they wait before the worker starts."""
    Mail.objects.filter(status=Status.QUEUED).update(status=Status.CANCELLED)  # of the figures before
    mails = [_queue(item) for item in LineItem.objects.deployed().not_expired().order_by("-pk")[:MAILS]]
    queued = Mail.objects.filter(pk__in=[mail.pk for mail in mails])
    worker = [BIN / "celery", "-A", "mxportal", "worker", "--concurrency", "1", "--loglevel", "WARNING"]
    with MailServer() as server, tempfile.TemporaryDirectory() as directory:
        environment = os.environ | {"EMAIL_URL": f"smtp://127.0.0.1:{server.port}"}
        with process(*worker, environment=environment, log=Path(directory) / "worker.log"):
            end = time.monotonic() + PATIENCE
            while queued.exclude(status=Status.SENT).exists() and time.monotonic() < end:
                time.sleep(0.2)
    assert len(server.messages) == MAILS, f"{len(server.messages)} of {MAILS} mails came."
    times = queued.aggregate(first=Min("sent_at"), last=Max("sent_at"))
    return (MAILS - 1) / (times["last"] - times["first"]).total_seconds()


def _queue(item: LineItem) -> Mail:
    draft = MailDraft(
        kind=MailKind.ACTIVATION,
        recipient_email="person@customers.example",
        language=settings.LANGUAGE_CODE,
        context={"items": [item.pk], "certificate": False},
    )
    return queue_mails([draft])[0]
