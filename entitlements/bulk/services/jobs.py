"""Carry out bulk splits as jobs: the row says what to do. Small ones run at once, large ones in a worker.

A job holds the lock of its row, so that it is done once. If a worker is killed, its transaction is rolled back, and the
sweep hands the row to the next worker.
"""

import logging
from collections.abc import Callable
from datetime import timedelta

from django.core.cache import cache
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.models import User
from accounts.permissions import Permission, check_permission
from entitlements.bulk.services.check import check_lines
from entitlements.bulk.services.email import mail_all
from entitlements.bulk.services.lines import BulkLine, CheckResult, LinesRefused
from entitlements.bulk.services.split import lock_sources, split_all
from entitlements.bulk.services.undo import undo_all
from entitlements.models import BulkSplit, BulkState, LineItem
from entitlements.models.bulk_split import CARRIED_OUT, DRAFTS, WORKING
from mxportal.shared.alarms import wake, wake_on_commit
from mxportal.shared.database import allow_long_statements

log = logging.getLogger(__name__)
SMALL_BULK_LINES = 500  # which take about a second
TASK = "entitlements.work_on_bulk_split"
MAX_ATTEMPTS = 3
STALLED_AFTER = timedelta(seconds=30)
DRAFTS_KEPT = timedelta(days=30)
PROGRESS_KEPT = 3600  # seconds


def lock_own(actor: User, bulk_id: int, permission: Permission) -> BulkSplit:
    """Lock and return a bulk split of the actor's account. Raises BulkSplit.DoesNotExist, PermissionDenied."""
    check_permission(actor, permission)
    visible = BulkSplit.objects.visible_to(actor).filter(account=actor.account)
    return visible.for_update().get(pk=bulk_id)


def has_errors(bulk: BulkSplit) -> bool:
    """Return whether the last check found a mistake."""
    return bool(bulk.findings.get("lines") or bulk.findings.get("sources"))


def start_job(bulk: BulkSplit, state: BulkState) -> None:
    """Start a job; wake a worker for a large one after the commit.

    If the broker loses the alarm, the sweep finds the row.
    """
    bulk.state, bulk.attempts, bulk.failure = state, 0, ""
    bulk.save()
    if not is_small(bulk):
        wake_on_commit(TASK, [bulk.pk])


def finish_small_job(bulk: BulkSplit) -> BulkSplit:
    """Do a small job now, after the commit, and return the bulk split as it is then."""
    if is_small(bulk):
        work_on(bulk.pk)
        bulk.refresh_from_db()
    return bulk


def is_small(bulk: BulkSplit) -> bool:
    """Return whether the job is done within the request, without a worker."""
    return bulk.line_count <= SMALL_BULK_LINES


def work_on(bulk_id: int) -> None:
    """Do what the row's state asks for; do nothing if the job is done or somebody else does it."""
    if not _count_attempt(bulk_id):
        return
    try:
        _do_job(bulk_id)
    except IntegrityError:  # another seller has just used a new customer's Account ID (A3)
        _do_job(bulk_id)


@transaction.atomic(durable=True)
def _count_attempt(bulk_id: int) -> bool:
    """Count the attempt in its own transaction before the work, so that a job that kills its worker each time ends."""
    bulk = _lock_if_free(bulk_id)
    if bulk is None:
        return False
    if bulk.attempts >= MAX_ATTEMPTS:
        with override(bulk.worker.language):
            _give_up(
                bulk,
                _("The bulk split was interrupted several times. Nothing was changed; please try again."),
            )
        return False
    bulk.attempts += 1
    bulk.save(update_fields=["attempts", "changed_at"])
    return True


def _lock_if_free(bulk_id: int) -> BulkSplit | None:
    """Lock and return the bulk split; None if it has no job or somebody else has the lock."""
    people = ("actor__account", "mailed_by__account", "undone_by__account")
    waiting = BulkSplit.objects.working().select_related(*people)
    return waiting.for_update(skip_locked=True).filter(pk=bulk_id).first()


@transaction.atomic(durable=True)
def _do_job(bulk_id: int) -> None:
    allow_long_statements()
    bulk = _lock_if_free(bulk_id)
    if bulk is None:
        return
    with override(bulk.worker.language):
        try:
            if not bulk.worker.is_active:
                raise PermissionDenied
            WORK_BY_STATE[BulkState(bulk.state)](bulk)
        except (ValidationError, PermissionDenied, ObjectDoesNotExist) as error:
            _refuse(bulk, error)


def _refuse(bulk: BulkSplit, error: Exception) -> None:
    """Keep the mistakes of lines with them, and any other refusal as one sentence. Nothing has been written yet."""
    if isinstance(error, LinesRefused):
        _store_findings(bulk, error.checked)
        return
    _give_up(bulk, error.messages[0] if isinstance(error, ValidationError) else _not_allowed())


def _give_up(bulk: BulkSplit, failure: str) -> None:
    """End the job without a result; what was split before stays."""
    bulk.state = BulkState.DONE if bulk.state in CARRIED_OUT else BulkState.FAILED
    bulk.failure, bulk.undone_by = failure[:500], None
    bulk.save()


def _not_allowed() -> str:
    return _("You may no longer do this with all of these line items.")


def _check(bulk: BulkSplit) -> None:
    check_permission(bulk.actor, Permission.SPLIT)
    sources = sources_of(bulk)
    checked = check_lines(
        actor=bulk.actor,
        sources=sources,
        lines=lines_of(bulk),
        create_customers=bulk.create_customers,
        progress=_progress(bulk),
    )
    _store_findings(bulk, checked)


def _store_findings(bulk: BulkSplit, checked: CheckResult) -> None:
    """Store what the check found. JSON's keys are strings."""
    bulk.findings = {
        "lines": {str(index): errors for index, errors in checked.errors.items()},
        "sources": {str(pk): error for pk, error in checked.source_errors.items()},
        "taken": {str(pk): copies for pk, copies in checked.taken.items()},
        "new_customers": len(checked.customers),
    }
    bulk.state, bulk.copies = BulkState.READY, sum(checked.taken.values())
    bulk.save()


def _split(bulk: BulkSplit) -> None:
    check_permission(bulk.actor, Permission.SPLIT)
    ids = bulk.sources.values_list("pk", flat=True)
    sources = lock_sources(bulk.actor, ids, new_customers=bulk.create_customers)
    split_all(bulk, sources, lines_of(bulk), progress=_progress(bulk))


def _mail(bulk: BulkSplit) -> None:
    mail_all(bulk, progress=_progress(bulk))


def _undo(bulk: BulkSplit) -> None:
    undo_all(bulk, progress=_progress(bulk))


WORK_BY_STATE: dict[BulkState, Callable[[BulkSplit], None]] = {
    BulkState.CHECKING: _check,
    BulkState.RUNNING: _split,
    BulkState.MAILING: _mail,
    BulkState.UNDOING: _undo,
}


def lines_of(bulk: BulkSplit) -> list[BulkLine]:
    """Return the lines as they were typed."""
    return [BulkLine(**row) for row in bulk.lines]


def sources_of(bulk: BulkSplit) -> list[LineItem]:
    """Return the ticked items, with the relations that a row shows."""
    visible = LineItem.objects.visible_to(bulk.actor).filter(pk__in=bulk.sources.values("pk"))
    return list(visible.select_related("product", "entitlement").order_by("pk"))


def _progress(bulk: BulkSplit) -> Callable[[int], None]:
    """Return a function that stores the progress in the cache, because others do not see this transaction yet.

    It does nothing for a small job, for which nobody waits.
    """
    if is_small(bulk):
        return lambda done: None

    def tell(done: int) -> None:
        cache.set(_progress_key(bulk), done, PROGRESS_KEPT)

    tell(0)
    return tell


def progress_of(bulk: BulkSplit) -> int:
    """Return how many lines are done, as far as the cache knows."""
    return min(cache.get(_progress_key(bulk), 0), bulk.line_count)


def _progress_key(bulk: BulkSplit) -> str:
    return f"bulk-split-{bulk.pk}-{bulk.state}"


def sweep_bulk_splits() -> int:
    """Wake jobs that stalled, and delete old drafts, which have names and addresses.

    Return how many jobs were woken.
    """
    now = timezone.now()
    left = BulkSplit.objects.working().filter(changed_at__lt=now - STALLED_AFTER)
    pks = list(left.values_list("pk", flat=True))
    for pk in pks:
        wake(TASK, [pk])
    drop_old_drafts()
    return len(pks)


def drop_old_drafts() -> int:
    """Delete drafts that nobody changed for DRAFTS_KEPT. Return how many."""
    old = BulkSplit.objects.filter(state__in=DRAFTS, changed_at__lt=timezone.now() - DRAFTS_KEPT)
    return old.delete()[1].get("entitlements.BulkSplit", 0)


assert set(WORK_BY_STATE) == set(WORKING)
