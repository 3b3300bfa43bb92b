"""N5: notices before entitlements expire, once a day, and MOBOTIX's digest, once a week."""

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
    """N5: one mail to each person concerned, for today and the days that no run spoke for. Returns how many."""
    return _run_once(NoticeKind.EXPIRING, today(), 1, _queue_notices)


def send_digest() -> int:
    """What expires, to MOBOTIX's admins with the box ticked, once an ISO week. Returns how many mails."""
    monday = today() - timedelta(days=today().weekday())
    return _run_once(NoticeKind.DIGEST, monday, 7, _queue_digest)


def _run_once(kind: NoticeKind, on: date, days: int, queue: Callable[[NoticeRun], int]) -> int:
    """Do the run that ends at ``on``, unless it is done. The first run of all covers as many ``days``."""
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
        return 0  # another beat was quicker; what it left, the next one does


def _last_run(kind: NoticeKind) -> NoticeRun | None:
    return NoticeRun.objects.filter(kind=kind).order_by("-on").first()


def expiring_items(run: NoticeRun) -> LineItemQuerySet:
    """Deployed items that came within one of the marks in the days of the run, with copies that are of use to anybody.

    The index on the expiration date gives the few items at the marks, whatever the number of items.
    """
    marks = [timedelta(days=days) for days in settings.EXPIRING_NOTICE_DAYS]
    passed = [Q(expires_on__gt=run.covers_after + mark, expires_on__lte=run.on + mark) for mark in marks]
    return _worth_a_word(LineItem.objects.filter(reduce(or_, passed, Q(pk__in=[]))).not_expired())


def soon_expiring_items() -> LineItemQuerySet:
    """What the digest sums up."""
    return _worth_a_word(LineItem.objects.expiring_within(settings.EXPIRING_DAYS))


def _worth_a_word(items: LineItemQuerySet) -> LineItemQuerySet:
    return items.deployed().filter(Q(available__gt=0) | Q(activated__gt=0))


def concerning(account: Account, items: LineItemQuerySet) -> LineItemQuerySet:
    """An account's own items, and those that it sold to the accounts that it sells to, or serves."""
    bought = _still_sold_to(items).filter(seller=account)
    return items.filter(Q(owner=account) | Q(serving_account=account) | Q(pk__in=bought.values("pk")))


def _still_sold_to(items: LineItemQuerySet) -> LineItemQuerySet:
    """A7: those whose owner still buys from the seller."""
    relations = SellingRelation.objects.accepted().filter(seller=OuterRef("seller"), buyer=OuterRef("owner"))
    return items.filter(Exists(relations))


def wants_notices(people: QuerySet[User]) -> QuerySet[User]:
    """Active users and contacts, of active accounts, with the box "Expiring entitlements email" ticked."""
    return people.filter(status=UserStatus.ACTIVE, account__status=AccountStatus.ACTIVE, expiring_email=True)


def gets_digest(people: QuerySet[User]) -> QuerySet[User]:
    """MOBOTIX's admins with the box ticked: they get one mail a week in place of one a day."""
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
