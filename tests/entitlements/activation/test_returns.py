"""Returns of copies (L4)."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from entitlements.activation.services.return_limits import ReturnLimits, chains_of
from entitlements.models import Activation, License, LineItem, State
from entitlements.orders.services.states import change_state
from mxportal.shared.forms import new_key
from tests.entitlements.activation.devices import balances, give_back, put_on
from tests.factories import Cast, Chain

pytestmark = pytest.mark.django_db


def returns_left(item: LineItem) -> int:
    return ReturnLimits(None, chains_of([item])).left(item)


def test_return(cast: Cast, chain: Chain) -> None:
    """L4: copies are available again; the license ends, or a new one covers the rest."""
    first = put_on(cast, chain.served, 3)
    give_back(cast, 1)
    assert balances(chain.served) == (5, 3, 2)
    assert License.objects.get(ended_at=None).copies == 2
    give_back(cast, 2, actor=cast.mobotix, reason="Camera stolen")
    assert balances(chain.served) == (5, 5, 0)
    assert not License.objects.filter(ended_at=None).exists()
    assert License.objects.get(pk=first.pk).ended_at is not None


@pytest.mark.parametrize("state", [State.INACTIVE, State.OBSOLETE])
def test_return_when_inactive(cast: Cast, chain: Chain, state: State) -> None:
    """E3: undo and return work when the item is inactive."""
    put_on(cast, chain.served)
    LineItem.objects.filter(pk=chain.served.pk).update(state=state)
    assert give_back(cast, 2).copies == 0


def test_the_years_limit(cast: Cast, chain: Chain) -> None:
    """L4: max(2, 5 %) copies a year through any channel; beyond this only MOBOTIX, with a reason."""
    put_on(cast, chain.served, 5)
    give_back(cast, 1)
    put_on(cast, chain.served, 3)  # fewer than before
    assert returns_left(chain.served) == 0
    with pytest.raises(
        ValidationError, match="2 copies of this line item can be returned per year; 0 are left"
    ):
        give_back(cast, 1)
    with pytest.raises(ValidationError):
        give_back(cast, 1, actor=cast.mobotix)
    assert give_back(cast, 1, actor=cast.mobotix, reason="Defective").copies == 2


def test_the_limit_grows_with_the_quantity(cast: Cast, chain: Chain) -> None:
    """L4: 5 % of 100 are 5."""
    assert (returns_left(chain.issued), returns_left(chain.installed)) == (5, 2)


def test_a_year_later(cast: Cast, chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    """L4: returns of more than a year ago do not count."""
    put_on(cast, chain.served, 5)
    give_back(cast, 2)
    assert returns_left(chain.served) == 0
    in_a_year = timezone.now() + timedelta(days=366)
    monkeypatch.setattr("entitlements.activation.services.return_limits.timezone.now", lambda: in_a_year)
    assert returns_left(chain.served) == 2


@pytest.mark.parametrize(("state", "ends"), [(State.INACTIVE, False), (State.OBSOLETE, True)])
def test_obsolete_revokes(cast: Cast, chain: Chain, state: State, ends: bool) -> None:
    """E3: Inactive leaves licenses running, Obsolete revokes them; the copies stay activated."""
    license = put_on(cast, chain.served)
    change_state(
        actor=cast.mobotix,
        item_id=chain.issued.pk,
        state=state,
        key=new_key(),
        with_splits=True,
        reason="Fraud",
    )
    assert (License.objects.get(pk=license.pk).ended_at is not None) == ends
    assert balances(chain.served) == (5, 3, 2)


@pytest.mark.parametrize("who", ["distributor", "installer_viewer", "sibling_installer"])
def test_who_may_not_return(cast: Cast, chain: Chain, who: str) -> None:
    """E13: accounts that may not activate the item may not return its copies."""
    put_on(cast, chain.served)
    with pytest.raises((PermissionDenied, Activation.DoesNotExist)):
        give_back(cast, 1, actor=getattr(cast, who))
