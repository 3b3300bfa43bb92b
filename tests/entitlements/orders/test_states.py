"""MOBOTIX changes states."""

from typing import Any

import pytest
from django.urls import reverse

from accounts.models import AuditEntry
from entitlements.models import LineItem, State
from entitlements.orders.services.states import ALLOWED_CHANGES
from mxportal.shared.forms import new_key
from tests.entitlements.pages import assert_statuses, client_of, errors_of, html_of
from tests.factories import Cast, Chain, issue_item

pytestmark = pytest.mark.django_db


def address(item: LineItem) -> str:
    return reverse("line_item_state", args=[item.pk])


def typed(state: str, **changes: Any) -> dict[str, Any]:
    return {"key": new_key(), "state": state, "reason": "Audit"} | changes


def states(chain: Chain) -> list[str]:
    items = (chain.issued, chain.installed, chain.served)
    return [LineItem.objects.values_list("state", flat=True).get(pk=item.pk) for item in items]


def put(item: LineItem, state: State) -> None:
    LineItem.objects.filter(pk=item.pk).update(state=state)


def test_a_draft_is_deployed_or_stays(cast: Cast) -> None:
    """E3: an obsolete item is seen by its owner, who must not see what was never deployed."""
    assert ALLOWED_CHANGES[State.DRAFT] == (State.DEPLOYED,)


@pytest.mark.parametrize("before", [State.DEPLOYED, State.INACTIVE])
def test_only_the_next_states_are_offered(cast: Cast, chain: Chain, before: State) -> None:
    """E3: and each of them can be chosen."""
    put(chain.issued, before)
    page = client_of(cast.mobotix).get(address(chain.issued))
    offered = [value for value, _label in page.context["form"].fields["state"].widget.choices]

    assert offered == [state.value for state in ALLOWED_CHANGES[before]]
    assert "final: it cannot be changed back" in html_of(page)


@pytest.mark.parametrize("after", [State.DRAFT, State.DEPLOYED, "expired", ""])
def test_others_are_refused(cast: Cast, chain: Chain, after: str) -> None:
    """E3: never back to Draft, and Expired is no state."""
    response = client_of(cast.mobotix).post(address(chain.issued), typed(after))

    assert list(errors_of(response)) == ["state"]
    assert states(chain)[0] == State.DEPLOYED


def test_one_item_alone(cast: Cast, chain: Chain) -> None:
    """E3: recorded with before and after."""
    response = client_of(cast.mobotix).post(address(chain.issued), typed("inactive", reason=""), follow=True)

    assert states(chain) == ["inactive", "deployed", "deployed"]
    assert "Inactive" in html_of(response)
    entry = AuditEntry.objects.about(chain.issued).first()
    assert entry is not None
    assert entry.details == {"before": "deployed", "after": "inactive"}


def test_with_everything_split_from_it(cast: Cast, chain: Chain) -> None:
    """E3: the tick box says how many items it concerns."""
    page = client_of(cast.mobotix).get(address(chain.issued))
    assert "Including everything split from it (line items: 2)" in html_of(page)
    client_of(cast.mobotix).post(address(chain.issued), typed("inactive", with_splits="on"))

    assert states(chain) == ["inactive"] * 3


def test_what_does_not_allow_the_change_stays(cast: Cast, chain: Chain) -> None:
    """E3: an obsolete split does not come to life with the rest."""
    put(chain.issued, State.INACTIVE)
    put(chain.installed, State.OBSOLETE)
    put(chain.served, State.INACTIVE)
    client_of(cast.mobotix).post(address(chain.issued), typed("deployed", with_splits="on"))

    assert states(chain) == ["deployed", "obsolete", "deployed"]


def test_no_tick_box_where_nothing_was_split(cast: Cast, chain: Chain) -> None:
    """E3."""
    assert "with_splits" not in client_of(cast.mobotix).get(address(chain.served)).context["form"].fields


def test_what_others_sold_needs_a_reason(cast: Cast, chain: Chain) -> None:
    """E13: for what MOBOTIX issued itself it is not required."""
    response = client_of(cast.mobotix).post(address(chain.served), typed("inactive", reason=" "))

    assert list(errors_of(response)) == ["reason"]
    assert states(chain)[2] == State.DEPLOYED


def test_obsolete_is_confirmed(cast: Cast, chain: Chain) -> None:
    """E3: there is no way back, so it is asked for twice."""
    client = client_of(cast.mobotix)
    response = client.post(address(chain.issued), typed("obsolete"))
    assert list(errors_of(response)) == ["final"]
    assert states(chain)[0] == State.DEPLOYED

    client.post(address(chain.issued), typed("obsolete", final="on"))
    assert states(chain)[0] == State.OBSOLETE
    page = client.get(address(chain.issued))
    assert "that is final" in html_of(page)
    assert "id_state" not in html_of(page)
    assert list(errors_of(client.post(address(chain.issued), typed("deployed")))) == ["state"]


def test_the_same_form_twice(cast: Cast, chain: Chain) -> None:
    """E7: a double click changes the state once, and both answers lead on."""
    data = typed("inactive")
    client = client_of(cast.mobotix)
    assert [client.post(address(chain.issued), data).status_code for _ in range(2)] == [302, 302]
    assert (
        AuditEntry.objects.about(chain.issued).filter(action="state_changed").count() == 2
    )  # deployed, inactive


def test_a_draft_becomes_deployed(cast: Cast) -> None:
    """E3."""
    draft = issue_item(cast, deploy=False)
    client_of(cast.mobotix).post(address(draft), typed("deployed"))
    draft.refresh_from_db()

    assert draft.state == State.DEPLOYED


def test_mobotix_admins_alone(cast: Cast, chain: Chain) -> None:
    """E3: the role decides before the row."""
    assert_statuses(
        address(chain.issued),
        [
            (cast.mobotix, 200),
            (cast.mobotix_viewer, 403),
            (cast.distributor, 403),
            (cast.other_distributor, 403),
        ],
    )
