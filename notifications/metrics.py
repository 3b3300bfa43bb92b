"""Gauges of the outbox, read by the indexes of the sweep and of Home."""

from collections.abc import Iterator

from django.db.models import Count, Min
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily

from mxportal.shared.gauges import register_gauges
from notifications.mail_server import server_problem
from notifications.models import Mail, Status


def outbox() -> Iterator[GaugeMetricFamily]:
    """Yield how many mails are due, wait or failed, the state of the server, and the age of the oldest due mail."""
    due = Mail.objects.due().aggregate(count=Count("pk"), oldest=Min("next_attempt_at"))
    mails = GaugeMetricFamily(
        "portal_outbox_mails", "Mails that are not sent, by their state.", labels=["state"]
    )
    mails.add_metric(["due"], due["count"])
    mails.add_metric(["waiting"], Mail.objects.filter(status=Status.QUEUED).count() - due["count"])
    mails.add_metric(["failed"], Mail.objects.filter(status=Status.FAILED).count())
    yield mails
    server = server_problem()
    usable = GaugeMetricFamily(
        "portal_mail_server_usable",
        "Whether the mail server answers, and takes the portal as sender.",
        labels=["what"],
    )
    usable.add_metric(["answers"], float(not (server and server.unreachable_since)))
    usable.add_metric(["takes_sender"], float(not (server and server.sender_refused_since)))
    yield usable
    age = (timezone.now() - due["oldest"]).total_seconds() if due["oldest"] else 0
    yield GaugeMetricFamily("portal_outbox_oldest_due_seconds", "How long the oldest has been due.", age)


register_gauges(outbox)
