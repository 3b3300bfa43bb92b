"""Activations, returns and rehosts among the steps of the ledger's state machine (L2, L4)."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from accounts.models import User
from entitlements.activation.services.activate import activate, activate_as_bearer, return_as_bearer
from entitlements.activation.services.devices import HostId
from entitlements.activation.services.rehosting import rehost
from entitlements.activation.services.returns import return_copies
from entitlements.identifiers.host_ids import HostIdType
from entitlements.models import Activation, LineItem, State
from mxportal.shared.forms import new_key

HOSTS = ("SN-ENTRANCE", "SN-GATE")
any_item = st.integers(0, 1_000)
copies = st.integers(0, 30)
hosts = st.sampled_from(HOSTS)
acting = st.sampled_from(["mobotix", "owner"])


def host(host_id: str) -> HostId:
    return HostId(typed=host_id, kind=HostIdType.SERIAL)


class ActivationRules:
    """Rules for the machine, which has the model and the cast."""

    model: Any
    cast: Any
    item: Any
    allowed: Any
    attempt: Any

    def who_activates(self, who: str, item: Any) -> User:
        """E13: MOBOTIX, the owner's admin, or for an end customer's item its seller's admin."""
        name = who if who == "mobotix" else item.seller if item.owner == "customer" else item.owner
        return getattr(self.cast, name)

    @rule(number=any_item, host_id=hosts, total=copies, who=acting)
    def activate(self, number: int, host_id: str, total: int, who: str) -> None:
        """L2: set the copies on a device; fewer than before are a return."""
        pk, item = self.item(number)
        user, key = self.who_activates(who, item), new_key()
        seen = who == "mobotix" or item.state != State.DRAFT
        expected = seen and self.model.may_hold(pk, host_id, total, limited=who != "mobotix")
        request = {"item_id": pk, "host": host(host_id), "copies": total, "reason": "Help"}
        if self.attempt("activate", expected, lambda: activate(actor=user, **request, key=key)) is not None:
            self.model.hold(pk, host_id, total)

    @rule(number=any_item, host_id=hosts, total=copies)
    def activate_as_bearer(self, number: int, host_id: str, total: int) -> None:
        """L2: activate with the Activation ID alone, which works for end customers' items only."""
        pk, item = self.allowed(number, lambda pk: self.is_borne(pk) and self.model.items[pk].available > 0)
        if number % 2:  # else it is hardly ever so few as are there, or may all come back
            total = min(total, 2)
        expected = item.owner == "customer" and self.model.may_hold(pk, host_id, total, limited=True)
        request = {"activation_id": LineItem.objects.get(pk=pk).activation_id, "host": host(host_id)}
        call = lambda: activate_as_bearer(**request, copies=total)  # noqa: E731
        if self.attempt("activate_as_bearer", expected, call) is not None:
            self.model.hold(pk, host_id, total)

    @rule(number=any_item, host_id=hosts)
    def return_as_bearer(self, number: int, host_id: str) -> None:
        """L2, L4: return all copies of a device, within the year's limit, in any state."""
        pk, item = self.allowed(number, lambda pk: self.is_borne(pk) and self.may_empty(pk, host_id))
        known = item.owner == "customer" and host_id in item.devices
        expected = known and self.model.may_return(pk, item.devices[host_id])
        activation_id = LineItem.objects.get(pk=pk).activation_id
        call = lambda: return_as_bearer(activation_id=activation_id, host=host(host_id))  # noqa: E731
        if self.attempt("return_as_bearer", expected, call) is not None:
            self.model.hold(pk, host_id, 0)

    def is_borne(self, pk: int) -> bool:
        """L2: whether the Activation ID alone is enough for the item."""
        item = self.model.items[pk]
        return item.owner == "customer" and item.state == State.DEPLOYED

    def may_empty(self, pk: int, host_id: str) -> bool:
        """L4: a device of the item from which all copies may be returned."""
        held = self.model.items[pk].devices.get(host_id, 0)
        return held > 0 and self.model.may_return(pk, held)

    @rule(number=any_item, host_id=hosts, amount=copies, who=acting)
    def give_back(self, number: int, host_id: str, amount: int, who: str) -> None:
        """L4: MOBOTIX, which may exceed the limit, or the owner returns copies, in any state."""
        found = self.activation_on(number, host_id)
        if found is None:
            return
        pk, item, activation = found
        user, key = self.who_activates(who, item), new_key()
        amount = min(amount, item.devices[host_id]) if number % 4 else amount
        request = {"activation_id": activation.pk, "copies": amount, "reason": "Help"}
        expected = 1 <= amount <= item.devices[host_id]
        expected = expected and (who == "mobotix" or self.model.may_return(pk, amount))
        if self.attempt("give_back", expected, lambda: return_copies(actor=user, **request, key=key)):
            self.model.hold(pk, host_id, item.devices[host_id] - amount)

    @rule(number=any_item, host_id=hosts, amount=copies, who=acting)
    def rehost(self, number: int, host_id: str, amount: int, who: str) -> None:
        """L4: rehost from one device to the other in one step."""
        found = self.activation_on(number, host_id)
        if found is None:
            return
        pk, item, activation = found
        user, key = self.who_activates(who, item), new_key()
        other = HOSTS[1 - HOSTS.index(host_id)]
        amount = min(amount, item.devices[host_id]) if number % 4 else amount
        request = {"activation_id": activation.pk, "host": host(other), "copies": amount, "reason": "Help"}
        expected = item.state == State.DEPLOYED and 1 <= amount <= item.devices[host_id]
        expected = expected and (who == "mobotix" or self.model.may_return(pk, amount))
        if self.attempt("rehost", expected, lambda: rehost(actor=user, **request, key=key)):
            self.model.hold(pk, host_id, item.devices[host_id] - amount)
            self.model.hold(pk, other, item.devices.get(other, 0) + amount)

    def activation_on(self, number: int, host_id: str) -> tuple[int, Any, Activation] | None:
        """The activation that holds copies on this device, if there is one."""
        pk, item = self.allowed(number, lambda pk: self.model.items[pk].devices.get(host_id))
        activation = Activation.objects.filter(item=pk, device__host_id=host_id).first()
        return (pk, item, activation) if activation else None
