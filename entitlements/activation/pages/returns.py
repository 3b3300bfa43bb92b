"""What the pages of Return, Rehost and Replace device show of the year's limit of returns (L4)."""

from dataclasses import dataclass

from accounts.models import User
from entitlements.activation.services.rehosting import plan_replacement
from entitlements.activation.services.return_limits import ReturnLimits, chains_of, returns_a_year
from entitlements.models import Activation, Device, LineItem


@dataclass(frozen=True)
class Limit:
    """How many copies of an item can be returned a year, and how many more now, as far as the reader may know (L4).

    ``reached`` says at which item the limit is used up, ``obstacle`` whom to ask. ``beyond`` is true for MOBOTIX, which
    may exceed the limit with a reason. Of items that the reader does not see, nothing more is told (E12).
    """

    most: int
    left: int
    beyond: bool
    reached: str
    obstacle: str

    @property
    def is_reached(self) -> bool:
        """Whether this reader can return nothing."""
        return not self.left and not self.beyond


def limit_of(actor: User, item: LineItem) -> Limit:
    """Return the limit of an item for the reader. Three queries."""
    limits = ReturnLimits(actor, chains_of([item]))
    return Limit(
        most=returns_a_year(item),
        left=limits.shown_left(item),
        beyond=actor.account.is_mobotix,
        reached=limits.reached(item, 1),
        obstacle=limits.obstacle(item, 1),
    )


@dataclass(frozen=True)
class RehostRow:
    """One activation of a device that is to be replaced.

    ``obstacle`` says why it stays; where ``limit`` is set, nothing is rehosted.
    """

    product: str
    part_number: str
    item_pk: int
    copies: int
    obstacle: str
    limit: str


@dataclass(frozen=True)
class Replacement:
    """What a device holds; ``items`` are those that will be rehosted."""

    rows: list[RehostRow]
    items: list[LineItem]

    @property
    def is_stopped(self) -> bool:
        """Whether nothing will be rehosted: every activation has an obstacle, or one exceeds its limit."""
        return not self.items or any(row.limit for row in self.rows)


def replacement(actor: User, device: Device) -> Replacement:
    """Return what replacing the device would do (L4). A fixed number of queries."""
    plan = plan_replacement(actor, device)
    limits = ReturnLimits(actor, chains_of(one.activation.item for one in plan))
    rows = [_row(actor, one.activation, one.obstacle, limits) for one in plan]
    return Replacement(rows=rows, items=[one.activation.item for one in plan if not one.obstacle])


def _row(actor: User, activation: Activation, obstacle: str, limits: ReturnLimits) -> RehostRow:
    """Return the row of one activation.

    The rows are made in order, because each takes its copies from the limit of the next ones.
    """
    item, limit = activation.item, ""
    if not obstacle:
        limit = "" if actor.account.is_mobotix else limits.obstacle(item, activation.copies)
        limits.take(item, 0 if limit else activation.copies)
    return RehostRow(
        product=item.product.name,
        part_number=item.product.part_number,
        item_pk=item.pk,
        copies=activation.copies,
        obstacle=obstacle,
        limit=limit,
    )
