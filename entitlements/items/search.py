"""Search among line items: by Activation ID, and by what may be read about an item (E5, E12).

A search is a union of small sets of ids, each found by one index and each limited: one condition with OR across the
tables costs seconds at a million rows.
"""

from collections.abc import Sequence

from django.db.models import Q, QuerySet

from accounts.models import Account, User
from entitlements.identifiers.activation_ids import canonical, last_group_typed
from entitlements.items.predicates import is_party
from entitlements.models import Entitlement, LineItem, Product
from mxportal.shared.fields import fold

FOUND_AT_MOST = 1000
ENTITLEMENT_ID_PREFIX = "E-"
SHORTEST = 3  # characters; a trigram index needs them


def find_by_activation_id(actor: User, typed: str) -> LineItem | None:
    """E5: the item with this ID, for those who may read it in full. IDs of other systems are looked up as typed."""
    written = canonical(typed) or typed
    item = LineItem.objects.visible_to(actor).filter(activation_id=written).first()
    return item if item is not None and is_party(actor, item) else None


def find_ids(actor: User, arms: Sequence[QuerySet[LineItem]], text: str) -> set[int]:
    """The newest items that match, out of some querysets of visible items; more than FOUND_AT_MOST: there are more."""
    found: set[int] = set()
    for condition in _readable_by_all(actor, text) + _readable_by_parties(actor, text):
        for items in arms:
            newest = items.filter(condition).order_by("-id").values_list("pk", flat=True)
            found.update(newest[: FOUND_AT_MOST + 1])
    return found


def _readable_by_all(actor: User, text: str) -> list[Q]:
    """What everyone who sees the item may read; the owner's name only where A4 shows it to the actor."""
    conditions = []
    if group := last_group_typed(text):
        conditions.append(Q(activation_id_end__in={fold(group), fold(text)}))
    if len(text) >= SHORTEST:
        owners = Account.objects.name_visible_to(actor).named_like(text)
        headings = Entitlement.objects.filter(entitlement_id__startswith=_entitlement_id_start(text))
        # the ids themselves: with them the planner knows how many items a product has
        products = list(Product.objects.filter(_names_product(text)).values_list("pk", flat=True))
        conditions += [
            Q(entitlement__in=headings.values("pk")),
            Q(product__in=products),
            Q(owner__in=owners.values("pk")),
        ]
    return conditions


def _readable_by_parties(actor: User, text: str) -> list[Q]:
    """E7: an order number stays between the two who share it, the serving account and MOBOTIX."""
    if len(text) < SHORTEST:
        return []
    ordered = Q(entitlement__in=Entitlement.objects.filter(order_number__icontains=text).values("pk"))
    own = actor.account
    if own.is_mobotix:
        return [ordered]
    # one condition for each column: with OR between them the planner cannot stop early in any index
    sold = Q(
        seller=own, serving_account=None
    )  # of an End customer's item the serving account is the party (A7)
    return [ordered & Q(owner=own), ordered & sold, ordered & Q(serving_account=own)]


def _entitlement_id_start(text: str) -> str:
    """Its first characters, typed with or without the "E-" that all of them begin with."""
    return f"{ENTITLEMENT_ID_PREFIX}{text.upper().removeprefix(ENTITLEMENT_ID_PREFIX)}"


def _names_product(text: str) -> Q:
    names = ("part_number", "name_en", "name_de")
    return Q(*[(f"{name}__icontains", text) for name in names], _connector=Q.OR)
