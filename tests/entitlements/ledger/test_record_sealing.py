"""Owner, seller, chain, license ends and audit entries are sealed as well as movements (E11)."""

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry
from entitlements.activation.services.activate import return_as_bearer
from entitlements.ledger.movements import record_movement
from entitlements.ledger.sealing import record_sealing, tree
from entitlements.ledger.sealing.record_kinds import KINDS
from entitlements.ledger.sealing.record_sealing import seal_records
from entitlements.ledger.sealing.records import record_hash, unpack_hashes, unpack_numbers
from entitlements.ledger.sealing.seal import seal_ledger
from entitlements.ledger.sealing.tree import SealingStoppedError, tree_problem
from entitlements.ledger.sealing.verification import seal_findings
from entitlements.ledger.triggers import create, drop
from entitlements.models import (
    LedgerHead,
    LedgerLeaf,
    License,
    LineItem,
    Movement,
    MovementKind,
    RecordBackfill,
    SealedRecords,
    UnsealedRecord,
)
from entitlements.tasks import seal_ledger as seal_ledger_task
from tests.entitlements.activation.devices import host, put_on
from tests.entitlements.certificates.test_signed_certificate import both_say, data_of, pdf_of
from tests.entitlements.ledger.test_verify_ledger import all_findings, delete, first_finding, tampered
from tests.factories import Cast, Chain
from tests.roles import as_owner, refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def license(cast: Cast, chain: Chain) -> License:
    """A returned license, with everything sealed."""
    license = put_on(cast, chain.served)
    return_as_bearer(activation_id=chain.served.activation_id, host=host())
    seal_ledger()
    seal_records()
    license.refresh_from_db()
    return license


def sealed(kind: str) -> set[int]:
    rows = SealedRecords.objects.filter(kind=kind)
    return {number for row in rows for number in unpack_numbers(bytes(row.subjects))}


def test_rows_are_queued_and_sealed(license: License) -> None:
    """E11: whoever writes the rows; afterwards nothing waits, and nothing is sealed twice."""
    assert sealed("item") == set(LineItem.objects.values_list("pk", flat=True))
    assert sealed("license") == sealed("license-end") == {license.pk}
    assert sealed("audit") == set(AuditEntry.objects.values_list("pk", flat=True)) != set()
    assert not UnsealedRecord.objects.exists()
    assert seal_records() == 0
    assert list(seal_findings()) == []


def test_a_record_can_be_shown_alone(chain: Chain, license: License) -> None:
    """L7: its hash follows from the leaf's salt, its kind and number, and its facts."""
    records = SealedRecords.objects.get(kind="license")
    ((pk, text),) = KINDS["license"].records([license.pk])
    assert unpack_hashes(bytes(records.hashes)) == [
        record_hash(bytes(records.leaf.salt), "license", pk, text)
    ]
    assert f'"digest":"{license.digest}"' in text.decode()
    ((_pk, text),) = KINDS["item"].records([chain.served.pk])
    assert f'"owner":"{chain.served.owner_id}"' in text.decode()


@pytest.mark.slow
def test_the_tree_holds_both(license: License, tmp_path: Path) -> None:
    """E11: leaves of movements and records are in one tree under one head; certificates are proven as before."""
    head = LedgerHead.objects.latest("size")
    assert head.size == Movement.objects.count() + SealedRecords.objects.count()
    assert both_say(pdf_of(license.activation.item), tmp_path)[0]


def test_what_was_there_before_is_sealed_by_the_task(
    license: License, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E11: after an upgrade, some thousand at a time; until then verify_ledger accepts the unsealed rows."""
    monkeypatch.setattr(record_sealing, "RECORD_BATCH", 2)
    items = set(LineItem.objects.values_list("pk", flat=True))
    with as_owner():
        drop(connection)
        with connection.cursor() as cursor:
            for table in ("sealedrecords", "ledgerleaf", "ledgernode", "ledgerhead"):
                cursor.execute(f"DELETE FROM entitlements_{table}")
            cursor.execute(
                "INSERT INTO entitlements_unsealedmovement (movement_id) SELECT id FROM entitlements_movement"
            )
        create(connection)
    for kind in KINDS:
        RecordBackfill.objects.create(kind=kind)
    assert list(seal_findings()) == []
    seal_ledger()
    assert seal_records(batches=1) == 2
    assert RecordBackfill.objects.count() == len(KINDS)
    assert list(seal_findings()) == []
    seal_records()
    assert not RecordBackfill.objects.exists()
    assert sealed("item") == items
    assert list(seal_findings()) == []


@pytest.mark.slow
def test_a_batch_is_a_few_statements(cast: Cast) -> None:
    """One leaf for some hundred records."""
    AuditEntry.objects.record_many(actor=cast.mobotix, action="x", about=[cast.installer.account] * 2_000)
    seal_ledger()
    with CaptureQueriesContext(connection) as queries:
        assert seal_records() >= 2_000
    assert len(queries) < 60
    assert SealedRecords.objects.filter(kind="audit").count() == -(-AuditEntry.objects.count() // 500)


@pytest.mark.parametrize(
    "column", ["owner_id", "seller_id", "distributor_id", "installer_id", "product_id", "verification_code"]
)
def test_a_line_item_that_says_something_else(
    cast: Cast, chain: Chain, license: License, column: str
) -> None:
    """E11: changes of owner, seller, chain, product or code are found."""
    values: dict[str, Any] = {"verification_code": "x", "product_id": license.pk + 10_000}
    with tampered():
        if column == "product_id":
            cast.product.pk, cast.product.part_number = None, "OTHER"
            cast.product._state.adding = True
            cast.product.save()
            values["product_id"] = cast.product.pk
        value = values.get(column, cast.mobotix.account_id)
        more = {"end_customer_id": value} if column == "owner_id" else {}
        LineItem.objects.filter(pk=chain.served.pk).update(**{column: value}, **more)
        assert f"line item {chain.served.pk} (leaf " in all_findings()


def test_an_end_that_is_taken_back(license: License) -> None:
    """L6: a returned license that is valid again, or ended at another time, is found."""
    with tampered():
        License.objects.filter(pk=license.pk).update(ended_at=None)
        assert first_finding().startswith(f"end of license {license.pk} (leaf ")
        assert first_finding().endswith("expected the row that was sealed, found no such end of license")
    with tampered():
        License.objects.filter(pk=license.pk).update(ended_at=license.ended_at + timedelta(days=1))
        assert first_finding().startswith(f"end of license {license.pk} (leaf ")


def test_an_end_behind_the_triggers_back(cast: Cast, chain: Chain, license: License) -> None:
    """L6: an end without the triggers was never queued."""
    valid = put_on(cast, chain.served)
    with tampered():
        License.objects.filter(pk=valid.pk).update(ended_at=valid.issued_at)
        assert (
            first_finding()
            == f"end of license {valid.pk}: expected a leaf, or a place in the queue for one, found neither"
        )


@pytest.mark.parametrize("column", ["reason", "action", "actor_id", "object_id", "details"])
def test_an_audit_entry_that_says_something_else(cast: Cast, license: License, column: str) -> None:
    """E11: a changed audit entry is found."""
    entry = AuditEntry.objects.latest("pk")
    values = {
        "reason": "y",
        "action": "y",
        "actor_id": cast.other_installer.pk,
        "object_id": 0,
        "details": {"a": 1},
    }
    with tampered():
        AuditEntry.objects.filter(pk=entry.pk).update(**{column: values[column]})
        assert first_finding().startswith(f"audit entry {entry.pk} (leaf ")


def test_a_removed_and_an_inserted_audit_entry(license: License) -> None:
    """E11: a removed entry was sealed; one that was inserted without the triggers has no leaf."""
    entry = AuditEntry.objects.latest("pk")
    with tampered():
        delete("accounts_auditentry", "id", entry.pk)
        assert first_finding().endswith("expected the row that was sealed, found no such audit entry")
        other = AuditEntry.objects.create(action="x", object_type="x", object_id=1)
        assert f"audit entry {other.pk}: expected a leaf" in all_findings()


def test_the_records_themselves(license: License) -> None:
    """E11: changed numbers and hashes under a leaf are found."""
    records = SealedRecords.objects.get(kind="license")
    for change in ({"hashes": bytes(32)}, {"kind": "audit"}, {"subjects": b""}, {"kind": "x"}):
        with tampered():
            SealedRecords.objects.filter(pk=records.pk).update(**change)
            assert first_finding().startswith(f"leaf {records.pk}: expected ")
    with tampered():
        delete("entitlements_sealedrecords", "leaf_id", records.pk)
        assert first_finding() == f"leaf {records.pk}: expected a movement or records, found neither"


def test_it_is_not_written_over(license: License) -> None:
    """E11: no SQL can overwrite it."""
    assert "append-only" in refused("UPDATE accounts_auditentry SET reason = 'x'")
    assert "append-only" in refused("DELETE FROM accounts_auditentry")
    assert "ends once" in refused("UPDATE entitlements_license SET ended_at = NULL")
    assert "append-only" in refused("DELETE FROM entitlements_sealedrecords")


@pytest.fixture
def forged_head(license: License, monkeypatch: pytest.MonkeyPatch) -> None:
    """E11: with the application's role, and without the key, somebody adds leaves and an unsigned head."""
    with monkeypatch.context() as patch, transaction.atomic():
        patch.setattr(tree, "sign", lambda *about: bytes(64))
        forged = tree.growing_tree()
        forged.add(salt=bytes(32), hash=bytes(32))
        forged.save()


def test_sealing_stops_at_a_head_that_nobody_signed(
    forged_head: None, caplog: pytest.LogCaptureFixture, client: Client
) -> None:
    """E11: nothing is built on it; the log, /readyz and verify_ledger say so."""
    assert "is not signed by the key" in tree_problem()
    assert client.get("/readyz").json()["checks"]["sealing"] == "failed"
    with pytest.raises(SealingStoppedError):
        seal_ledger()
    with pytest.raises(CommandError, match="Sealing stopped: the newest head"):
        call_command("seal_ledger", stdout=io.StringIO())
    seal_ledger_task()
    assert "Sealing stopped: the newest head" in caplog.text
    assert ", signature: expected one by the key" in all_findings()


def test_sealing_stops_at_leaves_that_no_head_covers(license: License) -> None:
    """E11: leaves are written only together with their head."""
    size = LedgerHead.objects.latest("size").size
    LedgerLeaf.objects.create(number=size, salt=bytes(32), hash=bytes(32))
    with pytest.raises(SealingStoppedError, match=f"leaves after the {size}"):
        seal_ledger()


def test_sealing_stops_where_the_signature_is_wrong(license: License) -> None:
    """E11: also where the tree has another root, or parts of it are missing."""
    last = LedgerHead.objects.filter(size=LedgerHead.objects.latest("size").size)
    with tampered():
        last.update(signature=bytes(64))
        assert "is not signed by the key" in tree_problem()
        last.update(root=bytes(32))
        assert "has another root than the tree" in tree_problem()
        last.update(size=last.get().size - 2)
        assert "leaves after" in tree_problem()
    with tampered():
        delete("entitlements_ledgernode", "1", 1)
        assert "are missing" in tree_problem()


@pytest.mark.slow
def test_a_certificate_is_made_while_sealing_stands_still(
    cast: Cast, chain: Chain, forged_head: None, tmp_path: Path
) -> None:
    """L7: it uses the newest signed head, and says that later movements wait; no page fails."""
    assert both_say(pdf_of(chain.served), tmp_path)[0]
    record_movement(actor=cast.distributor, kind=MovementKind.SPLIT, item=chain.installed, copies=1)
    assert data_of(pdf_of(chain.installed))["certificate"]["lines"][0]["movements"][-1]["state"] == "waiting"
