"""A plain model of the ledger, without a database, which predicts the portal's state after each step (E3, E4,
E6, E8).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from entitlements.models import State


@dataclass
class ModelItem:
    """One line item; ``owner`` and ``seller`` are names of the standing cast, and an end customer has no user."""

    owner: str
    seller: str
    parent: int | None
    available: int
    state: str = State.DEPLOYED
    split: int = 0
    undo_is_over: bool = False
    devices: dict[str, int] = field(default_factory=dict)
    returned: int = 0

    @property
    def activated(self) -> int:
        """L2: copies on all devices."""
        return sum(self.devices.values())

    @property
    def quantity(self) -> int:
        """E4: available, split and activated together."""
        return self.available + self.split + self.activated


class LedgerModel:
    """The items by primary key. Each method says whether the portal should do a step, or does it here."""

    def __init__(self) -> None:
        self.items: dict[int, ModelItem] = {}

    def below(self, pk: int) -> Iterator[int]:
        """All items that descend from an item."""
        for child, item in self.items.items():
            if item.parent == pk:
                yield child
                yield from self.below(child)

    def may_split(self, who: str, pk: int, copies: int) -> bool:
        """E6: the owner's admin, a Deployed item, and no more than is available."""
        item = self.items[pk]
        return item.owner == who and item.state == State.DEPLOYED and 1 <= copies <= item.available

    def split(self, pk: int, new: int, owner: str, copies: int) -> None:
        """E7: copies of the source become the buyer's item ``new``."""
        source = self.items[pk]
        source.available -= copies
        source.split += copies
        self.items[new] = ModelItem(owner=owner, seller=source.owner, parent=pk, available=copies)

    def may_undo(self, who: str, pk: int, copies: int) -> bool:
        """E8: the seller for some days, buyer and MOBOTIX always; not with an Obsolete item on either side (E3)."""
        item = self.items[pk]
        if item.parent is None or State.OBSOLETE in (item.state, self.items[item.parent].state):
            return False
        allowed = who in ("mobotix", item.owner) or (who == item.seller and not item.undo_is_over)
        return allowed and 1 <= copies <= item.available

    def undo(self, pk: int, copies: int) -> None:
        """E8: copies return to the source; an emptied item becomes Obsolete."""
        item = self.items[pk]
        assert item.parent is not None
        source = self.items[item.parent]
        item.available -= copies
        source.available += copies
        source.split -= copies
        if item.quantity == 0:
            item.state = State.OBSOLETE

    def may_change_state(self, pk: int, state: str) -> bool:
        """E3: whether the state can change so."""
        return (
            state
            in {
                State.DRAFT: {State.DEPLOYED},
                State.DEPLOYED: {State.INACTIVE, State.OBSOLETE},
                State.INACTIVE: {State.DEPLOYED, State.OBSOLETE},
                State.OBSOLETE: set(),
            }[State(self.items[pk].state)]
        )

    def change_state(self, pk: int, state: str, with_splits: bool) -> None:
        """E3: change one item, or everything below it that allows the same change."""
        changed = [pk] + [
            child for child in self.below(pk) if with_splits and self.may_change_state(child, state)
        ]
        for each in changed:
            self.items[each].state = state

    def lower(self, taken: dict[int, int]) -> None:
        """E15: copies of these items go back level by level and are revoked; emptied items become Obsolete."""
        lost = dict.fromkeys(self.items, 0)
        for pk, item in sorted(self.items.items(), reverse=True):
            item.available -= taken.get(pk, 0)
            lost[pk] += taken.get(pk, 0)
            if item.parent is not None:
                lost[item.parent] += lost[pk]
                self.items[item.parent].split -= lost[pk]
            if lost[pk] and item.quantity == 0:
                item.state = State.OBSOLETE

    def may_hold(self, pk: int, host: str, total: int, *, limited: bool) -> bool:
        """L2, L4: whether a device may hold so many copies; a lower number has the year's limit, except for MOBOTIX."""
        item = self.items[pk]
        held = item.devices.get(host, 0)
        allowed = item.state == State.DEPLOYED and 1 <= total <= held + item.available
        return allowed and (not limited or self.may_return(pk, held - total))

    def may_return(self, pk: int, copies: int) -> bool:
        """L4: whether the year's limit allows it at each level of the chain."""
        return copies <= 0 or all(
            copies <= max(2, level.quantity * 5 // 100) - level.returned for level in self.chain(pk)
        )

    def chain(self, pk: int) -> Iterator[ModelItem]:
        """An item, its parent, and so on up to the issued one."""
        level: int | None = pk
        while level is not None:
            yield self.items[level]
            level = self.items[level].parent

    def hold(self, pk: int, host: str, total: int) -> None:
        """L2, L4: set the copies that a device holds."""
        item = self.items[pk]
        change = total - item.devices.get(host, 0)
        item.devices[host] = total
        item.available -= change
        for level in self.chain(pk):
            level.returned += max(0, -change)
