"""A request file is carried out completely or not at all, for a user or for a bearer of the Activation ID (L3)."""

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import User
from entitlements.activation.offline.request_files import ActivationRequest, Wanted
from entitlements.activation.offline.services import Answer, Step, carry_out_request, plan_request
from entitlements.identifiers.host_ids import HostIdType
from entitlements.models import Device, License, LineItem, Movement, State
from tests.entitlements.activation.devices import balances
from tests.factories import Cast, Chain, issue_item, split_item, yesterday

pytestmark = pytest.mark.django_db
MAC = "00:03:C5:AA:BB:CC"


@pytest.fixture
def second(cast: Cast, chain: Chain) -> LineItem:
    """Another 3 copies of the end customer, under another Activation ID."""
    return split_item(cast.installer, chain.installed, cast.customer, copies=3)


def asked(*wanted: tuple[LineItem | str, int]) -> ActivationRequest:
    return ActivationRequest(
        host_id=MAC,
        host_id_type=HostIdType.MAC,
        device_name="Entrance",
        wanted=tuple(
            Wanted(item if isinstance(item, str) else item.activation_id, copies) for item, copies in wanted
        ),
    )


def carry_out(actor: User | None, *wanted: tuple[LineItem | str, int], **more: Any) -> list[Answer]:
    return carry_out_request(actor=actor, request=asked(*wanted), **more)


def plan(actor: User | None, *wanted: tuple[LineItem | str, int]) -> list[Step]:
    return plan_request(actor=actor, request=asked(*wanted))


def problems(actor: User | None, *wanted: tuple[LineItem | str, int]) -> list[str]:
    """The problems of a request; the plan and the execution report the same ones."""
    with pytest.raises(ValidationError) as refused:
        carry_out(actor, *wanted)
    planned = [step for step in plan(actor, *wanted) if step.problem]
    assert refused.value.messages == [f"{step.wanted.activation_id}: {step.problem}" for step in planned]
    return [step.problem for step in planned]


def mistyped(item: LineItem) -> str:
    last = item.activation_id[-1]
    return item.activation_id[:-1] + ("2" if last != "2" else "3")


def test_the_bearer(chain: Chain, second: LineItem) -> None:
    """L2, L3: one request with several Activation IDs gives a license for each; the movements have no actor."""
    answers = carry_out(None, (chain.served, 2), (second, 3))

    assert [answer.license.copies for answer in answers if answer.license] == [2, 3]
    assert (balances(chain.served), balances(second)) == ((5, 3, 2), (3, 0, 3))
    assert Movement.objects.latest("pk").actor is None
    device = Device.objects.get()
    assert (device.account, device.host_id, device.name) == (chain.served.owner, MAC, "Entrance")


def test_a_user(cast: Cast, chain: Chain) -> None:
    """E13: users act in their own name on items that they may activate, also on their own stock."""
    carry_out(cast.installer, (chain.served, 1), (chain.installed, 4))
    actors = Movement.objects.order_by("-pk").values_list("actor", flat=True)[:2]
    assert list(actors) == [cast.installer.pk] * 2
    assert balances(chain.installed)[2] == 4


def test_a_user_with_the_id_of_others_customers(cast: Cast, chain: Chain) -> None:
    """L2: for other end customers' items the ID is the proof, as for anybody."""
    carry_out(cast.other_installer, (chain.served, 1))
    assert Movement.objects.latest("pk").actor is None


def test_the_plan_changes_nothing(cast: Cast, chain: Chain) -> None:
    """L3: it only says what would happen."""
    carry_out(None, (chain.served, 2))
    before = Movement.objects.count()
    (more,) = plan(None, (chain.served, 5))
    (back,) = plan(None, (chain.served, 0))
    (same,) = plan(None, (chain.served, 2))
    assert [(step.held, step.change, step.problem) for step in (more, back, same)] == [
        (2, 3, ""),
        (2, -2, ""),
        (2, 0, ""),
    ]
    assert Movement.objects.count() == before


def test_all_or_nothing(chain: Chain, second: LineItem) -> None:
    """L3: one step that cannot be done prevents all of them."""
    (problem,) = problems(None, (chain.served, 2), (second, 4))
    assert "3" in problem
    assert not Device.objects.exists()
    assert not License.objects.exists()


def test_each_problem_is_said(cast: Cast, chain: Chain, second: LineItem) -> None:
    """L3: all problems are reported, not only the first one."""
    LineItem.objects.filter(pk=second.pk).update(state=State.INACTIVE)
    assert len(problems(None, (chain.served, 6), (second, 1), (mistyped(second), 1))) == 3


def test_replayed(chain: Chain, second: LineItem) -> None:
    """L2: the same file again gives the same licenses, also after a part of it was carried out."""
    first = carry_out(None, (chain.served, 2))
    again = carry_out(None, (chain.served, 2), (second, 1))
    assert first[0].license
    assert again[0].license
    assert (again[0].license.pk, again[0].license.file) == (first[0].license.pk, first[0].license.file)
    assert balances(chain.served) == (5, 3, 2)


def test_return(chain: Chain) -> None:
    """L3, L4: all copies on the device come back, and the license ends; a second return changes nothing."""
    carry_out(None, (chain.served, 2))
    for _time in range(2):
        (answer,) = carry_out(None, (chain.served, 0))
        assert answer.license is None
        assert balances(chain.served) == (5, 5, 0)
    assert License.objects.get().ended_at is not None
    assert Movement.objects.filter(item=chain.served, kind="return").count() == 1


def test_return_and_activate_in_one(chain: Chain, second: LineItem) -> None:
    """L3: one request can return one license and activate another."""
    carry_out(None, (chain.served, 1))
    carry_out(None, (chain.served, 0), (second, 1))
    assert (balances(chain.served)[2], balances(second)[2]) == (0, 1)


def test_return_of_what_was_never_there(chain: Chain) -> None:
    """L3: it changes nothing, and creates no device."""
    carry_out(None, (chain.served, 0))
    assert not Device.objects.exists()


@pytest.mark.parametrize("state", [State.INACTIVE, State.OBSOLETE])
def test_return_when_inactive(chain: Chain, state: State) -> None:
    """E3: return works when the item is inactive."""
    carry_out(None, (chain.served, 2))
    LineItem.objects.filter(pk=chain.served.pk).update(state=state)
    carry_out(None, (chain.served, 0))
    assert balances(chain.served) == (5, 5, 0)


def test_the_years_limit(cast: Cast, chain: Chain) -> None:
    """L4: it also applies to a lower total; MOBOTIX can exceed it with a reason."""
    carry_out(None, (chain.served, 5))
    for copies in (0, 2):
        (problem,) = problems(None, (chain.served, copies))
        assert "MOBOTIX" in problem
    with pytest.raises(ValidationError) as refused:
        carry_out(cast.mobotix, (chain.served, 0))
    assert list(refused.value.error_dict) == ["reason"]
    assert [step.needs_reason for step in plan(cast.mobotix, (chain.served, 0))] == [True]
    carry_out(cast.mobotix, (chain.served, 0), reason="Camera stolen")
    assert Movement.objects.latest("pk").reason == "Camera stolen"


@pytest.mark.parametrize(
    "change", [{"state": State.INACTIVE}, {"starts_on": yesterday(), "expires_on": yesterday()}]
)
def test_only_what_is_deployed_and_not_expired(chain: Chain, change: dict[str, Any]) -> None:
    """E3, L2: other items cannot be activated."""
    LineItem.objects.filter(pk=chain.served.pk).update(**change)
    assert len(problems(None, (chain.served, 1))) == 1


def test_own_stock_needs_a_login(cast: Cast, chain: Chain) -> None:
    """L2: without a login, the ID of an installer's stock or of a draft reads like an unknown one."""
    draft = issue_item(cast, cast.customer, deploy=False)
    unknown = "0" * 28
    said = set()
    for actor in (None, cast.other_installer, cast.distributor):
        for item in (chain.installed, draft, unknown):
            (step,) = plan(actor, (item, 1))
            assert step.is_guess
            assert step.item is None
            said.add(step.problem)
    assert len(said) == 1
    assert balances(chain.installed) == (40, 35, 0)


def test_a_typing_error_is_no_guess(chain: Chain, django_assert_num_queries: Any) -> None:
    """E5: it is refused without a look-up, also with a missing character."""
    for typed in (mistyped(chain.served), chain.served.activation_id[:-1]):
        with django_assert_num_queries(0):
            (step,) = plan(None, (typed, 1))
        assert "typing error" in step.problem
        assert not step.is_guess


def test_an_id_of_another_system(cast: Cast, chain: Chain) -> None:
    """E5: it is looked up as typed."""
    LineItem.objects.filter(pk=chain.served.pk).update(activation_id="FNO-77-ABC")
    assert carry_out(None, ("FNO-77-ABC", 1))[0].license


def test_typed_in_any_form(chain: Chain) -> None:
    """E5: without dashes, in lower case."""
    typed = chain.served.activation_id.lower().replace("-", " ")
    assert carry_out(None, (typed, 1))[0].license


def test_who_only_looks(cast: Cast, chain: Chain) -> None:
    """U3: the Portal User Role writes nothing."""
    for do in (plan, carry_out):
        with pytest.raises(PermissionDenied):
            do(cast.installer_viewer, (chain.served, 1))


def test_queries_do_not_grow(
    cast: Cast, chain: Chain, second: LineItem, django_assert_num_queries: Any
) -> None:
    """A file with many Activation IDs takes as many queries as a file with one."""
    third = split_item(cast.installer, chain.installed, cast.customer, copies=1)
    with django_assert_num_queries(3):
        plan(cast.installer, (chain.served, 1))
    with django_assert_num_queries(3):
        plan(cast.installer, (chain.served, 1), (second, 1), (third, 1))


def test_queries_of_returns_do_not_grow(
    chain: Chain, second: LineItem, django_assert_num_queries: Any
) -> None:
    """L4: the same holds for returns, each of which has its year's limit."""
    carry_out(None, (chain.served, 3), (second, 3))
    with django_assert_num_queries(4):
        plan(None, (chain.served, 0))
    with django_assert_num_queries(4):
        assert all(step.problem for step in plan(None, (chain.served, 0), (second, 0)))
