"""Whether the mail server can be reached (N6), and whether it accepts mails from the portal (N7).

The state is a row, so that all processes share it and an outage of the broker changes nothing. The times in it are the
database's.
"""

from datetime import datetime, timedelta
from enum import Enum

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from notifications.models import Failure, Mail, MailServer
from notifications.transport import Refusal

# The time after which another deliverer may probe instead; longer than any attempt.
PROBE_LEASE = timedelta(seconds=settings.CELERY_VISIBILITY_TIMEOUT)
PROBE_PAUSE = timedelta(seconds=settings.OUTBOX_PROBE_SECONDS)


class Turn(Enum):
    """What a deliverer may do now."""

    DELIVER = "deliver"
    PROBE = "probe"  # one mail, and the others only if the server accepts it
    WAIT = "wait"


def take_turn() -> Turn:
    """Return what the caller may do with a batch (N6).

    While the server is unreachable, one caller at a time gets the probe.
    """
    if not _unreachable().exists():
        return Turn.DELIVER
    taken = _unreachable().filter(next_probe_at__lte=Now()).update(next_probe_at=Now() + PROBE_LEASE)
    return Turn.PROBE if taken else Turn.WAIT


def give_back_turn() -> None:
    """Allow the next probe at once, because there was no mail to probe with."""
    _unreachable().update(next_probe_at=Now())


def is_unreachable() -> bool:
    """Return whether the server was unreachable at the last attempt (N6)."""
    return _unreachable().exists()


def may_be_probed() -> bool:
    """Return whether waking a deliverer makes sense: the server is reachable, or a probe is due (N6)."""
    return not _unreachable().filter(next_probe_at__gt=Now()).exists()


def note_unusable() -> None:
    """Record that the server was unreachable (N6).

    The first probe comes at once, with another mail, each further one after a pause.
    """
    server, _ = MailServer.objects.get_or_create(pk=MailServer.THE_ONE)
    pause = PROBE_PAUSE if server.unreachable_since else timedelta()
    MailServer.objects.filter(pk=server.pk).update(
        unreachable_since=server.unreachable_since or timezone.now(),
        next_probe_at=Now() + pause,
    )


def note_usable() -> None:
    """Record that the server answered about a mail, whatever the answer was (N6)."""
    _unreachable().update(unreachable_since=None)


def note_sender(mail: Mail, refusal: Refusal | None, now: datetime) -> None:
    """Record whether the server accepts the portal as sender (N7).

    An accepted mail clears a refusal. A refusal at one recipient's domain counts once a second domain confirms it.
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
    """Return whether no refusal of the portal as sender is recorded (N7; for `/readyz`)."""
    return not MailServer.objects.filter(sender_refused_since__isnull=False).exists()


def server_problem() -> MailServer | None:
    """Return the server's state where MOBOTIX has to act, else None (N6, N7)."""
    server = MailServer.objects.filter(pk=MailServer.THE_ONE).first()
    return server if server and (server.sender_refused_since or server.unreachable_since) else None


def _unreachable() -> QuerySet[MailServer]:
    return MailServer.objects.filter(unreachable_since__isnull=False)
