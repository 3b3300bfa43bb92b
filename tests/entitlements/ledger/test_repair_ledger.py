"""`manage.py verify_ledger --repair` corrects balances from the movements (E11)."""

import io
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.urls import reverse
from django.utils.translation import override

from accounts.models import AuditEntry
from entitlements.items.history import timeline
from entitlements.ledger import movements as ledger
from entitlements.ledger import triggers
from entitlements.ledger.movements import record_device_movement, record_movement
from entitlements.ledger.sealing.record_sealing import seal_records
from entitlements.ledger.sealing.seal import seal_ledger
from entitlements.models import LineItem, Movement, MovementKind
from entitlements.splits.services.undo import undo_split
from mxportal.shared.forms import new_key
from tests.entitlements.pages import client_of, html_of
from tests.factories import Cast, Chain, issue_item, make_activation, split_item
from tests.roles import as_owner

pytestmark = pytest.mark.django_db


@contextmanager
def no_trigger() -> Iterator[None]:
    """As after migrate had dropped the triggers: movements are accepted and have no effect."""
    with pytest.MonkeyPatch.context() as patch, as_owner():
        patch.setattr(ledger, "_check_effect", lambda movements: None)
        triggers.drop(connection)
        yield
        triggers.create(connection)


def repair() -> tuple[str, str]:
    """The output of the command, which must succeed."""
    said, warned = io.StringIO(), io.StringIO()
    with as_owner():
        call_command("verify_ledger", repair=True, stdout=said, stderr=warned)
    return said.getvalue(), warned.getvalue()


def refused(match: str) -> str:
    warned = io.StringIO()
    with as_owner(), pytest.raises(CommandError, match=match):
        call_command("verify_ledger", repair=True, stdout=io.StringIO(), stderr=warned)
    return warned.getvalue()


def balances(item: LineItem) -> tuple[int, ...]:
    return LineItem.objects.values_list("quantity", "available", "split", "activated").get(pk=item.pk)


@pytest.mark.slow
def test_splits_that_moved_nothing(cast: Cast, chain: Chain) -> None:
    """E11: each balance is reported and written into the audit trail; movements that were never queued are sealed."""
    seal_ledger()
    with no_trigger():
        lost = split_item(cast.distributor, chain.issued, cast.installer.account, copies=7)
    assert (balances(lost), balances(chain.issued)) == ((0, 0, 0, 0), (100, 60, 40, 0))
    said, warned = repair()
    assert f"Repaired line item {lost.pk}: quantity is 0, the movements say 7; available is 0" in said
    assert "Queued to be sealed: 1 movements." in said
    assert (
        "Queued to be sealed: 1 records." in said
    )  # the line item; its entries in the audit trail come besides
    assert "The ledger verifies" in said
    assert not warned
    assert (balances(lost), balances(chain.issued)) == ((7, 7, 0, 0), (100, 53, 47, 0))
    entry = AuditEntry.objects.about(lost).get(action="balances_repaired")
    assert (entry.actor, entry.details["before"]["quantity"], entry.details["after"]["quantity"]) == (
        None,
        0,
        7,
    )
    assert AuditEntry.objects.filter(action="balances_repaired").count() == 2
    newest = Movement.objects.latest("pk").pk
    assert set(
        LineItem.objects.filter(pk__in=[lost.pk, chain.issued.pk]).values_list("ledger_position", flat=True)
    ) == {newest}
    split_item(cast.installer, lost, cast.customer, copies=7)
    seal_ledger()
    seal_records()
    assert repair()[0].startswith("Nothing to repair.")


def test_copies_on_a_device(cast: Cast, chain: Chain) -> None:
    """L2: the activation and its item are corrected."""
    activation = make_activation(chain.served)
    with no_trigger():
        record_device_movement(actor=None, kind=MovementKind.ACTIVATE, activation=activation, copies=2)
    said, _warned = repair()
    assert f"Repaired activation {activation.pk}: copies is 0, the movements say 2." in said
    activation.refresh_from_db()
    assert (activation.copies, balances(chain.served)) == (2, (5, 3, 0, 2))
    record_device_movement(actor=None, kind=MovementKind.RETURN, activation=activation, copies=2)


def test_the_history_tells_of_the_repair(cast: Cast, chain: Chain) -> None:
    """E11, E12: in both languages, the changed balances only, for every reader of the item."""
    with no_trigger():
        split_item(cast.distributor, chain.issued, cast.installer.account, copies=7)
    repair()
    history = reverse("line_item_history", args=[chain.issued.pk])
    for reader in (cast.mobotix, cast.distributor):
        page = html_of(client_of(reader).get(history))
        assert (
            "The balances were corrected from the movements: available 53 (was 60); split 47 (was 40)."
            in page
        )
        assert "--repair" not in page
    with override("de"):
        (event,) = (one for one in timeline(cast.mobotix, chain.issued).events if "berichtigt" in one.text)
    assert (
        event.text
        == "Die Bestände wurden nach den Buchungen berichtigt: verfügbar 53 (vorher 60); aufgeteilt 47 (vorher 40)."
    )


@pytest.mark.slow
@pytest.mark.parametrize("way", ["undo", "raise"])
def test_copies_that_were_given_away_twice(cast: Cast, way: str) -> None:
    """E4: no balance falls below 0; that tree waits for a decision, and the others are repaired."""
    item, other = issue_item(cast, quantity=10), issue_item(cast)
    with no_trigger():
        lost = split_item(cast.distributor, item, cast.installer.account, copies=8)
        split_item(cast.distributor, other, cast.installer.account, copies=1)
    sold = split_item(cast.distributor, item, cast.installer.account, copies=5)
    said = refused("does not verify")
    assert f"line item {item.pk}: its movements gave away 3 copies more than it had" in said
    assert f"(with copies left: {sold.pk})" in said
    assert (balances(item), balances(lost)) == ((10, 5, 5, 0), (0, 0, 0, 0)), "nothing of its tree"
    assert balances(other) == (100, 99, 1, 0)
    if way == "undo":
        undo_split(actor=cast.distributor, item_id=sold.pk, copies=3, key=new_key())
    else:
        record_movement(actor=cast.mobotix, kind=MovementKind.ADJUST, item=item, copies=3)
    repair()
    whole = {"undo": (10, 0, 10, 0), "raise": (13, 0, 13, 0)}[way]
    assert (balances(item), balances(lost)) == (whole, (8, 8, 0, 0))


def test_forged_movements_are_not_followed(cast: Cast, chain: Chain) -> None:
    """E11: otherwise a repair would hide the forgery."""
    seal_ledger()
    with no_trigger():
        Movement.objects.filter(item=chain.served).update(copies=6)
    refused("The movements themselves do not verify")
    assert balances(chain.served) == (5, 5, 0, 0)


def test_missing_triggers_are_made(cast: Cast, chain: Chain) -> None:
    """E11: repaired balances stay right."""
    with as_owner():
        triggers.drop(connection)
    repair()
    assert triggers.findings(connection) == []


@pytest.mark.postgres
def test_only_the_owner_repairs(chain: Chain) -> None:
    """E11: the application's role may not write balances."""
    with pytest.raises(CommandError, match="DATABASE_OWNER_URL"):
        call_command("verify_ledger", repair=True)
