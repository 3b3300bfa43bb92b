"""Activations and returns among the steps of the ledger's state machine (L2, L4)."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from entitlements.activation.host_ids import HostIdType
from entitlements.models import Activation, State
from entitlements.services.activation import activate
from entitlements.services.devices import HostId
from entitlements.services.returns import return_copies
from mxportal.shared.forms import new_key

any_item = st.integers(0, 1_000)
copies = st.integers(0, 30)


class ActivationRules:
    """Rules for the machine that has the model and the cast."""

    model: Any
    cast: Any
    item: Any
    allowed: Any
    attempt: Any

    @rule(number=any_item, total=st.integers(0, 30))
    def activate(self, number: int, total: int) -> None:
        """L2: so many copies of an item on its one device; fewer than before are a return."""
        pk, item = self.item(number)
        expected = item.state == State.DEPLOYED and 1 <= total <= item.activated + item.available
        host, key = HostId(typed=f"SN-{pk}", kind=HostIdType.SERIAL), new_key()
        result = self.attempt(
            "activate",
            expected,
            lambda: activate(
                actor=self.cast.mobotix, item_id=pk, host=host, copies=total, key=key, reason="Help"
            ),
        )
        if result is not None:
            self.model.activate(pk, total - item.activated)

    @rule(number=any_item, amount=copies)
    def give_back(self, number: int, amount: int) -> None:
        """L4: by MOBOTIX, whom no limit binds; in any state."""
        pk, item = self.allowed(number, lambda pk: self.model.items[pk].activated > 0)
        activation = Activation.objects.filter(item=pk).first()
        if activation is None:
            return
        key = new_key()
        result = self.attempt(
            "give_back",
            1 <= amount <= item.activated,
            lambda: return_copies(
                actor=self.cast.mobotix, activation_id=activation.pk, copies=amount, key=key, reason="Help"
            ),
        )
        if result is not None:
            self.model.activate(pk, -amount)
