"""L4: how many copies may come back within a year, of an item and of every item that it descends from."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import cached_property

from django.conf import settings
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from entitlements.models import CountedReturn, LineItem, Movement

YEAR = timedelta(days=365)
Chain = Sequence[LineItem]  # an item, what it was split from, and so on up to the one that MOBOTIX issued


def returns_a_year(item: LineItem) -> int:
    """How many copies of the item, and of everything below it, may be returned within a year.

    By the quantity of today, which nobody but MOBOTIX can raise.
    """
    share = item.quantity * settings.RETURNS_A_YEAR_PERCENT // 100
    return max(settings.RETURNS_A_YEAR_LEAST, share)


def chains_of(items: Iterable[LineItem]) -> list[Chain]:
    """The chain of each item, as it is now and without locks. One query."""
    wanted = LineItem.objects.filter(pk__in=[item.pk for item in items])
    return [_chain(item) for item in wanted.select_related("parent__parent")]


def _chain(item: LineItem) -> Chain:
    chain = [item]
    while chain[-1].parent is not None:
        chain.append(chain[-1].parent)
    return chain


def count_return(movement: Movement, chain: Chain) -> None:
    """Write down what each level counts, in the transaction of the movement."""
    CountedReturn.objects.bulk_create(
        CountedReturn(item=item, movement=movement, copies=movement.copies, returned_at=timezone.now())
        for item in chain
    )


def _returned_lately(items: Iterable[LineItem]) -> dict[int, int]:
    lately = CountedReturn.objects.filter(item__in=items, returned_at__gt=timezone.now() - YEAR)
    return dict(lately.order_by().values_list("item").annotate(returned=Sum("copies")))


class ReturnLimits:
    """What is left of the year for some items, at each level. One query; another one where a level has to be named.

    ``take`` goes through a request line by line: what one line takes is not there for the next one.
    """

    def __init__(self, actor: User | None, chains: Iterable[Chain]) -> None:
        self._actor = actor
        self._chains = {chain[0].pk: chain for chain in chains}
        levels = {level.pk: level for chain in self._chains.values() for level in chain}
        returned = _returned_lately(levels.values())
        self._left = {pk: max(0, returns_a_year(level) - returned.get(pk, 0)) for pk, level in levels.items()}

    def left(self, item: LineItem) -> int:
        """How many copies of the item may come back, by every level."""
        return min(self._left[level.pk] for level in self._chains[item.pk])

    def shown_left(self, item: LineItem) -> int:
        """As far as the reader may know it: of a level that it does not see, whether anything is left at all (E12)."""
        left = self.left(item)
        seen = [self._left[level.pk] for level in self._chains[item.pk] if self._is_seen(item, level)]
        return min(seen) if left else 0

    def take(self, item: LineItem, copies: int) -> None:
        """So many of the item come back."""
        for level in self._chains[item.pk]:
            self._left[level.pk] = max(0, self._left[level.pk] - copies)

    def obstacle(self, item: LineItem, copies: int) -> str:
        """Why so many copies cannot come back, at which level, and who can help; "" where they can."""
        reached = self.reached(item, copies)
        return " ".join([reached, _("Ask MOBOTIX for more.")]) if reached else ""

    def reached(self, item: LineItem, copies: int) -> str:
        """The level at which the year is used up for so many copies, in a sentence; "" where it is not."""
        short = [level for level in self._chains[item.pk] if self._left[level.pk] < copies]
        named = next((level for level in short if self._is_seen(item, level)), None)
        if named is not None:
            return self._sentence(item, named)
        return _further_up() if short else ""

    def _is_seen(self, item: LineItem, level: LineItem) -> bool:
        return level.pk == item.pk or level.pk in self._visible

    @cached_property
    def _visible(self) -> set[int]:
        """The levels above that the reader sees (E12); who has the Activation ID alone sees none."""
        if self._actor is None:
            return set()
        above = {level.pk for chain in self._chains.values() for level in chain[1:]}
        return set(LineItem.objects.visible_to(self._actor).filter(pk__in=above).values_list("pk", flat=True))

    def _sentence(self, item: LineItem, level: LineItem) -> str:
        most, left = returns_a_year(level), self._left[level.pk]
        own, above = _of_this(most), _of_one_above(most)
        values = {"most": most, "left": left, "tail": level.activation_id_tail}
        return (own if level.pk == item.pk else above) % values


def _of_this(most: int) -> str:
    return ngettext(
        "%(most)s copy of this line item can be returned a year; %(left)s is left.",
        "%(most)s copies of this line item can be returned a year; %(left)s are left.",
        most,
    )


def _of_one_above(most: int) -> str:
    return ngettext(
        "%(most)s copy can be returned a year of the line item …-%(tail)s and of everything split from it, this line "
        "item included; %(left)s is left.",
        "%(most)s copies can be returned a year of the line item …-%(tail)s and of everything split from it, this line "
        "item included; %(left)s are left.",
        most,
    )


def _further_up() -> str:
    """E12: neither whose item it is nor how many copies it has."""
    return _(
        "So many copies cannot be returned any more this year: a line item that this one descends from is at its limit."
    )
