"""Mail all items of a bulk split: "Email all" (E9)."""

from collections.abc import Callable

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import AuditEntry
from accounts.permissions import Permission, check_permission
from entitlements.bulk.services.split import ROWS_PER_STATEMENT, by_order_and_contact
from entitlements.mailing.services.queue import queue_contact_mails
from entitlements.models import BulkSplit, BulkState
from entitlements.models.kinds import Action
from entitlements.models.line_item import LineItemQuerySet


def mail_all(bulk: BulkSplit, *, progress: Callable[[int], None]) -> None:
    """Mail every item that can be mailed to its contact, lines of one order in one mail (E7).

    Raises ValidationError if nothing can be mailed any more.
    """
    actor = bulk.worker
    check_permission(actor, Permission.SEND_MAIL)
    check_mailable(bulk)
    items = list(mailable_items(bulk).select_related("contact"))
    queue_contact_mails(parcels=by_order_and_contact(items), certificate=bulk.attach_certificate)
    for start in range(0, len(items), ROWS_PER_STATEMENT):
        part = items[start : start + ROWS_PER_STATEMENT]
        AuditEntry.objects.record_many(actor=actor, action=Action.MAILED, about=part, count=1)
        progress(start + len(part))
    bulk.state = BulkState.DONE
    bulk.save()


def check_mailable(bulk: BulkSplit) -> None:
    """Raise ValidationError if nothing can be mailed."""
    if not mailable_items(bulk).exists():
        raise ValidationError(
            _("Only deployed line items that you look after and that have not expired can be e-mailed.")
        )


def mailable_items(bulk: BulkSplit) -> LineItemQuerySet:
    """Return items that the account serves, deployed, not expired and still with copies (E3, A7)."""
    own = bulk.items.looked_after_by(bulk.account)
    return own.deployed().not_expired().filter(quantity__gt=0).order_by("pk")
