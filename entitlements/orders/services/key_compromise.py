"""Mark a signing key as compromised, and issue anew the licenses that it signed (L6)."""

from collections.abc import Iterator

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts.models import AuditEntry
from entitlements.activation.services.licenses import renew_license
from entitlements.ledger.signing import lock_keys, replace_key
from entitlements.mailing.services.queue import queue_activation_mail
from entitlements.models import License, LineItem, SigningKey
from entitlements.models.kinds import Action
from mxportal.shared.queries import one_or_none


@transaction.atomic(durable=True)
def mark_compromised(*, key_id: str, reason: str) -> SigningKey:
    """Mark a key as compromised; if it is the active key, replace it first (L6). A second call changes nothing.

    Raises ValidationError if there is no such key.
    """
    active = lock_keys()
    key = one_or_none(SigningKey.objects.filter(key_id=key_id))
    if key is None:
        raise ValidationError(f"There is no signing key {key_id}.")
    if key.compromised_at is not None:
        return key
    if key == active:
        replace_key(key)
    key.compromised_at = timezone.now()
    key.save(update_fields=["compromised_at", "retired_at", "private_key"])
    AuditEntry.objects.record(actor=None, action=Action.KEY_COMPROMISED, about=key, reason=reason, key=key_id)
    return key


def reissue_licenses(*, send_mails: bool = False) -> Iterator[License]:
    """Issue anew each valid license that a compromised key signed, one transaction each, and yield the new ones (L6).

    The old license ends and is listed in the revocations. After an interruption, call this again: it continues. With
    ``send_mails``, the contact of each line item gets the new file.
    """
    compromised = License.objects.valid().filter(key__compromised_at__isnull=False)
    after = 0
    while pk := compromised.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True).first():
        if license := _reissue(pk, send_mails=send_mails):
            yield license
        after = pk


@transaction.atomic(durable=True)
def _reissue(pk: int, *, send_mails: bool) -> License | None:
    """Issue one license anew; return None if it has ended in the meantime."""
    item_id = License.objects.values_list("activation__item", flat=True).get(pk=pk)
    item = LineItem.objects.for_update().get(pk=item_id)
    old = License.objects.valid().select_related("activation__device").filter(pk=pk).first()
    if old is None:
        return None
    old.activation.item = item
    new = renew_license(old.activation, old.copies)
    AuditEntry.objects.record(
        actor=None, action=Action.LICENSE_REISSUED, about=item, license=str(old.license_id)
    )
    if new and send_mails and item.is_usable:
        contact = item.contact
        queue_activation_mail(
            items=[item],
            recipients=[contact.email],
            actor=contact,
            contact=contact,
            certificate=True,
            licenses=True,
        )
    return new
