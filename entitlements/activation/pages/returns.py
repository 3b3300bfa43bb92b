"""What the pages of Return, Rehost and Replace device say of the year's limit (L4)."""

from dataclasses import dataclass

from accounts.models import User
from entitlements.activation.services.rehosting import moving
from entitlements.activation.services.return_limits import ReturnLimits, chains_of, returns_a_year
from entitlements.models import Activation, Device, LineItem


@dataclass(frozen=True)
class Limit:
    """How many copies of an item come back a year, and how many more now, as far as the reader may know it.

    ``reached``: at which level the year is used up; ``obstacle``: with whom to ask. MOBOTIX goes beyond with a reason.
    """

    most: int
    left: int
    beyond: bool
    reached: str
    obstacle: str

    @property
    def is_reached(self) -> bool:
        """Nothing can be done here by this reader."""
        return not self.left and not self.beyond


def limit_of(actor: User, item: LineItem) -> Limit:
    """Three queries."""
    limits = ReturnLimits(actor, chains_of([item]))
    return Limit(
        most=returns_a_year(item),
        left=limits.shown_left(item),
        beyond=actor.account.is_mobotix,
        reached=limits.reached(item, 1),
        obstacle=limits.obstacle(item, 1),
    )


@dataclass(frozen=True)
class MovingRow:
    """One activation of a device that is to be replaced; ``obstacle``: why it stays. Beyond its limit nothing moves."""

    product: str
    part_number: str
    item_pk: int
    copies: int
    obstacle: str
    limit: str


@dataclass(frozen=True)
class Replacement:
    """What a device holds. ``items`` are those that move."""

    rows: list[MovingRow]
    items: list[LineItem]

    @property
    def is_stopped(self) -> bool:
        """Nothing moves: because nothing can, or because something is beyond its limit."""
        return not self.items or any(row.limit for row in self.rows)


def replacement(actor: User, device: Device) -> Replacement:
    """A fixed number of queries."""
    plan = moving(actor, device)
    limits = ReturnLimits(actor, chains_of(one.activation.item for one in plan))
    rows = [_row(actor, one.activation, one.obstacle, limits) for one in plan]
    return Replacement(rows=rows, items=[one.activation.item for one in plan if not one.obstacle])


def _row(actor: User, activation: Activation, obstacle: str, limits: ReturnLimits) -> MovingRow:
    """The rows are asked for in their order: what one takes of a limit is not there for the next one."""
    item, limit = activation.item, ""
    if not obstacle:
        limit = "" if actor.account.is_mobotix else limits.obstacle(item, activation.copies)
        limits.take(item, 0 if limit else activation.copies)
    return MovingRow(
        product=item.product.name,
        part_number=item.product.part_number,
        item_pk=item.pk,
        copies=activation.copies,
        obstacle=obstacle,
        limit=limit,
    )
