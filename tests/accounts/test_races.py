"""Two at the same moment: what the check before could not see, the database refuses, as a sentence at the field."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction

from accounts.models import Role, Tier
from accounts.services.accounts import create_account
from accounts.services.users import create_user
from mxportal.shared.forms import new_key
from tests.factories import make_account, make_cast, make_user

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@contextmanager
def twin(write: Callable[[], object]) -> Iterator[None]:
    """Somebody else has written and commits only after the block has begun to wait for it."""
    written, release = threading.Event(), threading.Event()

    def run() -> None:
        with transaction.atomic():
            write()
            written.set()
            release.wait(1)
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    written.wait(10)
    yield
    release.set()
    thread.join()


def test_account_id_at_the_same_moment() -> None:
    """A3: the same Account ID, in other letter case, by two sellers."""
    cast = make_cast()
    with (
        twin(lambda: make_account(Tier.END_CUSTOMER, "Twin", account_id="clinic-1")),
        pytest.raises(ValidationError) as refused,
    ):
        create_account(
            actor=cast.installer, tier=Tier.END_CUSTOMER, name="X", account_id="CLINIC-1", key=new_key()
        )
    assert list(refused.value.message_dict) == ["account_id"]


def test_user_id_at_the_same_moment() -> None:
    """U2: the same address for a login of two accounts."""
    cast = make_cast()
    with (
        twin(lambda: make_user(cast.other_installer.account, "Twin", email="same@person.example")),
        pytest.raises(ValidationError) as refused,
    ):
        create_user(
            actor=cast.installer,
            account_id=cast.installer.account_id,
            key=new_key(),
            email="Same@Person.example",
            first_name="New",
            last_name="Person",
            can_log_in=True,
            role=Role.PORTAL_USER,
        )
    assert list(refused.value.message_dict) == ["email"]
