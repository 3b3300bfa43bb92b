"""Whether the mail server takes mails (N6), and whether it takes them from the portal (N7).

The state is a row, so that all processes share it and an outage of the broker changes nothing. So is the clock: when to
ask again is the database's time.
"""

from datetime import datetime, timedelta
from enum import Enum

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from notifications.models import Failure, Mail, MailServer
from notifications.transport import Refusal

# How long a probe may take until another deliverer may ask instead: longer than any attempt.
PROBE_LEASE = timedelta(seconds=settings.CELERY_VISIBILITY_TIMEOUT)
PROBE_PAUSE = timedelta(seconds=settings.OUTBOX_PROBE_SECONDS)


class Turn(Enum):
    """What a deliverer may do now."""

    DELIVER = "deliver"
    PROBE = "probe"  # one mail, and the others only if the server takes it
    WAIT = "wait"


def take_turn() -> Turn:
    """Ask before a batch. Of many who ask while the server is unreachable, one at a time gets the probe (N6)."""
    if not _unreachable().exists():
        return Turn.DELIVER
    taken = _unreachable().filter(next_probe_at__lte=Now()).update(next_probe_at=Now() + PROBE_LEASE)
    return Turn.PROBE if taken else Turn.WAIT


def give_back_turn() -> None:
    """There was nothing to probe with."""
    _unreachable().update(next_probe_at=Now())


def is_unreachable() -> bool:
    """Whether the last that is known of it is that it took no mail."""
    return _unreachable().exists()


def is_asked_now() -> bool:
    """Whether it makes sense to wake a deliverer."""
    return not _unreachable().filter(next_probe_at__gt=Now()).exists()


def note_unusable() -> None:
    """It took no mail: the first probe comes at once, with another mail, each further one after a pause (N6)."""
    server, _ = MailServer.objects.get_or_create(pk=MailServer.THE_ONE)
    pause = PROBE_PAUSE if server.unreachable_since else timedelta()
    MailServer.objects.filter(pk=server.pk).update(
        unreachable_since=server.unreachable_since or timezone.now(),
        next_probe_at=Now() + pause,
    )


def note_usable() -> None:
    """It answered about a mail, whatever it said."""
    _unreachable().update(unreachable_since=None)


def note_sender(mail: Mail, refusal: Refusal | None, now: datetime) -> None:
    """A mail that was taken clears the portal's name; a refusal of the sender stands until then (N7).

    Said of one mail it may be a whim of one recipient's server, so it counts once a second domain says the same.
    """
    if refusal is None:
        MailServer.objects.exclude(sender_refused_since=None, suspected_at_domain="").update(
            sender_refused_since=None, sender_reply="", suspected_at_domain=""
        )
    elif refusal.failure == Failure.SENDER:
        _note_refused_sender(mail, refusal, now)


def _note_refused_sender(mail: Mail, refusal: Refusal, now: datetime) -> None:
    server, _ = MailServer.objects.get_or_create(pk=MailServer.THE_ONE)
    domain = mail.recipient_email.rpartition("@")[2].lower()
    is_sure = refusal.of_every_mail or server.suspected_at_domain not in {"", domain}
    if is_sure and server.sender_refused_since is None:
        server.sender_refused_since = now
    server.sender_reply = refusal.reply
    server.suspected_at_domain = server.suspected_at_domain or domain
    server.save(update_fields=["sender_refused_since", "sender_reply", "suspected_at_domain"])


def sender_is_accepted() -> bool:
    """For `/readyz` (N7)."""
    return not MailServer.objects.filter(sender_refused_since__isnull=False).exists()


def trouble() -> MailServer | None:
    """The server's state where somebody has to do something about it, for MOBOTIX's eyes."""
    server = MailServer.objects.filter(pk=MailServer.THE_ONE).first()
    return server if server and (server.sender_refused_since or server.unreachable_since) else None


def _unreachable() -> QuerySet[MailServer]:
    return MailServer.objects.filter(unreachable_since__isnull=False)
