"""Bulk splits in the ledger's state machine; they and their undo are all or nothing (E7, E8)."""

from collections import Counter
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from entitlements.bulk.services.requests import undo_bulk_split
from entitlements.models import LineItem, State
from mxportal.shared.forms import new_key
from tests.entitlements.bulk.making import line_for, split_bulk

Bulk = tuple[int, str, list[int]]
any_item = st.integers(0, 1_000)
any_lines = st.lists(st.tuples(st.booleans(), any_item, st.integers(0, 4)), min_size=1, max_size=3)


class BulkRules:
    """Rules for the machine, which has the model, the cast, and ``buyers``: who sells to whom."""

    model: Any
    cast: Any
    allowed: Any
    attempt: Any
    buyers: dict[str, tuple[str, ...]]
    bulks: list[Bulk]

    @rule(first=any_item, second=any_item, lines=any_lines)
    def split_in_bulk(self, first: int, second: int, lines: list[tuple[bool, int, int]]) -> None:
        """Split one or two items of an owner to several buyers."""
        items = self.model.items
        pk, item = self.allowed(first, lambda pk: self.model.may_split(items[pk].owner, pk, 1))
        names = self.buyers.get(item.owner)
        if names is None:
            return
        own = [other for other, one in items.items() if one.owner == item.owner]
        pks = sorted({pk, own[second % len(own)]})
        asked = [(pks[-1 if last else 0], names[buyer % len(names)], amount) for last, buyer, amount in lines]
        bulk = self._split(item.owner, pks, asked)
        if bulk is not None:
            new = list(bulk.items.order_by("pk").values_list("pk", flat=True))
            for made, (source, target, amount) in zip(new, asked, strict=True):
                self.model.split(source, made, target, amount)
            self.bulks.append((bulk.pk, item.owner, new))

    def _split(self, owner: str, pks: list[int], asked: list[tuple[int, str, int]]) -> Any:
        items, taken = self.model.items, Counter[int]()
        for source, _target, amount in asked:
            taken[source] += amount
        expected = (
            all(items[pk].state != State.DRAFT for pk in pks)  # its owner does not see it
            and all(self.model.may_split(owner, source, amount) for source, _target, amount in asked)
            and all(self.model.may_split(owner, source, amount) for source, amount in taken.items())
        )
        sources = [LineItem.objects.get(pk=pk) for pk in pks]
        ids = {source.pk: source.activation_id for source in sources}
        lines = [
            line_for(self._contact(target), amount, activation_id=ids[source])
            for source, target, amount in asked
        ]
        actor, key = getattr(self.cast, owner), new_key()
        return self.attempt("split_in_bulk", expected, lambda: split_bulk(actor, sources, lines, key=key))

    def _contact(self, name: str) -> Any:
        return self.cast.customer_contact if name == "customer" else getattr(self.cast, name)

    @precondition(lambda self: self.bulks)
    @rule(number=any_item, by_seller=st.booleans())
    def undo_in_bulk(self, number: int, by_seller: bool) -> None:
        """The splitter or MOBOTIX undoes it; items that came back one by one are skipped."""
        able = [one for one in self.bulks if self._may_come_back(one, "mobotix")] or self.bulks
        one = able[number % len(able)]
        bulk_id, seller, _pks = one
        actor = seller if by_seller else "mobotix"
        expected, left = self._may_come_back(one, actor), self._left(one)
        user, key = getattr(self.cast, actor), new_key()
        bulk = self.attempt(
            "undo_in_bulk",
            expected,
            lambda: undo_bulk_split(actor=user, bulk_id=bulk_id, key=key, reason="Wrong"),
        )
        if bulk is not None:
            for pk in left:
                self.model.undo(pk, self.model.items[pk].quantity)
            self.bulks.remove(one)

    def _left(self, one: Bulk) -> list[int]:
        return [pk for pk in one[2] if self.model.items[pk].quantity]

    def _may_come_back(self, one: Bulk, actor: str) -> bool:
        """E8: whether all remaining copies may come back."""
        left, items = self._left(one), self.model.items
        return bool(left) and all(self.model.may_undo(actor, pk, items[pk].quantity) for pk in left)
