"""E6, E7 for many lines: the service."""

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, AccountStatus, Tier, User
from entitlements.bulk.services import check as bulk_check
from entitlements.bulk.services import lines as bulk_lines
from entitlements.bulk.services.lines import BulkLine, LinesRefused
from entitlements.ledger.verification import differences
from entitlements.models import BulkState, Entitlement, LineItem, Movement, MovementKind, State
from entitlements.models.kinds import MailKind
from entitlements.orders.services.states import change_state
from mxportal.shared.forms import new_key
from notifications.models import Mail
from tests.entitlements.bulk.making import line_for, make_buyers, split_bulk
from tests.factories import (
    Cast,
    issue_item,
    make_account,
    make_contact,
    split_item,
    yesterday,
)

pytestmark = pytest.mark.django_db
UNKNOWN = "This is not the Account ID of an active account that you sell to."


def refused(
    cast: Cast, sources: list[LineItem], *lines: BulkLine, **options: Any
) -> dict[int, dict[str, str]]:
    """What is wrong with which line; and nothing was written."""
    before = LineItem.objects.count(), Movement.objects.count(), Account.objects.count(), Mail.objects.count()
    with pytest.raises(LinesRefused) as error:
        split_bulk(cast.distributor, sources, list(lines), **options)
    after = LineItem.objects.count(), Movement.objects.count(), Account.objects.count(), Mail.objects.count()
    assert before == after
    return error.value.checked.errors


def test_a_bulk_split_makes_what_single_splits_make(cast: Cast, item: LineItem) -> None:
    """E7: product, dates, chain, state, seller, balances and movements are those of single splits."""
    single = split_item(cast.distributor, item, cast.installer.account, copies=7)
    bulk = split_bulk(cast.distributor, [item], [line_for(cast.installer, 7)])
    new = bulk.items.get()
    same = [f.attname for f in LineItem._meta.concrete_fields if f.name not in (
        "id", "activation_id", "activation_id_end", "verification_code", "entitlement", "created_at", "ledger_position",
    )]  # fmt: skip

    assert {name: getattr(new, name) for name in same} == {name: getattr(single, name) for name in same}
    assert new.activation_id != single.activation_id
    assert new.activation_id_end == new.activation_id_tail.casefold()
    assert list(new.movements.values_list("kind", "copies", "actor")) == [
        (MovementKind.SPLIT, 7, cast.distributor.pk)
    ]
    item.refresh_from_db()
    assert (item.available, item.split) == (86, 14)
    assert not list(differences())
    assert (bulk.state, bulk.line_count, bulk.copies, bulk.lines) == (BulkState.DONE, 1, 7, [])


def test_many_buyers_of_several_items(cast: Cast, item: LineItem) -> None:
    """E7: each line names its source; an end customer's item is served by the seller."""
    other = issue_item(cast, quantity=5)
    customer = make_account(Tier.END_CUSTOMER, "Museum", sellers=(cast.distributor.account,))
    curator = make_contact(customer)
    typed = item.activation_id.lower().replace("-", " ")
    bulk = split_bulk(
        cast.distributor,
        [item, other],
        [
            line_for(cast.installer, 2, activation_id=typed),
            line_for(curator, 3, activation_id=other.activation_id),
            line_for(cast.sibling_installer, 4, activation_id=item.activation_id),
        ],
    )
    rows = bulk.items.order_by("pk").values_list("parent", "owner", "quantity", "serving_account")

    assert list(rows) == [
        (item.pk, cast.installer.account_id, 2, None),
        (other.pk, customer.pk, 3, cast.distributor.account_id),
        (item.pk, cast.sibling_installer.account_id, 4, None),
    ]
    assert not list(differences())


def test_all_or_nothing(cast: Cast, item: LineItem) -> None:
    """E7: one bad line among good ones, and nothing is split."""
    assert refused(
        cast, [item], line_for(cast.installer), line_for(cast.sibling_installer, "x"), send_mail=True
    ) == {1: {"amount": "Enter a whole number, for example 5 or 2,000."}}


def test_the_same_buyer_twice_gets_two_items(cast: Cast, item: LineItem) -> None:
    """E7: without an order number each under an entitlement of its own, as single splits."""
    bulk = split_bulk(cast.distributor, [item], [line_for(cast.installer, 1), line_for(cast.installer, 2)])

    assert sorted(bulk.items.values_list("quantity", flat=True)) == [1, 2]
    assert bulk.items.values("entitlement").distinct().count() == 2


def test_lines_of_an_order_are_one_entitlement_and_one_mail(cast: Cast, item: LineItem) -> None:
    """E7: the order of an earlier split takes the new lines, too; another buyer's of the same number does not."""
    first = split_item(cast.distributor, item, cast.installer.account, copies=1, order_number="PO 1")
    bulk = split_bulk(
        cast.distributor,
        [item],
        [
            line_for(cast.installer, 2, order_number="PO 1"),
            line_for(cast.installer, 3, order_number="PO 1"),
            line_for(cast.sibling_installer, 4, order_number="PO 1"),
        ],
        send_mail=True,
        attach_certificate=True,
    )
    ours = bulk.items.filter(owner=cast.installer.account)

    assert {new.entitlement_id for new in ours} == {first.entitlement_id}
    assert Entitlement.objects.filter(order_number="PO 1").count() == 2
    mails = Mail.objects.filter(kind=MailKind.ACTIVATION, line_items__in=bulk.items.all()).distinct()
    assert {(m.recipient_email, len(m.context["items"]), m.context["certificate"]) for m in mails} == {
        (cast.installer.email, 2, True),
        (cast.sibling_installer.email, 1, True),
    }


def test_the_same_request_twice_is_done_once(cast: Cast, item: LineItem) -> None:
    """E7: and gives the same answer; the key with other lines is refused."""
    key, lines = new_key(), [line_for(cast.installer, 2)]
    first = split_bulk(cast.distributor, [item], lines, key=key)
    second = split_bulk(cast.distributor, [item], lines, key=key)

    assert first == second
    assert item.splits.count() == 1
    with pytest.raises(ValidationError, match="already sent with other values"):
        split_bulk(cast.distributor, [item], [line_for(cast.installer, 3)], key=key)


def test_a_stranger_reads_as_unknown(cast: Cast, item: LineItem) -> None:
    """A4: another seller's account cannot be probed: same text, same queries, whatever else the line says."""
    found = []
    for account_id in (cast.other_installer.account.account_id, "NOBODY99", "Ä" * 5, "=1+1", "x" * 200):
        line = BulkLine(account_id=account_id, email=cast.other_installer.email, amount="1")
        with CaptureQueriesContext(connection) as queries:
            found.append(refused(cast, [item], line)[0])
        found[-1] |= {"queries": str(len(queries))}
    stranger, unknown, *others = found

    assert stranger == unknown
    assert stranger["account_id"] == UNKNOWN
    assert [line["account_id"] for line in others] == [
        UNKNOWN,
        "This is a formula. Enter its value.",
        "This is too long. Please shorten it.",
    ]


def test_whom_nothing_can_be_split_to(cast: Cast, item: LineItem) -> None:
    """E6, A5: inactive accounts, higher or equal tiers, oneself and the empty ID are refused, inactive persons too."""
    inactive = make_contact(make_account(Tier.INSTALLER, "Gone", sellers=(cast.distributor.account,)))
    Account.objects.filter(pk=inactive.account_id).update(status=AccountStatus.INACTIVE)
    former = make_contact(cast.installer.account)
    User.objects.filter(pk=former.pk).update(status="inactive")
    lines = [line_for(person) for person in (inactive, cast.mobotix, cast.distributor)]
    errors = refused(cast, [item], *lines, BulkLine(amount="1"), line_for(former))

    assert [errors[index]["account_id"] for index in range(3)] == [UNKNOWN] * 3
    assert errors[3]["account_id"] == "Enter the Account ID of the buyer."
    assert list(errors[4]) == ["email"]


def test_a_contact_of_another_account_is_refused(cast: Cast, item: LineItem) -> None:
    """E6: as one that does not exist; case and blanks of the address do not matter."""
    ours = cast.installer.account.account_id.lower()
    errors = refused(
        cast,
        [item],
        BulkLine(account_id=ours, email=f" {cast.installer.email.upper()} ", amount="1"),
        BulkLine(account_id=ours, email=cast.sibling_installer.email, amount="1"),
        BulkLine(account_id=ours, email="nobody@nowhere.example", amount="1"),
        BulkLine(account_id=ours, amount="1"),
    )
    assert 0 not in errors
    assert errors[1] == errors[2]
    assert errors[3] == {"email": "Enter the contact’s e-mail address."}


@pytest.mark.parametrize("amount", ["1.0", "1,000", "1e3", "", "-", "１", "٣", "0x1", "1 000", "9" * 30])
def test_amounts_are_not_guessed_at(cast: Cast, item: LineItem, amount: str) -> None:
    """E6: "1,000" is one in one country and a thousand in another."""
    assert list(refused(cast, [item], line_for(cast.installer, amount))[0]) == ["amount"]


def test_amounts_have_limits(cast: Cast, item: LineItem) -> None:
    """E6: 1 ≤ amount ≤ available, with the sentences of the single split."""
    errors = refused(cast, [item], *[line_for(cast.installer, amount) for amount in ("0", "-5", "101")])
    assert [errors[index]["amount"] for index in range(3)] == [
        "Enter at least 1 copy.",
        "Enter at least 1 copy.",
        "Only 100 copies are available now. Enter a smaller amount.",
    ]


def test_together_they_exceed_what_is_available(cast: Cast, item: LineItem) -> None:
    """E6: each line alone would do; it stands at the source."""
    lines = [line_for(cast.installer, 60), line_for(cast.sibling_installer, 60)]
    with pytest.raises(LinesRefused) as error:
        split_bulk(cast.distributor, [item], lines)
    sentence = "Together the lines take 120, but only 100 copies are available."
    assert error.value.checked.errors == {}
    assert error.value.checked.source_errors == {item.pk: sentence}
    assert error.value.messages == [sentence]


def test_the_source_must_be_one_of_those_ticked(cast: Cast, item: LineItem) -> None:
    """E6: with several items the line says which; an item that was not ticked, even one's own, is none of them."""
    other, third = issue_item(cast), issue_item(cast)
    errors = refused(
        cast,
        [item, other],
        line_for(cast.installer),
        line_for(cast.installer, activation_id=third.activation_id),
        line_for(cast.installer, activation_id="7KQ4"),
        line_for(cast.installer, activation_id=other.activation_id),
    )
    assert [list(errors.get(index, {})) for index in range(4)] == [["activation_id"]] * 3 + [[]]


@pytest.mark.parametrize("what", ["expired", "inactive"])
def test_unusable_sources_are_refused_at_the_line(cast: Cast, what: str) -> None:
    """E3, E6: state and date are those of the single split."""
    term = {"starts_on": yesterday(), "expires_on": yesterday()} if what == "expired" else {}
    item = issue_item(cast, **term)
    if what == "inactive":
        change_state(actor=cast.mobotix, item_id=item.pk, state=State.INACTIVE, key=new_key(), reason="r")
    assert list(refused(cast, [item], line_for(cast.installer))[0]) == ["activation_id"]


def test_who_may(cast: Cast, item: LineItem) -> None:
    """E6, E12: the owner's admins. Others' items are not there, or cannot be split by who sees them."""
    lines = [line_for(cast.installer)]
    for actor in (cast.distributor_viewer, cast.mobotix):
        with pytest.raises(PermissionDenied):
            split_bulk(actor, [item], lines)
    for actor in (cast.other_distributor, cast.installer):
        with pytest.raises(LineItem.DoesNotExist):
            split_bulk(actor, [item], lines)


def test_nothing_and_too_much_are_refused(
    cast: Cast, item: LineItem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limits of one operation."""
    with pytest.raises(ValidationError, match="at least one line"):
        split_bulk(cast.distributor, [item], [])
    with pytest.raises(ValidationError, match="Tick between 1 and 100"):
        split_bulk(cast.distributor, [], [line_for(cast.installer)])
    for module in (bulk_check, bulk_lines):
        monkeypatch.setattr(module, "MAX_BULK_LINES", 2)
    with pytest.raises(ValidationError, match="at most 2 lines"):
        split_bulk(cast.distributor, [item], [line_for(cast.installer)] * 3)


def test_queries_do_not_grow_with_the_lines(cast: Cast) -> None:
    """A thousand buyers in few statements; SQLite takes its rows in smaller portions than PostgreSQL."""
    counts = []
    for number in (20, 200):
        item = issue_item(cast, quantity=1000)
        lines = [line_for(buyer, 2) for buyer in make_buyers(cast.distributor.account, number)]
        with CaptureQueriesContext(connection) as queries:
            split_bulk(cast.distributor, [item], lines, send_mail=True)
        counts.append(len(queries))
    assert counts[1] <= counts[0] + (0 if connection.vendor == "postgresql" else 30), counts
