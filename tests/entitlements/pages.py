"""Ways to ask for pages as somebody."""

from collections.abc import Iterable
from typing import Any

from django.test import Client

from accounts.models import User
from tests.following import FollowingClient


def client_of(user: User) -> Client:
    """A browser in which this user has logged in."""
    client = FollowingClient()
    client.force_login(user)
    return client


def html_of(response: Any) -> str:
    """The page as text."""
    return response.content.decode()


def errors_of(response: Any) -> dict[str, list[str]]:
    """What stands at the fields of the page's form."""
    return {name: list(errors) for name, errors in response.context["form"].errors.items()}


def assert_statuses(address: str, expected: Iterable[tuple[User, int]], method: str = "get") -> None:
    """What each of these users gets at an address."""
    for user, status in expected:
        response = getattr(client_of(user), method)(address)
        assert response.status_code == status, (str(user), address, response.status_code)


def offered_on(response: Any) -> set[str]:
    """The entries of the menus on the page of a line item, by their labels."""
    return {str(entry.label) for menu in response.context["this"].menus for entry in menu.entries}
