"""Search among line items by Activation ID and by what the reader may read of an item (E5, E12).

A search is a union of small sets of ids, each found by one index and each limited: one condition with OR across the
tables takes seconds at a million rows.
"""

from collections.abc import Sequence

from django.db.models import Q, QuerySet

from accounts.models import Account, User
from entitlements.identifiers.activation_ids import canonical, last_group_typed
from entitlements.items.predicates import is_party
from entitlements.models import Entitlement, LineItem, Product
from mxportal.shared.fields import fold

MAX_FOUND = 1000
ENTITLEMENT_ID_PREFIX = "E-"
MIN_SEARCH_LENGTH = 3  # characters, which a trigram index needs


def find_by_activation_id(actor: User, typed: str) -> LineItem | None:
    """Return the item with this Activation ID if the actor may read it in full, else None (E5).

    IDs of other systems are looked up as typed.
    """
    written = canonical(typed) or typed
    item = LineItem.objects.visible_to(actor).filter(activation_id=written).first()
    return item if item is not None and is_party(actor, item) else None


def find_ids(actor: User, parts: Sequence[QuerySet[LineItem]], text: str) -> set[int]:
    """Return the ids of the newest matching items out of some querysets of visible items.

    More than MAX_FOUND ids mean that there are further matches.
    """
    found: set[int] = set()
    for condition in _readable_by_all(actor, text) + _readable_by_parties(actor, text):
        for items in parts:
            newest = items.filter(condition).order_by("-id").values_list("pk", flat=True)
            found.update(newest[: MAX_FOUND + 1])
    return found


def _readable_by_all(actor: User, text: str) -> list[Q]:
    """Return the conditions on what everyone who sees the item reads; the owner's name only where A4 shows it."""
    conditions = []
    if group := last_group_typed(text):
        conditions.append(Q(activation_id_end__in={fold(group), fold(text)}))
    if len(text) >= MIN_SEARCH_LENGTH:
        owners = Account.objects.name_visible_to(actor).named_like(text)
        headings = Entitlement.objects.filter(entitlement_id__startswith=_entitlement_id_start(text))
        # ids and no subquery, so that the planner knows how many items a product has
        products = list(Product.objects.filter(_names_product(text)).values_list("pk", flat=True))
        conditions += [
            Q(entitlement__in=headings.values("pk")),
            Q(product__in=products),
            Q(owner__in=owners.values("pk")),
        ]
    return conditions


def _readable_by_parties(actor: User, text: str) -> list[Q]:
    """Return the conditions on the order number, which seller, owner, serving account and MOBOTIX read (E7)."""
    if len(text) < MIN_SEARCH_LENGTH:
        return []
    ordered = Q(entitlement__in=Entitlement.objects.filter(order_number__icontains=text).values("pk"))
    own = actor.account
    if own.is_mobotix:
        return [ordered]
    # one condition for each column: with OR between them the planner can stop early in no index
    # the serving account, not the seller, is the party of an End customer's item (A7)
    sold = Q(seller=own, serving_account=None)
    return [ordered & Q(owner=own), ordered & sold, ordered & Q(serving_account=own)]


def _entitlement_id_start(text: str) -> str:
    """Return the first characters of an entitlement ID, typed with or without its "E-"."""
    return f"{ENTITLEMENT_ID_PREFIX}{text.upper().removeprefix(ENTITLEMENT_ID_PREFIX)}"


def _names_product(text: str) -> Q:
    names = ("part_number", "name_en", "name_de")
    return Q(*[(f"{name}__icontains", text) for name in names], _connector=Q.OR)
