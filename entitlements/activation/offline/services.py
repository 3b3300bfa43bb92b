"""Requests of offline devices: first planned, then carried out, all of it or nothing (L3)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import Tier, User
from accounts.permissions import Permission, check_permission
from entitlements.activation.offline.request_files import ActivationRequest, Wanted
from entitlements.activation.services.activate import check_can_be_activated, set_copies
from entitlements.activation.services.devices import HostId
from entitlements.activation.services.licenses import renew_license
from entitlements.activation.services.return_limits import ReturnLimits, chains_of
from entitlements.activation.services.returns import take_from_device
from entitlements.identifiers.activation_ids import lookup_form
from entitlements.items.checks import check_copies, check_reason
from entitlements.items.locks import ids_above, lock_items, locked_ancestors
from entitlements.items.predicates import may_activate, needs_reason
from entitlements.models import Activation, License, LineItem, State


@dataclass(frozen=True, kw_only=True)
class Step:
    """One Activation ID of a request, and what carrying it out would do.

    ``problem`` is a sentence that says why it cannot be done. ``item`` is None where no item can be activated with the
    ID; ``actor`` is None where the ID itself is the proof.
    """

    wanted: Wanted
    item: LineItem | None = None
    actor: User | None = None
    activation: Activation | None = None
    problem: str = ""
    is_guess: bool = False  # a well-formed ID that no item has

    @property
    def held(self) -> int:
        """How many copies the device holds now."""
        return self.activation.copies if self.activation else 0

    @property
    def change(self) -> int:
        """How many more copies the device will hold; negative for fewer."""
        return self.wanted.copies - self.held

    @property
    def returned(self) -> int:
        """How many copies come back."""
        return max(0, -self.change)

    @property
    def needs_reason(self) -> bool:
        """Whether MOBOTIX acts on an item that another account sold (E13)."""
        return bool(self.change and self.actor and self.item and needs_reason(self.actor, self.item))


@dataclass(frozen=True)
class Answer:
    """The result for one Activation ID; a return has no license."""

    wanted: Wanted
    item: LineItem
    license: License | None


def plan_request(*, actor: User | None, request: ActivationRequest) -> list[Step]:
    """Return what carrying out the request would do now, one step for each Activation ID, in its order (L3).

    Changes nothing. An actor acts on items of E13; for other items, and without an actor, the Activation ID is the
    proof, for end customers' items (L2). Raises PermissionDenied.
    """
    if actor is not None:
        check_permission(actor, Permission.ACTIVATE)
    return _steps(actor, request, _items(actor, request))


@transaction.atomic(durable=True)
def carry_out_request(*, actor: User | None, request: ActivationRequest, reason: str = "") -> list[Answer]:
    """Carry out the whole request, or nothing of it (L3).

    Copies are totals, so that the same request again gives the same licenses. Raises PermissionDenied, ValidationError
    at ``reason``, or ValidationError with a sentence for each Activation ID that cannot be carried out.
    """
    if actor is not None:
        check_permission(actor, Permission.ACTIVATE)
    locked = {item.pk: item for item in lock_items(_ids_to_lock(_items(actor, request), request))}
    items = {name: item for name, item in _items(actor, request).items() if item.pk in locked}
    steps = _steps(actor, request, items)
    if problems := [_about(step.wanted, step.problem) for step in steps if step.problem]:
        raise ValidationError(problems)
    return [_carry_out(step, request, reason, locked) for step in steps]


def _ids_to_lock(items: dict[str, LineItem], request: ActivationRequest) -> set[int]:
    """Return the ids of the items, and where copies may come back, of the items that they descend from (L4)."""
    ids = {item.pk for item in items.values()}
    wanted = {items[one.activation_id].pk: one for one in request.wanted if one.activation_id in items}
    held = Activation.objects.filter(item__in=ids, device__host_id=request.host_id, copies__gt=0)
    back = [pk for pk, copies in held.values_list("item", "copies") if copies > wanted[pk].copies]
    return ids | ids_above(LineItem.objects.filter(pk__in=back)) if back else ids


def _about(wanted: Wanted, problem: str) -> str:
    return f"{wanted.activation_id}: {problem}"


# --- Whose items ------------------------------------------------------------------------------------------------------


def _items(actor: User | None, request: ActivationRequest) -> dict[str, LineItem]:
    """Return the items by their typed ID: those that the actor may activate, and end customers' items."""
    names = {wanted.activation_id: lookup_form(wanted.activation_id) for wanted in request.wanted}
    found: dict[str, LineItem] = {}
    for items in _within_reach(actor, {name for name in names.values() if name}):
        found |= {item.activation_id: item for item in items}
    return {typed: found[name] for typed, name in names.items() if name in found}


def _within_reach(actor: User | None, names: set[str]) -> Iterable[Iterable[LineItem]]:
    named = LineItem.objects.filter(activation_id__in=names).select_related("product", "owner")
    yield _customers(named)
    if actor is not None:
        yield [item for item in named.visible_to(actor) if may_activate(actor, item)]


def _customers(items: QuerySet[LineItem]) -> QuerySet[LineItem]:
    """Return the items that the Activation ID alone activates (L2)."""
    return items.filter(owner__tier=Tier.END_CUSTOMER).exclude(state=State.DRAFT)


# --- What becomes of each ---------------------------------------------------------------------------------------------


def _steps(actor: User | None, request: ActivationRequest, items: dict[str, LineItem]) -> list[Step]:
    activations = Activation.objects.filter(
        item__in=[item.pk for item in items.values()], device__host_id=request.host_id
    ).select_related("device")
    held = {activation.item_id: activation for activation in activations}
    steps = [_step(actor, wanted, items.get(wanted.activation_id), held) for wanted in request.wanted]
    return list(_checked(actor, steps))


def _step(actor: User | None, wanted: Wanted, item: LineItem | None, held: dict[int, Activation]) -> Step:
    if item is None:
        return _not_found(wanted)
    own = actor if actor is not None and may_activate(actor, item) else None
    return Step(wanted=wanted, item=item, actor=own, activation=held.get(item.pk))


def _checked(actor: User | None, steps: list[Step]) -> Iterator[Step]:
    """Yield the steps with the problems that the services would raise, before anything is done.

    Two queries, where copies come back.
    """
    back = [step.item for step in steps if step.item and step.returned]
    limits = ReturnLimits(actor, chains_of(back) if back else [])
    for step in steps:
        try:
            if step.item is not None:
                _check(step, step.item, limits)
        except ValidationError as error:
            step = replace(step, problem=" ".join(error.messages))
        yield step


def _not_found(wanted: Wanted) -> Step:
    """Return the same step for an unknown ID and for one of a partner's own stock (L2)."""
    if lookup_form(wanted.activation_id) is None:
        mistyped = _("This Activation ID has a typing error. Compare it with the e-mail or the certificate.")
        return Step(wanted=wanted, problem=mistyped)
    unknown = _(
        "No license can be activated with this Activation ID. Ask the company that sold you the license."
    )
    return Step(wanted=wanted, problem=unknown, is_guess=True)


def _check(step: Step, item: LineItem, limits: ReturnLimits) -> None:
    if not step.wanted.is_return:
        check_can_be_activated(item)
    if step.change > 0:
        check_copies(step.change, item.available)
    if not step.returned:
        return
    is_mobotix = step.actor is not None and step.actor.account.is_mobotix
    obstacle = limits.obstacle(item, step.returned)
    if obstacle and not is_mobotix:
        raise ValidationError(obstacle)
    limits.take(item, step.returned)


def _carry_out(step: Step, request: ActivationRequest, reason: str, locked: Mapping[int, LineItem]) -> Answer:
    assert step.item is not None, "a step without an item has a problem"
    if step.needs_reason and step.actor is not None:
        check_reason(step.actor, step.item, reason)
    above = locked_ancestors(step.item, locked)
    license = None if step.wanted.is_return else _activate(step, step.item, request, reason, above)
    if step.wanted.is_return and step.activation is not None and step.held:
        step.activation.item = step.item
        take_from_device(
            actor=step.actor, activation=step.activation, copies=step.held, reason=reason, above=above
        )
        renew_license(step.activation, 0)
    return Answer(step.wanted, step.item, license)


def _activate(
    step: Step,
    item: LineItem,
    request: ActivationRequest,
    reason: str,
    above: Sequence[LineItem] | None,
) -> License:
    host = HostId(
        typed=request.host_id,
        kind=request.host_id_type,
        name=request.device_name,
        model=request.device_model,
    )
    return set_copies(
        actor=step.actor, item=item, host=host, copies=step.wanted.copies, reason=reason, above=above
    )


def present_answers(steps: list[Step]) -> list[Answer]:
    """Return the answers for a request that was carried out before: the licenses that the device has now."""
    activations = [step.activation for step in steps if step.activation and not step.wanted.is_return]
    licenses = {one.activation_id: one for one in License.objects.valid().filter(activation__in=activations)}
    answers = []
    for step in steps:
        assert step.item is not None, "a step without an item has a problem"
        license = licenses.get(step.activation.pk) if step.activation else None
        answers.append(Answer(step.wanted, step.item, license))
    return answers
