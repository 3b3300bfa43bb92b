"""What the clients were told was done, and what the quantities must then be: a ledger in plain Python."""

from collections import Counter
from dataclasses import dataclass, field
from threading import Lock


@dataclass
class Posted:
    """One writing request under one key, sent until it was answered. ``location`` is empty where it was refused."""

    kind: str
    key: str
    login: str
    location: str
    tries: int


@dataclass
class Item:
    """A line item as its acknowledged requests make it."""

    pk: int
    owner: int
    parent: int | None
    received: int
    returned: int = 0
    states: list[str] = field(default_factory=list)
    devices: dict[str, int] = field(default_factory=dict)
    licenses: list[str] = field(default_factory=list)

    @property
    def activated(self) -> int:
        return sum(self.devices.values())

    @property
    def quantity(self) -> int:
        return self.received - self.returned


class Model:
    """Written by all clients at once."""

    def __init__(self) -> None:
        self.items: dict[int, Item] = {}
        self.posted: list[Posted] = []
        self.calls: Counter[str] = Counter()
        self.errors: list[str] = []
        self.outages: Counter[str] = Counter()
        self._lock = Lock()

    def add_posted(self, posted: Posted) -> None:
        with self._lock:
            self.posted.append(posted)

    def add_item(self, item: Item) -> None:
        """An item that is told of twice was made for two keys, which is an error."""
        with self._lock:
            if item.pk in self.items:
                self.errors.append(f"Line item {item.pk} is the answer to two keys.")
            self.items[item.pk] = item

    def give_back(self, pk: int, copies: int) -> None:
        with self._lock:
            self.items[pk].returned += copies

    def change_state(self, pk: int, state: str) -> None:
        with self._lock:
            self.items[pk].states.append(state)

    def count_outage(self, status: int, retry_after: str) -> None:
        """O2: whatever fails here is an outage, and the portal says when to come again."""
        with self._lock:
            self.outages[f"{status}" if retry_after else f"{status} without Retry-After"] += 1

    def count_call(self, path: str) -> None:
        with self._lock:
            self.calls[path] += 1

    def let_go(self, pk: int, host_id: str) -> None:
        """Everything of an item came back from a device."""
        with self._lock:
            self.items[pk].devices.pop(host_id, None)

    def hold(self, pk: int, host_id: str, copies: int, license_id: str) -> None:
        """A device holds so many copies from now on. Another number of copies than before is another license."""
        with self._lock:
            item = self.items[pk]
            if (item.devices.get(host_id) == copies) != (license_id in item.licenses):
                self.errors.append(f"Line item {pk}, {copies} copies on {host_id}: license {license_id}.")
            item.devices[host_id] = copies
            item.licenses.append(license_id)

    def owned_by(self, account: int) -> list[Item]:
        with self._lock:
            return [item for item in self.items.values() if item.owner == account and item.quantity]

    def split_by(self, account: int) -> list[Item]:
        """What this account split off, as far as something of it is left."""
        with self._lock:
            own = {item.pk for item in self.items.values() if item.owner == account}
            return [item for item in self.items.values() if item.parent in own and item.quantity]

    def split_off(self) -> Counter[int]:
        """Of each item, the copies that are with the items split from it."""
        counter: Counter[int] = Counter()
        for item in self.items.values():
            if item.parent is not None:
                counter[item.parent] += item.quantity
        return counter
