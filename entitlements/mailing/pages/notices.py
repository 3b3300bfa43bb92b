"""Contents of the expiring notices and of MOBOTIX's digest for one person (N5, A4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings
from django.db.models import Count, F, Sum
from django.urls import reverse

from accounts.models import User
from accounts.visibility import visible_names
from entitlements.mailing.services.expiring import concerning, expiring_items, soon_expiring_items
from entitlements.models import LineItem, NoticeRun

MAX_LINES_SHOWN = 20


@dataclass(frozen=True)
class Line:
    """One item that expires. ``owner`` is empty for the reader's own items, which name their ``seller``."""

    product: str
    part_number: str
    entitlement_id: str
    tail: str
    available: int
    activated: int
    expires_on: date
    owner: str
    seller: str


@dataclass(frozen=True)
class Notice:
    """The items that expire first, and the number of all. ``list_url`` is empty for a person who cannot log in."""

    lines: list[Line]
    count: int
    list_url: str

    @property
    def more(self) -> int:
        """Return how many items are not listed."""
        return self.count - len(self.lines)


def notice_of(person: User, run: NoticeRun) -> Notice | None:
    """Return what a person is told about the items of a run; None if nothing is left to say (N5)."""
    items = concerning(person.account, expiring_items(run))
    shown = list(
        items.select_related("product", "entitlement").order_by("expires_on", "id")[:MAX_LINES_SHOWN]
    )
    if not shown:
        return None
    sellers = {item.pk: item.serving_account_id or item.seller_id for item in shown}
    names = visible_names(person, [*sellers.values(), *(item.owner_id for item in shown)])
    lines = [_line(person, item, names, names[sellers[item.pk]]) for item in shown]
    return Notice(lines=lines, count=items.count(), list_url=_list_url() if person.login else "")


def _line(person: User, item: LineItem, names: dict[int, str], seller: str) -> Line:
    own = item.owner_id == person.account_id
    return Line(
        product=item.product.name,
        part_number=item.product.part_number,
        entitlement_id=item.entitlement.entitlement_id,
        tail=item.activation_id_tail,
        available=item.available,
        activated=item.activated,
        expires_on=item.expires_on,
        owner="" if own else names[item.owner_id],
        seller=seller if own else "",
    )


def _list_url() -> str:
    query = {"expiring": settings.EXPIRING_DAYS, "sort": "expiration"}
    return settings.SITE_URL + reverse("line_item_list", query=query)


@dataclass(frozen=True)
class Share:
    """What expires below one distributor; with an empty ``name``, what MOBOTIX sold to others."""

    name: str
    url: str
    items: int
    copies: int


@dataclass(frozen=True)
class Digest:
    """The largest shares, and the totals of all."""

    days: int
    shares: list[Share]
    distributors: int
    items: int
    copies: int
    list_url: str

    @property
    def more(self) -> int:
        """Return how many distributors are not listed."""
        return self.distributors - len(self.shares)


def digest_of(person: User) -> Digest | None:
    """Return what expires soon, by distributor; None if nothing does (N5).

    Copies count on the item that has them now, and so only once.
    """
    by_distributor = soon_expiring_items().order_by().values("distributor")
    totals = by_distributor.annotate(items=Count("pk"), copies=Sum(F("available") + F("activated")))
    rows = sorted(totals, key=lambda row: (-row["copies"], row["distributor"] or 0))
    if not rows:
        return None
    names = visible_names(person, [row["distributor"] for row in rows[:MAX_LINES_SHOWN]])
    return Digest(
        days=settings.EXPIRING_DAYS,
        shares=[_share(row, names) for row in rows[:MAX_LINES_SHOWN]],
        distributors=len(rows),
        items=sum(row["items"] for row in rows),
        copies=sum(row["copies"] for row in rows),
        list_url=_list_url(),
    )


def _share(row: Mapping[str, Any], names: dict[int, str]) -> Share:
    pk = row["distributor"]
    return Share(
        name=names[pk] if pk else "",
        url=settings.SITE_URL + reverse("account_detail", args=[pk]) if pk else "",
        items=row["items"],
        copies=row["copies"],
    )
