"""The search of List Entitlements at the size of the seeded database, as each tier asks it."""

from functools import partial
from statistics import median

from django.test import Client
from django.urls import reverse

from accounts.models import Tier
from entitlements.identifiers.activation_ids import new_activation_id
from entitlements.models import LineItem
from entitlements.models.line_item import CHAIN
from tests.bench.clock import interleaved
from tests.bench.lists import browser_of
from tests.bench.people import NUMBERS, admin_of

ROUNDS = 7


def search_milliseconds(tier: Tier) -> tuple[float, float]:
    """The median of all kinds of search, and the slowest kind; each to the page that shows the answer."""
    client = browser_of(admin_of(tier))
    kinds = interleaved(*[partial(_ask, client, text) for text in questions(tier)], rounds=ROUNDS)
    return 1000 * median(kinds), 1000 * max(kinds)


def _ask(client: Client, text: str) -> None:
    response = client.post(reverse("line_item_search"), {"q": text}, follow=True)
    if response.status_code != 200:
        raise AssertionError(f"The search for {text!r} answers with status {response.status_code}")


def questions(tier: Tier) -> list[str]:
    """What people type: IDs whole and in part, names that are rare, common, and not to be found."""
    items = LineItem.objects.select_related("entitlement", "owner", "product")
    if tier in CHAIN:
        items = items.filter(**{CHAIN[tier]: NUMBERS[tier]})
    item = items.order_by("pk")[items.count() // 3]
    item.activation_id = new_activation_id()  # those of seed.sql have no right check character
    item.save(update_fields=["activation_id", "activation_id_end"])
    return [
        item.activation_id[-4:],
        item.activation_id,
        item.entitlement.entitlement_id,
        item.entitlement.order_number or "PO-45",
        item.owner.name,
        "Hospital",
        "PO-45",
        item.product.part_number,
        "Video Analytics",
        "nowhere to be found",
    ]
