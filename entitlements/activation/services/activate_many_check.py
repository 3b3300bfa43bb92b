"""Check of "Activate many devices", line by line, before it is carried out (L2)."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from entitlements.activation.services.devices import HostId
from entitlements.activation.services.return_limits import ReturnLimits, chains_of
from entitlements.identifiers.host_ids import guess_type
from entitlements.models import Activation, LineItem
from mxportal.shared.numbers import typed_number
from mxportal.shared.text import only_what_is_seen

MAX_DIGITS = 9
MAX_NAME_LENGTH = 100


@dataclass(frozen=True)
class DeviceLine:
    """A line as it was typed."""

    host_id: str
    name: str
    copies: str

    @property
    def host(self) -> HostId:
        """The device; the type of its host ID is guessed."""
        return HostId(typed=self.host_id, kind=guess_type(self.host_id), name=self.name)

    @property
    def number(self) -> int | None:
        """The number of copies, or None where the text is no number."""
        return typed_number(self.copies, digits=MAX_DIGITS)


@dataclass
class CheckedLine:
    """A line with the host ID as it is kept, the copies that the device holds now, and the problems."""

    line: DeviceLine
    host_id: str = ""
    held: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def change(self) -> int:
        """How many more copies the device will hold; negative for fewer."""
        return (self.line.number or 0) - self.held


def check_lines(*, actor: User, item: LineItem, lines: Sequence[DeviceLine]) -> list[CheckedLine]:
    """Return the lines with everything that ``activate_many`` would refuse, at the line concerned (L2).

    A fixed number of queries.
    """
    checked = [CheckedLine(line) for line in lines]
    for one in checked:
        _check_by_itself(one)
    _check_twice(checked)
    hosts = [one.host_id for one in checked if one.host_id]
    held = Activation.objects.filter(item=item, device__account=item.owner_id, device__host_id__in=hosts)
    copies = dict(held.values_list("device__host_id", "copies"))
    for one in checked:
        one.held = copies.get(one.host_id, 0)
    _check_sum(actor, item, [one for one in checked if not one.problems])
    return checked


def _check_by_itself(one: CheckedLine) -> None:
    try:
        one.host_id = one.line.host.normal
    except ValidationError as error:
        one.problems += error.messages
    if one.line.number is None:
        one.problems.append(_("Enter a whole number, for example 5 or 2,000."))
    elif one.line.number < 1:
        one.problems.append(_("Enter at least 1 copy."))
    if len(one.line.name) > MAX_NAME_LENGTH:
        one.problems.append(_("The name is longer than %(most)s characters.") % {"most": MAX_NAME_LENGTH})
    try:
        only_what_is_seen(one.line.name)
    except ValidationError as error:
        one.problems += error.messages


def _check_twice(checked: Sequence[CheckedLine]) -> None:
    first: dict[str, int] = {}
    for number, one in enumerate(checked, start=1):
        if one.host_id and first.setdefault(one.host_id, number) != number:
            sentence = _("This device is already in line %(first)s.")
            one.problems.append(sentence % {"first": first[one.host_id]})


def _check_sum(actor: User, item: LineItem, checked: Sequence[CheckedLine]) -> None:
    """Check the lines in their order: copies that come back are available to the lines below."""
    available = item.available
    limits = ReturnLimits(actor, chains_of([item]))
    for one in checked:
        if one.change > available:
            one.problems.append(_too_few(available))
        elif not actor.account.is_mobotix and (reached := limits.obstacle(item, -one.change)):
            one.problems.append(reached)
        else:
            available -= one.change
            limits.take(item, max(0, -one.change))


def _too_few(available: int) -> str:
    sentence = ngettext(
        "Only %(available)s copy is left for this line.",
        "Only %(available)s copies are left for this line.",
        available,
    )
    return sentence % {"available": available}
