"""The outbox: a mail is a row, written in the transaction of what causes it (N1)."""

from email.utils import make_msgid
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.expressions import Combinable
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from mxportal.shared.queries import LockingQuerySet


class Status(models.TextChoices):
    """The state of a mail in the outbox."""

    QUEUED = "queued", _("Queued")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("No longer needed")


class Failure(models.TextChoices):
    """Why the last attempt failed, as a sentence for the person who caused the mail."""

    REFUSED = "refused", _("The mail server refused this e-mail.")
    POSTPONED = "postponed", _("The mail server cannot accept this e-mail at the moment.")
    SENDER = (
        "sender",
        _(
            "The mail server does not accept e-mails from the portal. MOBOTIX has been informed and must fix this."
        ),
    )
    UNREACHABLE = "unreachable", _("The mail server cannot be reached.")
    UNPREPARED = "unprepared", _("This e-mail could not be prepared.")
    INTERRUPTED = "interrupted", _("The delivery of this e-mail was interrupted several times.")


def new_message_id() -> str:
    """Return a Message-ID with angle brackets, in the portal's own domain."""
    return make_msgid(domain=urlsplit(settings.SITE_URL).hostname or "localhost")


class MailQuerySet(LockingQuerySet["Mail"]):
    """Queries for mails of the outbox."""

    def due(self, at: Combinable | None = None) -> "MailQuerySet":
        """Keep mails that are due now, or at ``at``: queued, their pause over, claimed by no other deliverer (N1).

        "Now" is the time of the database, so that processes with different clocks agree.
        """
        at = at or Now()
        free = Q(claimed_until=None) | Q(claimed_until__lte=at)
        return self.filter(free, status=Status.QUEUED, next_attempt_at__lte=at)

    def with_clock(self) -> "MailQuerySet":
        """Add ``database_now``, the database's time of the query, to each mail."""
        return self.annotate(database_now=Now())  # type: ignore[no-redef]


class Mail(models.Model):
    """A mail to one recipient. Its body is never kept (N4): `kind` and `context` say how to render it."""

    kind = models.CharField(_("kind"), max_length=40)
    recipient_email = models.EmailField(_("recipient"), max_length=254)
    recipient_name = models.CharField(_("recipient's name"), max_length=200, blank=True)
    language = models.CharField(_("language"), max_length=10)
    # Primary keys and options only, never a secret.
    context = models.JSONField(_("context"), default=dict, blank=True)
    # Stays the same in every attempt, so that a mail server can drop a duplicate (N1).
    message_id = models.CharField(_("Message-ID"), max_length=255, unique=True, default=new_message_id)
    # Known from the first attempt on; stays empty where the mail has a secret.
    subject = models.CharField(_("subject"), max_length=255, blank=True)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.QUEUED)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"), default=timezone.now)
    # The lease of the present deliverer, which proves by its exact value that it still holds the lease.
    claimed_until = models.DateTimeField(_("claimed until"), null=True, blank=True)
    failure = models.CharField(_("failure"), max_length=12, choices=Failure.choices, blank=True)
    server_reply = models.CharField(_("mail server's reply"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    # The key of the operation that caused it (E7): the same request sent again finds its mails by it.
    request_key = models.CharField(_("request key"), max_length=64, blank=True)
    # The X-Request-ID of the web request that caused it: leads from a mail to the log, and back.
    request_id = models.CharField(_("request ID"), max_length=64, blank=True, editable=False)

    # Set by lists that offer "Send again": the present data of the person to whom the mail was written (N8).
    addressee: Any = None
    database_now: Any  # set by `with_clock`
    may_correct = False  # whether the reader may give that person another address

    objects: ClassVar[MailQuerySet] = MailQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("e-mail")
        verbose_name_plural = _("e-mails")
        indexes = [
            # Read by services.sweep, all the time; contains the few rows that wait, not the millions that were sent.
            models.Index(fields=["next_attempt_at"], name="mail_due", condition=Q(status="queued")),
            # Read by the list of mails, for those that failed, wait or are not needed: few among millions.
            models.Index(fields=["status", "-id"], name="mail_not_sent", condition=~Q(status="sent")),
            # Read by MOBOTIX's list of mails, by kind and by period.
            models.Index(fields=["kind", "-id"], name="mail_by_kind"),
            models.Index(fields=["created_at"], name="mail_by_time"),
        ]
        constraints = [
            models.CheckConstraint(name="mail_status_known", condition=Q(status__in=Status.values)),
            models.CheckConstraint(
                name="mail_sent_has_time",
                condition=Q(status="sent", sent_at__isnull=False) | (~Q(status="sent") & Q(sent_at=None)),
            ),
            models.CheckConstraint(name="mail_failed_has_reason", condition=~Q(status="failed", failure="")),
            models.CheckConstraint(
                name="mail_claimed_is_queued", condition=Q(status="queued") | Q(claimed_until=None)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} → {self.recipient_email}"

    @property
    def last_error(self) -> str:
        """Why the last attempt failed, in the reader's language, for users; "" if it did not fail."""
        if not self.failure:
            return ""
        reason = str(Failure(self.failure).label)
        if not self.server_reply:
            return reason
        return gettext("%(reason)s Answer of the mail server: %(reply)s") % {
            "reason": reason,
            "reply": self.server_reply,
        }

    @property
    def next_address(self) -> str:
        """The address to which "Send again" sends the mail, as far as the list has looked it up (N8)."""
        return str(self.addressee.email) if self.addressee else self.recipient_email

    @property
    def can_be_sent_again(self) -> bool:
        """Whether the mail failed, or waits for its next attempt after a failure, and so can be sent at once (N2)."""
        return self.status == Status.FAILED or (self.status == Status.QUEUED and bool(self.failure))


class RefusedAddress(models.Model):
    """An address for which the mail server refused a mail for good, and has accepted none since (N2)."""

    address_key = models.CharField(max_length=500, unique=True)  # folded, like users' addresses
    refused_at = models.DateTimeField()
    reply = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return self.address_key


class MailServer(models.Model):
    """The state of the only mail server, shared by all processes (N6, N7).

    There is one row, and none before the first failure.
    """

    THE_ONE = 1

    unreachable_since = models.DateTimeField(null=True, blank=True)
    # When the next probe is due. The deliverer that probes sets a later time, so that no other one probes meanwhile.
    next_probe_at = models.DateTimeField(default=timezone.now)
    sender_refused_since = models.DateTimeField(null=True, blank=True)
    sender_reply = models.CharField(max_length=200, blank=True)
    # A recipient's domain that refused a mail because of its sender; a second domain confirms the refusal.
    suspected_at_domain = models.CharField(max_length=255, blank=True)

    def __str__(self) -> str:
        return "unreachable" if self.unreachable_since else "reachable"
