"""The standing cast, and browsers of its people."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from tests.following import FollowingClient


@pytest.fixture
def as_user() -> Callable[[User], Client]:
    """A browser in which this user is logged in."""

    def logged_in(user: User) -> Client:
        client = FollowingClient()
        client.force_login(user)
        return client

    return logged_in
