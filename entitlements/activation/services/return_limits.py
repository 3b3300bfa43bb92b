"""The year's limit of returns, for an item and for every item that it descends from (L4)."""

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
Chain = Sequence[LineItem]  # an item, its parent, and so on up to the item that MOBOTIX issued


def returns_a_year(item: LineItem) -> int:
    """Return how many copies of the item, and of everything below it, may be returned within a year (L4).

    It depends on today's quantity, which only MOBOTIX can raise.
    """
    share = item.quantity * settings.RETURNS_A_YEAR_PERCENT // 100
    return max(settings.RETURNS_A_YEAR_LEAST, share)


def chains_of(items: Iterable[LineItem]) -> list[Chain]:
    """Return the chain of each item as it is now, without locks. One query."""
    wanted = LineItem.objects.filter(pk__in=[item.pk for item in items])
    return [_chain(item) for item in wanted.select_related("parent__parent")]


def _chain(item: LineItem) -> Chain:
    chain = [item]
    while chain[-1].parent is not None:
        chain.append(chain[-1].parent)
    return chain


def count_return(movement: Movement, chain: Chain) -> None:
    """Record what the return counts for each item of the chain, in the transaction of the movement (L4)."""
    CountedReturn.objects.bulk_create(
        CountedReturn(item=item, movement=movement, copies=movement.copies, returned_at=timezone.now())
        for item in chain
    )


def _returned_lately(items: Iterable[LineItem]) -> dict[int, int]:
    lately = CountedReturn.objects.filter(item__in=items, returned_at__gt=timezone.now() - YEAR)
    return dict(lately.order_by().values_list("item").annotate(returned=Sum("copies")))


class ReturnLimits:
    """What is left of the year's limits for some items and all items above them (L4).

    One query; another one where a level has to be named. ``take`` goes through a request line by line: what one line
    takes is not left for the next one.
    """

    def __init__(self, actor: User | None, chains: Iterable[Chain]) -> None:
        self._actor = actor
        self._chains = {chain[0].pk: chain for chain in chains}
        levels = {level.pk: level for chain in self._chains.values() for level in chain}
        returned = _returned_lately(levels.values())
        self._left = {pk: max(0, returns_a_year(level) - returned.get(pk, 0)) for pk, level in levels.items()}

    def left(self, item: LineItem) -> int:
        """Return how many copies of the item may be returned, by the limit of every level."""
        return min(self._left[level.pk] for level in self._chains[item.pk])

    def shown_left(self, item: LineItem) -> int:
        """Return ``left`` as far as the reader may know it (E12).

        Of a level that the reader does not see, it shows only whether anything is left.
        """
        left = self.left(item)
        seen = [self._left[level.pk] for level in self._chains[item.pk] if self._is_seen(item, level)]
        return min(seen) if left else 0

    def take(self, item: LineItem, copies: int) -> None:
        """Take so many copies of the item from the limit of every level."""
        for level in self._chains[item.pk]:
            self._left[level.pk] = max(0, self._left[level.pk] - copies)

    def obstacle(self, item: LineItem, copies: int) -> str:
        """Return why so many copies cannot be returned, at which level, and who can help; "" where they can."""
        reached = self.reached(item, copies)
        return " ".join([reached, _("If you need more, contact MOBOTIX.")]) if reached else ""

    def reached(self, item: LineItem, copies: int) -> str:
        """Return the sentence for the level whose limit does not allow so many copies; "" where every level does."""
        short = [level for level in self._chains[item.pk] if self._left[level.pk] < copies]
        named = next((level for level in short if self._is_seen(item, level)), None)
        if named is not None:
            return self._sentence(item, named)
        return _further_up() if short else ""

    def _is_seen(self, item: LineItem, level: LineItem) -> bool:
        return level.pk == item.pk or level.pk in self._visible

    @cached_property
    def _visible(self) -> set[int]:
        """The levels above that the reader sees; none for a bearer of the Activation ID (E12)."""
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
        "%(most)s copy of this line item can be returned per year; %(left)s is left.",
        "%(most)s copies of this line item can be returned per year; %(left)s are left.",
        most,
    )


def _of_one_above(most: int) -> str:
    return ngettext(
        "%(most)s copy of the line item …-%(tail)s and of everything split from it, including this "
        "line item, can be returned per year; %(left)s is left.",
        "%(most)s copies of the line item …-%(tail)s and of everything split from it, including this "
        "line item, can be returned per year; %(left)s are left.",
        most,
    )


def _further_up() -> str:
    """Return a sentence that says neither whose item it is nor how many copies it has (E12)."""
    return _("This many copies cannot be returned this year: a line item further up has reached its limit.")
