"""Queue notices before entitlements expire, once a day, and MOBOTIX's digest, once a week (N5)."""

from collections.abc import Callable
from datetime import date, timedelta
from functools import reduce
from operator import or_

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import Account, AccountStatus, Role, SellingRelation, Tier, User, UserStatus
from accounts.services.credentials import queue_user_mails
from entitlements.models import LineItem, NoticeKind, NoticeRun, today
from entitlements.models.kinds import MailKind
from entitlements.models.line_item import LineItemQuerySet


def notify_expiring() -> int:
    """Queue one mail for each person concerned, for today and the days that no run covered (N5). Return how many."""
    return _run_once(NoticeKind.EXPIRING, today(), 1, _queue_notices)


def send_digest() -> int:
    """Queue what expires for MOBOTIX's admins with the box ticked, once an ISO week (N5). Return how many mails."""
    monday = today() - timedelta(days=today().weekday())
    return _run_once(NoticeKind.DIGEST, monday, 7, _queue_digest)


def _run_once(kind: NoticeKind, on: date, days: int, queue: Callable[[NoticeRun], int]) -> int:
    """Do the run that ends at ``on`` unless it was done. The very first run covers ``days`` days."""
    last = _last_run(kind)
    if last is not None and last.on >= on:
        return 0
    try:
        with transaction.atomic(durable=True):
            start = last.on if last else on - timedelta(days=days)
            return queue(NoticeRun.objects.create(kind=kind, on=on, covers_after=start))
    except IntegrityError:
        if _last_run(kind) == last:
            raise
        return 0  # another beat was faster; the next run does what it left


def _last_run(kind: NoticeKind) -> NoticeRun | None:
    return NoticeRun.objects.filter(kind=kind).order_by("-on").first()


def expiring_items(run: NoticeRun) -> LineItemQuerySet:
    """Return deployed items that reached one of the marks within the run's days and still have copies.

    The index on the expiration date gives the few items at the marks, whatever the number of items.
    """
    marks = [timedelta(days=days) for days in settings.EXPIRING_NOTICE_DAYS]
    passed = [Q(expires_on__gt=run.covers_after + mark, expires_on__lte=run.on + mark) for mark in marks]
    return _with_usable_copies(LineItem.objects.filter(reduce(or_, passed, Q(pk__in=[]))).not_expired())


def soon_expiring_items() -> LineItemQuerySet:
    """Return the items that the digest sums up."""
    return _with_usable_copies(LineItem.objects.expiring_within(settings.EXPIRING_DAYS))


def _with_usable_copies(items: LineItemQuerySet) -> LineItemQuerySet:
    return items.deployed().filter(Q(available__gt=0) | Q(activated__gt=0))


def concerning(account: Account, items: LineItemQuerySet) -> LineItemQuerySet:
    """Keep the account's own items, those that it serves, and those that it sold to accounts that still buy from it."""
    bought = _still_sold_to(items).filter(seller=account)
    return items.filter(Q(owner=account) | Q(serving_account=account) | Q(pk__in=bought.values("pk")))


def _still_sold_to(items: LineItemQuerySet) -> LineItemQuerySet:
    """Keep the items whose owner still buys from their seller (A7)."""
    relations = SellingRelation.objects.accepted().filter(seller=OuterRef("seller"), buyer=OuterRef("owner"))
    return items.filter(Exists(relations))


def wants_notices(people: QuerySet[User]) -> QuerySet[User]:
    """Keep active users and contacts of active accounts with "Expiring entitlements email" ticked."""
    return people.filter(status=UserStatus.ACTIVE, account__status=AccountStatus.ACTIVE, expiring_email=True)


def gets_digest(people: QuerySet[User]) -> QuerySet[User]:
    """Keep MOBOTIX's admins with the box ticked, who get one mail a week in place of one a day."""
    admins = {"can_log_in": True, "role": Role.PORTAL_ADMIN}
    return wants_notices(people).filter(account__tier=Tier.MOBOTIX, **admins)


def _queue_notices(run: NoticeRun) -> int:
    items = expiring_items(run)
    concerned = (
        Q(account__in=items.values("owner"))
        | Q(account__in=items.values("serving_account"))
        | Q(account__in=_still_sold_to(items).values("seller"))
    )
    people = wants_notices(User.objects.filter(concerned)).exclude(pk__in=gets_digest(User.objects.all()))
    return len(queue_user_mails(people.order_by("pk"), MailKind.EXPIRING, run=run.pk))


def _queue_digest(run: NoticeRun) -> int:
    if not soon_expiring_items().exists():
        return 0
    return len(queue_user_mails(gets_digest(User.objects.order_by("pk")), MailKind.DIGEST))
