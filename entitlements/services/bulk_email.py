"""E9 for a whole bulk split: "Email all"."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import AuditEntry, Operation, User
from accounts.permissions import Permission
from entitlements.models import BulkSplit, BulkState
from entitlements.models.line_item import LineItemQuerySet
from entitlements.services.bulk_jobs import lock_own
from entitlements.services.bulk_split import parcels_of
from entitlements.services.mailing import MAILED, queue_parcels


@transaction.atomic(durable=True)
def email_bulk_split(*, actor: User, bulk_id: int, key: str, attach_certificate: bool = False) -> BulkSplit:
    """Mail every item that can be mailed to its contact; lines of one order come in one mail (E7).

    Items of customers whom MOBOTIX has moved are left out (A7).
    Raises BulkSplit.DoesNotExist, PermissionDenied, ValidationError where nothing can be mailed.
    """
    bulk = lock_own(actor, bulk_id, Permission.SEND_MAIL)
    request = {"bulk": bulk_id, "certificate": attach_certificate}
    if Operation.objects.done(actor=actor, key=key, kind="email_bulk_split", request=request):
        return bulk
    items = list(mailable_items(bulk).select_related("contact"))
    if bulk.state != BulkState.DONE or not items:
        sentence = _("Only line items that you look after, deployed and not expired, can be e-mailed.")
        raise ValidationError(sentence)
    queue_parcels(parcels=parcels_of(items), certificate=attach_certificate, key=key)
    AuditEntry.objects.record_many(actor=actor, action=MAILED, about=items, count=1)
    Operation.objects.record(actor=actor, key=key, kind="email_bulk_split", request=request, result=bulk)
    return bulk


def mailable_items(bulk: BulkSplit) -> LineItemQuerySet:
    """E3, A7: those that its account looks after, deployed, not expired and still with copies."""
    own = bulk.items.looked_after_by(bulk.account)
    return own.deployed().not_expired().filter(quantity__gt=0).order_by("pk")
