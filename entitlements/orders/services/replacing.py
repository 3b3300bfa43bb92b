"""Replace an Activation ID that came into wrong hands; the line item and its activations stay (E5)."""

import hashlib

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import AuditEntry, Operation, User, UserStatus
from accounts.permissions import Permission, check_permission
from entitlements.identifiers.activation_ids import new_activation_id
from entitlements.items.predicates import may_replace
from entitlements.mailing.services.queue import queue_activation_mail
from entitlements.models import LineItem, State
from entitlements.models.kinds import Action


@transaction.atomic(durable=True)
def replace_activation_id(
    *,
    actor: User,
    item_id: int,
    key: str,
    reason: str,
    send_mail: bool = True,
    attach_certificate: bool = False,
) -> LineItem:
    """Replace the Activation ID by a new one, and mail it to the contact (E5).

    The history keeps the last group of the old ID, so that people can tell which one it was, and the audit trail keeps
    its hash; nobody can look it up. The verification code stays: it is no secret, the sealed ledger knows the item by
    it, and the verification page says since when certificates show an old ID. Raises LineItem.DoesNotExist,
    PermissionDenied, and ValidationError at ``item`` or ``reason``.
    """
    check_permission(actor, Permission.REPLACE_IDS)
    item = LineItem.objects.visible_to(actor).for_update().get(pk=item_id)
    request = {
        "item": item_id,
        "reason": reason,
        "send_mail": send_mail,
        "attach_certificate": attach_certificate,
    }
    once = Operation.once(actor, key, "replace_activation_id", request)
    if once.result:
        return item
    if not may_replace(actor, item):
        raise PermissionDenied
    if item.state in (State.DRAFT, State.OBSOLETE):
        raise ValidationError({"item": _("In this state, the Activation ID cannot be replaced.")})
    if not reason.strip():
        raise ValidationError(
            {"reason": _("Enter why the ID is replaced. The reason is kept in the history.")}
        )
    old_tail = _replace(actor, item, reason)
    if send_mail and item.is_usable and item.contact.status == UserStatus.ACTIVE:
        queue_activation_mail(
            items=[item],
            recipients=[item.contact.email],
            actor=actor,
            certificate=attach_certificate,
            contact=item.contact,
            replaces=old_tail,
        )
    once.keep(item)
    return item


def _replace(actor: User, item: LineItem, reason: str) -> str:
    """Give the item a new ID and return the last group of the old one.

    No two IDs of an item have the same last group, because mails identify by it which ID they contain.
    """
    old, old_tail = item.activation_id, item.activation_id_tail
    replacements = AuditEntry.objects.about(item).filter(action=Action.ACTIVATION_ID_REPLACED)
    used = {old_tail, *replacements.values_list("details__tail", flat=True)}
    while item.activation_id_tail in used:
        item.activation_id = new_activation_id()
    item.save(update_fields=["activation_id", "activation_id_end"])
    AuditEntry.objects.record(
        actor=actor,
        action=Action.ACTIVATION_ID_REPLACED,
        about=item,
        reason=reason,
        tail=old_tail,
        sha256=hashlib.sha256(old.encode()).hexdigest(),
    )
    return old_tail
