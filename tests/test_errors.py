"""Pages of errors are no dead ends: whoever is logged in keeps the menus."""

from django.test import Client
from django.urls import reverse

from entitlements.models import LineItem
from tests.entitlements.pages import client_of, html_of
from tests.factories import Cast

MENU = 'aria-label="Main menu"'


def test_menus_stay_where_nothing_is(cast: Cast) -> None:
    """A4: 404, of an address that is none and of another's item."""
    for address in ("/nowhere/", reverse("line_item_detail", args=[10**9])):
        response = client_of(cast.installer).get(address)
        assert response.status_code == 404
        assert MENU in html_of(response)


def test_menus_stay_where_something_is_not_open(cast: Cast, item: LineItem) -> None:
    """E13: 403, of who sees the item and does not own it."""
    response = client_of(cast.mobotix).get(reverse("line_item_split", args=[item.pk]))
    assert response.status_code == 403
    assert MENU in html_of(response)


def test_strangers_get_no_menus(db: None, client: Client) -> None:
    """There is nothing in them for who is not logged in."""
    response = client.get("/nowhere/")
    assert response.status_code == 404
    assert MENU not in html_of(response)
    assert "Go to Home" in html_of(response)
