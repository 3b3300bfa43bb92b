"""Queue the mails with Activation IDs, and the mails that say that copies were taken back (E8, E9)."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.models import Account, AuditEntry, MailEntry, Operation, User
from accounts.permissions import Permission, check_permission
from accounts.quotas import Quota, spend
from entitlements.items.checks import check_reason
from entitlements.items.predicates import may_hand_on, party_ids
from entitlements.models import LineItem
from entitlements.models.kinds import Action, MailKind
from mxportal.shared.fields import fold
from mxportal.shared.refusals import refusal
from notifications.models import Mail, Status
from notifications.services import MailDraft, queue_mails

ITEMS_PER_QUERY = 500


def parse_recipients(text: str) -> list[str]:
    """Return the addresses of a text with commas between them (E9).

    Raises ValidationError that names each wrong address.
    """
    if "\n" in text or "\r" in text:
        raise refusal("line-breaks", _("Separate the addresses with commas, without line breaks."))
    addresses = list({fold(part): part.strip() for part in text.split(",") if part.strip()}.values())
    if not addresses:
        raise refusal("no-recipients", _("Enter at least one e-mail address."))
    if len(addresses) > settings.MAX_MAIL_RECIPIENTS:
        message = _("Enter at most %(most)s addresses. You entered %(count)s.")
        raise refusal(
            "too-many-recipients", message % {"most": settings.MAX_MAIL_RECIPIENTS, "count": len(addresses)}
        )
    for address in addresses:
        _check_address(address)
    return addresses


def _check_address(address: str) -> None:
    try:
        validate_email(address if address.isprintable() else "")
    except ValidationError as error:
        message = _("“%(address)s” is not an e-mail address. Correct it and send again.")
        raise refusal("wrong-address", message % {"address": address[:100]}) from error


@transaction.atomic(durable=True)
def email_line_items(
    *,
    actor: User,
    item_id: int,
    recipients: list[str],
    key: str,
    whole_entitlement: bool = False,
    attach_certificate: bool = False,
    attach_licenses: bool = False,
    reason: str = "",
) -> list[Mail]:
    """Mail an item, or all lines of its entitlement that can be mailed, to each recipient (E9).

    With ``attach_licenses`` the mail has the license files that are valid at its delivery. Raises
    LineItem.DoesNotExist, PermissionDenied, and ValidationError at ``item`` (only deployed items, E3) or ``reason``
    (E13).
    """
    check_permission(actor, Permission.SEND_MAIL)
    spend(actor, Quota.MAILS)
    item = LineItem.objects.visible_to(actor).for_update().get(pk=item_id)
    request = {
        "item": item_id,
        "recipients": recipients,
        "whole": whole_entitlement,
        "certificate": attach_certificate,
        "licenses": attach_licenses,
        "reason": reason,
    }
    once = Operation.once(actor, key, "email", request)
    if once.result:
        return list(item.mails.filter(request_key=key).order_by("id"))
    if not may_hand_on(actor, item):
        raise PermissionDenied
    if not item.is_usable:
        raise refusal(
            "not-mailable", {"item": _("Only line items that are deployed and not expired can be e-mailed.")}
        )
    check_reason(actor, item, reason)
    mails = queue_activation_mail(
        items=list(mailable(item)) if whole_entitlement else [item],
        recipients=recipients,
        actor=actor,
        certificate=attach_certificate,
        licenses=attach_licenses,
        key=key,
    )
    AuditEntry.objects.record(actor=actor, action=Action.MAILED, about=item, reason=reason, count=len(mails))
    once.keep(item)
    return mails


def mailable(item: LineItem) -> QuerySet[LineItem]:
    """Return the lines of the item's entitlement that can be mailed.

    They have one owner and one seller: who may mail one of them may mail all.
    """
    return LineItem.objects.filter(entitlement=item.entitlement_id).deployed().not_expired().order_by("pk")


def queue_activation_mail(
    *,
    items: Sequence[LineItem],
    recipients: list[str],
    actor: User,
    certificate: bool,
    licenses: bool = False,
    contact: User | None = None,
    key: str = "",
    replaces: str = "",
) -> list[Mail]:
    """Queue one mail for each recipient in the recipient's language, and keep it with its items (E9).

    ``contact`` is the person of the only recipient, if the caller has just looked it up. ``key`` is the request's key.
    ``replaces`` is the last group of the old ID, if the ID of the only item was replaced (E5).
    """
    known = {fold(contact.email): contact} if contact else _known_persons(items[0], recipients)
    extras = ({"replaces": replaces} if replaces else {}) | ({"licenses": True} if licenses else {})
    drafts = []
    for address in recipients:
        person = known.get(fold(address))
        drafts.append(
            MailDraft(
                kind=MailKind.ACTIVATION,
                recipient_email=address,
                recipient_name=str(person) if person else "",
                language=person.language if person else (get_language() or actor.language),
                context=_context(items, certificate) | extras | ({"contact": person.pk} if person else {}),
                request_key=key,
            )
        )
    mails = queue_mails(drafts)
    keep_mails([(item, mail) for item in items for mail in mails])
    return mails


def queue_contact_mails(
    *, parcels: Sequence[tuple[Sequence[LineItem], User]], certificate: bool
) -> list[Mail]:
    """Queue one mail for each pair of items and contact, in the contact's language, with one alarm for all (E9)."""
    mails = queue_mails(
        MailDraft(
            kind=MailKind.ACTIVATION,
            recipient_email=contact.email,
            recipient_name=str(contact),
            language=contact.language,
            context=_context(items, certificate) | {"contact": contact.pk},
        )
        for items, contact in parcels
    )
    keep_mails(
        [(item, mail) for (items, _contact), mail in zip(parcels, mails, strict=True) for item in items]
    )
    return mails


def _context(items: Sequence[LineItem], certificate: bool) -> dict[str, Any]:
    """Return the context of the mail with the last group of each ID, so that it never contains a later ID (E5)."""
    return {
        "items": [item.pk for item in items],
        "tails": {str(item.pk): item.activation_id_tail for item in items},
        "certificate": certificate,
    }


def has_present_id(mail: Mail, item: LineItem) -> bool:
    """Return whether the mail contains the item's present ID; a mail with a replaced one may have gone astray (E5)."""
    tails = mail.context.get("tails")  # none in a mail of an older version
    return tails is None or tails.get(str(item.pk)) == item.activation_id_tail


def keep_mails(pairs: Sequence[tuple[LineItem, Mail]]) -> None:
    """Keep mails with their items, and in the lists of the parties of those items (E5)."""
    link = LineItem.mails.through
    link.objects.bulk_create(link(lineitem=item, mail=mail) for item, mail in pairs)
    MailEntry.objects.keep((account, mail.pk) for item, mail in pairs for account in party_ids(item))


def share_mails(*, account: Account, reader: Account) -> None:
    """Add mails to an account's people and about its items that the reader now serves to the reader's list (A7)."""
    served = LineItem.objects.filter(owner=account, serving_account=reader)
    of_items = LineItem.mails.through.objects.filter(lineitem__in=served)
    of_people = User.mails.through.objects.filter(user__account=account)
    mails = of_items.values_list("mail_id").union(of_people.values_list("mail_id"))
    MailEntry.objects.keep((reader.pk, mail_id) for (mail_id,) in mails)


def _known_persons(item: LineItem, recipients: list[str]) -> dict[str, User]:
    """Return the persons of the buyer by folded address, for name and language."""
    keys = [fold(address) for address in recipients]
    return {
        person.email_key: person
        for person in User.objects.active().filter(account=item.owner_id, email_key__in=keys)
    }


def queue_undo_mails(*, item: LineItem, copies: int) -> list[Mail]:
    """Tell everyone to whom the item's Activation ID was mailed, once each (E8)."""
    return queue_all_undo_mails([(item, copies)])


def queue_all_undo_mails(undone: Sequence[tuple[LineItem, int]]) -> list[Mail]:
    """Do as ``queue_undo_mails`` for many items, in few queries. Each pair has an item and its returned copies."""
    had = _delivered_mails([item.pk for item, _copies in undone])
    told = [
        (item, copies, mail)
        for item, copies in undone
        for mail in had.get(item.pk, {}).values()
        if has_present_id(mail, item)
    ]
    mails = queue_mails(
        MailDraft(
            kind=MailKind.UNDONE,
            recipient_email=mail.recipient_email,
            recipient_name=mail.recipient_name,
            language=mail.language,
            context={"item": item.pk, "copies": copies},
        )
        for item, copies, mail in told
    )
    keep_mails([(item, mail) for (item, _copies, _had), mail in zip(told, mails, strict=True)])
    return mails


def _delivered_mails(item_ids: Sequence[int]) -> dict[int, dict[str, Mail]]:
    """Return by item and folded address the last mail with the Activation ID that was sent or is being sent now."""
    came = Q(mail__status=Status.SENT) | Q(mail__status=Status.QUEUED, mail__claimed_until__isnull=False)
    links = LineItem.mails.through.objects.filter(came, mail__kind=MailKind.ACTIVATION).select_related("mail")
    found: dict[int, dict[str, Mail]] = {}
    for start in range(0, len(item_ids), ITEMS_PER_QUERY):
        for link in links.filter(lineitem__in=item_ids[start : start + ITEMS_PER_QUERY]).order_by("mail_id"):
            found.setdefault(link.lineitem_id, {})[fold(link.mail.recipient_email)] = link.mail
    return found
