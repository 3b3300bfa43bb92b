"""Home: what needs doing, and what happened last, for one reader."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import SellingRelation, User
from accounts.permissions import Permission
from entitlements.activation.pages.devices import DeviceRow, device_rows, list_devices
from entitlements.items.history import Event, newest_events
from entitlements.items.listing import BY_EXPIRATION, NEWEST, first_visible
from entitlements.items.rows import ItemRow, item_rows
from entitlements.mailing.pages.mail_list import mail_server_trouble
from entitlements.mailing.services import resending
from entitlements.mailing.services.addressees import with_addressees
from entitlements.models import Entitlement, LineItem, State
from entitlements.models.line_item import LineItemQuerySet
from entitlements.overview.pages.first_steps import Step, first_steps
from mxportal.shared.pagination import capped_count, first_rows
from notifications.models import Mail, MailServer

ROWS_SHOWN = 5
EVENTS_SHOWN = 8
FAILED_MAIL_DAYS = 30
ITEMS_ASKED = 100  # newest items among which the newest movements are looked for


@dataclass(frozen=True)
class Request:
    """A seller's request for a relation, with the seller's name (A2)."""

    pk: int
    seller: str


@dataclass(frozen=True)
class HomePage:
    """The contents of Home. Each list is short, and its count is capped."""

    to_hand_on: list[ItemRow]
    to_hand_on_count: str
    expiring: list[ItemRow]
    expiring_days: int
    devices: list[DeviceRow]
    devices_count: str
    failed_mails: list[Mail]
    failed_mails_count: str
    mail_server: MailServer | None
    failed_since: date
    requests: list[Request]
    drafts: list[Entitlement]
    drafts_count: str
    events: list[Event]
    first_steps: list[Step]

    @property
    def nothing_yet(self) -> bool:
        """Return whether this account has not seen a line item so far."""
        return not (self.events or self.drafts)


def home_page(actor: User) -> HomePage:
    """Return the contents of Home, in a fixed number of queries."""
    to_hand_on, failed, drafts = _to_hand_on(actor), failed_mails(actor), _drafts(actor)
    waiting = Entitlement.objects.visible_to(actor).filter(pk__in=drafts.values("entitlement"))
    newest = list(to_hand_on.select_related("product", "entitlement").order_by("-id")[:ROWS_SHOWN])
    expiring = first_visible(actor, _expiring, order=BY_EXPIRATION, size=ROWS_SHOWN)
    rows = item_rows(actor, [*newest, *expiring])
    devices = list_devices(actor)
    return HomePage(
        to_hand_on=rows[: len(newest)],
        to_hand_on_count=capped_count(to_hand_on),
        expiring=rows[len(newest) :],
        expiring_days=settings.EXPIRING_DAYS,
        devices=device_rows(actor, first_rows(devices.parts, order=NEWEST, size=ROWS_SHOWN)),
        devices_count=devices.count(),
        failed_mails=with_addressees(actor, failed.order_by("-id")[:ROWS_SHOWN]),
        failed_mails_count=capped_count(failed),
        mail_server=mail_server_trouble(actor),
        failed_since=failed_since(),
        requests=_requests(actor),
        drafts=list(waiting.order_by("-id")[:ROWS_SHOWN]),
        drafts_count=capped_count(drafts),
        events=newest_events(
            actor, first_visible(actor, _any_visible, order=NEWEST, size=ITEMS_ASKED), EVENTS_SHOWN
        ),
        first_steps=first_steps(actor),
    )


def _any_visible(items: LineItemQuerySet) -> LineItemQuerySet:
    return items


def _expiring(items: LineItemQuerySet) -> LineItemQuerySet:
    """Keep deployed items that expire soon and still have copies available or activated (as in N5)."""
    return (
        items.deployed()
        .expiring_within(settings.EXPIRING_DAYS)
        .filter(Q(available__gt=0) | Q(activated__gt=0))
    )


def _to_hand_on(actor: User) -> LineItemQuerySet:
    """Return the account's items with copies left that can be split (E3)."""
    return LineItem.objects.visible_to_as(actor, "owner").to_hand_on()


def failed_since() -> date:
    """Return the first day of the period in which failed mails are shown."""
    return timezone.localdate() - timedelta(days=FAILED_MAIL_DAYS)


def failed_mails(actor: User) -> QuerySet[Mail]:
    """Return recent mails that failed finally and that the actor may send again (N2)."""
    lately = timezone.make_aware(datetime.combine(failed_since(), time.min))
    return resending.failed_mails(actor).filter(created_at__gte=lately)


def _requests(actor: User) -> list[Request]:
    """Return the sellers that wait for this account's answer (A2)."""
    if not actor.may(Permission.MANAGE_USERS):
        return []
    waiting = SellingRelation.objects.requested().filter(buyer=actor.account)
    oldest = waiting.order_by("requested_at").values_list("pk", "seller__name")[:ROWS_SHOWN]
    return [Request(pk=pk, seller=seller) for pk, seller in oldest]


def _drafts(actor: User) -> QuerySet[LineItem]:
    """Return line items that MOBOTIX has not deployed yet, as the list counts them (E1)."""
    items = LineItem.objects.visible_to(actor)
    return items.filter(state=State.DRAFT) if actor.may(Permission.CREATE_ENTITLEMENTS) else items.none()
