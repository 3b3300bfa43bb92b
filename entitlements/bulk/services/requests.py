"""What people request of a bulk split: check its lines, correct them, carry it out, mail it, undo it, discard it.

Each service keeps its key's result (E7) and starts a job, which ``jobs.py`` carries out.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import AuditEntry, Operation, User
from accounts.permissions import Permission, check_permission
from entitlements.bulk.services.check import check_characters, check_counts
from entitlements.bulk.services.email import check_mailable
from entitlements.bulk.services.jobs import finish_small_job, has_errors, lock_own, start_job
from entitlements.bulk.services.lines import BulkLine
from entitlements.bulk.services.undo import check_undo, items_with_copies
from entitlements.items.predicates import may_split
from entitlements.models import BulkSplit, BulkState, LineItem
from entitlements.models.bulk_split import DRAFTS, WAITING
from entitlements.models.kinds import Action
from mxportal.shared.refusals import refusal


def start_bulk_split(
    *,
    actor: User,
    item_ids: Sequence[int],
    lines: Sequence[BulkLine],
    key: str,
    origin: str,
    file_name: str = "",
    create_customers: bool = False,
    replaces: int | None = None,
) -> BulkSplit:
    """Keep the lines and start their check; nothing is split yet. The draft that these lines replace is discarded.

    Raises LineItem.DoesNotExist, BulkSplit.DoesNotExist, PermissionDenied, and ValidationError at ``items`` or
    ``lines``, or if that draft was carried out in the meantime.
    """
    request = {
        "items": sorted(item_ids),
        "lines": [line.as_row() for line in lines],
        "create_customers": create_customers,
        "replaces": replaces,
    }
    bulk = _start(actor=actor, key=key, request=request, origin=origin, file_name=file_name[:200])
    return finish_small_job(bulk)


@transaction.atomic(durable=True)
def _start(*, actor: User, key: str, request: dict[str, Any], **kept: str) -> BulkSplit:
    check_permission(actor, Permission.SPLIT)
    User.objects.for_update().get(pk=actor.pk)
    once = Operation.once(actor, key, "start_bulk_split", request)
    if once.result:
        return BulkSplit.objects.get(pk=once.result)
    sources = list(LineItem.objects.visible_to(actor).filter(pk__in=request["items"]))
    if len(sources) != len(set(request["items"])):
        raise LineItem.DoesNotExist
    if not all(may_split(actor, source) for source in sources):
        raise PermissionDenied
    check_counts(sources, request["lines"])
    check_characters(request["lines"])
    if request["replaces"]:
        _discard_replaced(actor, request["replaces"])
    bulk = BulkSplit.objects.create(
        actor=actor,
        account=actor.account,
        lines=request["lines"],
        line_count=len(request["lines"]),
        create_customers=request["create_customers"],
        **kept,
    )
    bulk.sources.set(sources)
    once.keep(bulk)
    start_job(bulk, BulkState.CHECKING)
    return bulk


def correct_bulk_split(
    *,
    actor: User,
    bulk_id: int,
    seen: str,
    corrections: Mapping[int, BulkLine | None],
    create_customers: bool,
    key: str,
) -> BulkSplit:
    """Replace lines by index, or leave them out (None), and check all lines again.

    ``seen`` is the version of the lines that the page showed. Raises BulkSplit.DoesNotExist, PermissionDenied, and
    ValidationError if it is not the present version or the bulk split is not waiting for corrections.
    """
    rows = {index: line.as_row() if line else None for index, line in corrections.items()}
    request = {"bulk": bulk_id, "seen": seen, "rows": rows, "create_customers": create_customers}
    return finish_small_job(_correct(actor=actor, key=key, request=request))


@transaction.atomic(durable=True)
def _correct(*, actor: User, key: str, request: dict[str, Any]) -> BulkSplit:
    """Keep the corrections.

    The person who corrects becomes the actor: the next steps have this person's rights and name.
    """
    bulk = lock_own(actor, request["bulk"], Permission.SPLIT)
    once = Operation.once(actor, key, "correct_bulk_split", request)
    if once.result:
        return bulk
    typed_stays = _("Your input is kept in the lines that are still wrong. Check them again.")
    _check_waiting(bulk, request["seen"], now=typed_stays)
    changed = [request["rows"].get(index, row) for index, row in enumerate(bulk.lines)]
    lines = [row for row in changed if row is not None]
    check_characters(lines)
    if not lines:
        raise refusal("no-lines", _("Keep at least one line."))
    bulk.actor = actor
    bulk.lines, bulk.line_count = lines, len(lines)
    bulk.create_customers = request["create_customers"]
    start_job(bulk, BulkState.CHECKING)
    once.keep(bulk)
    return bulk


def carry_out(
    *, actor: User, bulk_id: int, seen: str, key: str, send_mail: bool, attach_certificate: bool = False
) -> BulkSplit:
    """Split all: check the lines again under the locks, then split all of them or none (E7).

    ``seen`` is the version of the lines that the page showed. Raises BulkSplit.DoesNotExist, PermissionDenied, and
    ValidationError if it is not the present version, if lines are wrong, or if the bulk split does not wait for this.
    """
    options = {"send_mail": send_mail, "attach_certificate": attach_certificate}
    return finish_small_job(_carry_out(actor=actor, bulk_id=bulk_id, seen=seen, key=key, options=options))


@transaction.atomic(durable=True)
def _carry_out(*, actor: User, bulk_id: int, seen: str, key: str, options: dict[str, bool]) -> BulkSplit:
    bulk = lock_own(actor, bulk_id, Permission.SPLIT)
    request = {"bulk": bulk_id, "seen": seen, **options}
    once = Operation.once(actor, key, "carry_out_bulk_split", request)
    if once.result:
        return bulk
    _check_waiting(bulk, seen, now=_("These are the current lines."))
    if bulk.state != BulkState.READY or has_errors(bulk):
        raise refusal("lines-wrong", _("Correct the lines that are marked first."))
    bulk.actor = actor
    bulk.send_mail, bulk.attach_certificate = options["send_mail"], options["attach_certificate"]
    start_job(bulk, BulkState.RUNNING)
    once.keep(bulk)
    return bulk


def _check_waiting(bulk: BulkSplit, seen: str, *, now: str) -> None:
    """Refuse if the bulk split is not waiting or has other lines than the page showed.

    ``now`` is a sentence that says what the page shows after the refusal.
    """
    if bulk.state not in WAITING:
        raise _changed_meanwhile()
    if seen != bulk.version:
        changed = _("The lines were changed after this page was opened.")
        raise refusal("gone-on", f"{changed} {now}")


def _changed_meanwhile() -> ValidationError:
    return refusal("gone-on", _("This bulk split has changed in the meantime. Check its current status."))


def _discard_replaced(actor: User, bulk_id: int) -> None:
    """Discard the draft that is replaced, so that only one of the two can be split (E7)."""
    bulk = lock_own(actor, bulk_id, Permission.SPLIT)
    if bulk.state in DRAFTS:
        _discard(actor, bulk)
    elif bulk.state != BulkState.DISCARDED:
        raise _changed_meanwhile()


@transaction.atomic(durable=True)
def discard_bulk_split(*, actor: User, bulk_id: int, key: str) -> BulkSplit:
    """Discard a draft: its row stays, its lines, which have names and addresses, are deleted (A6).

    Raises BulkSplit.DoesNotExist, PermissionDenied, and ValidationError if it is no draft any more.
    """
    bulk = lock_own(actor, bulk_id, Permission.SPLIT)
    request = {"bulk": bulk_id}
    once = Operation.once(actor, key, "discard_bulk_split", request)
    if once.result:
        return bulk
    if bulk.state not in DRAFTS:
        raise _changed_meanwhile()
    _discard(actor, bulk)
    once.keep(bulk)
    return bulk


def _discard(actor: User, bulk: BulkSplit) -> None:
    bulk.state, bulk.lines, bulk.findings, bulk.failure = BulkState.DISCARDED, [], {}, ""
    bulk.save()
    AuditEntry.objects.record(
        actor=actor, action=Action.BULK_SPLIT_DISCARDED, about=bulk, lines=bulk.line_count
    )


def email_bulk_split(*, actor: User, bulk_id: int, key: str, attach_certificate: bool = False) -> BulkSplit:
    """Email all: mail every item, except those of customers that MOBOTIX has transferred (E9, A7).

    Raises BulkSplit.DoesNotExist, PermissionDenied, and ValidationError if nothing can be mailed.
    """
    return finish_small_job(
        _email(actor=actor, bulk_id=bulk_id, key=key, attach_certificate=attach_certificate)
    )


@transaction.atomic(durable=True)
def _email(*, actor: User, bulk_id: int, key: str, attach_certificate: bool) -> BulkSplit:
    bulk = lock_own(actor, bulk_id, Permission.SEND_MAIL)
    request = {"bulk": bulk_id, "certificate": attach_certificate}
    once = Operation.once(actor, key, "email_bulk_split", request)
    if once.result:
        return bulk
    if bulk.state != BulkState.DONE:
        raise _changed_meanwhile()
    check_mailable(bulk)
    bulk.mailed_by, bulk.attach_certificate = actor, attach_certificate
    start_job(bulk, BulkState.MAILING)
    once.keep(bulk)
    return bulk


def undo_bulk_split(*, actor: User, bulk_id: int, key: str, reason: str = "") -> BulkSplit:
    """Undo all: return every copy that is still there, or none (E8).

    Raises BulkSplit.DoesNotExist, PermissionDenied, and ValidationError at ``reason`` or if something blocks the undo.
    """
    return finish_small_job(_undo(actor=actor, bulk_id=bulk_id, key=key, reason=reason))


@transaction.atomic(durable=True)
def _undo(*, actor: User, bulk_id: int, key: str, reason: str) -> BulkSplit:
    check_permission(actor, Permission.UNDO_SPLIT)
    visible = BulkSplit.objects.visible_to(actor).for_update()
    bulk = visible.get(pk=bulk_id)
    request = {"bulk": bulk_id, "reason": reason}
    once = Operation.once(actor, key, "undo_bulk_split", request)
    if once.result:
        return bulk
    if bulk.state != BulkState.DONE:
        raise _changed_meanwhile()
    check_undo(actor, items_with_copies(bulk), reason)
    bulk.undone_by, bulk.undo_reason = actor, reason
    start_job(bulk, BulkState.UNDOING)
    once.keep(bulk)
    return bulk
