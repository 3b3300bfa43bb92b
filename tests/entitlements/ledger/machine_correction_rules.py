"""MOBOTIX's corrections in the ledger's state machine (E15)."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from entitlements.models import State
from entitlements.orders.services.corrections import Correction, change_quantity
from mxportal.shared.forms import new_key

any_item = st.integers(0, 1_000)
amounts = st.integers(0, 30)
actors = st.sampled_from(("mobotix", "mobotix", "distributor"))


class CorrectionRules:
    """Rules for the machine, which has the model and the cast."""

    model: Any
    cast: Any
    item: Any
    allowed: Any
    attempt: Any

    @rule(number=any_item, amount=amounts, who=actors)
    def raise_quantity(self, number: int, amount: int, who: str) -> None:
        """Raise the quantity, which works for issued items only."""
        pk, item = self.item(number)
        expected = who == "mobotix" and item.parent is None and item.state != State.OBSOLETE and amount >= 1
        if self._correct("raise", Correction.RAISE, pk, amount, who, expected=expected):
            item.available += amount

    @rule(number=any_item, amount=amounts, who=actors)
    def lower_quantity(self, number: int, amount: int, who: str) -> None:
        """Lower any item by at most its available copies; a draft keeps one copy."""
        pk, item = self.allowed(number, lambda pk: self.model.items[pk].available > 1)
        all_of_a_draft = item.state == State.DRAFT and amount == item.quantity
        expected = who == "mobotix" and 1 <= amount <= item.available and not all_of_a_draft
        if self._correct("lower", Correction.LOWER, pk, amount, who, expected=expected):
            self.model.lower({pk: amount})

    @rule(number=any_item, who=actors)
    def revoke_all(self, number: int, who: str) -> None:
        """Revoke every available copy of an item and of everything split from it. Seldom, because little is
        left then.
        """
        if number % 4:
            return
        pk, item = self.item(number // 4)
        taken = {each: self.model.items[each].available for each in (pk, *self.model.below(pk))}
        expected = who == "mobotix" and sum(taken.values()) > 0 and item.state != State.DRAFT
        if self._correct("revoke_all", Correction.REVOKE_ALL, pk, 0, who, expected=expected):
            self.model.lower(taken)

    def _correct(
        self, name: str, correction: Correction, pk: int, copies: int, who: str, *, expected: bool
    ) -> bool:
        actor, key = getattr(self.cast, who), new_key()
        done = self.attempt(
            name,
            expected,
            lambda: change_quantity(
                actor=actor, item_id=pk, correction=correction, key=key, reason="Audit", copies=copies
            ),
        )
        return done is not None
