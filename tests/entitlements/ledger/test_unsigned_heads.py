"""An unsigned head stops sealing, and the owner of the tables sets it aside by a command (E11)."""

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts.models import AuditEntry
from entitlements.ledger.sealing import tree
from entitlements.ledger.sealing.anchors import head_document
from entitlements.ledger.sealing.record_sealing import seal_records
from entitlements.ledger.sealing.seal import seal_ledger
from entitlements.models import LedgerHead, LedgerLeaf, LedgerNode, SealedRecords
from tests.entitlements.ledger.test_repair_ledger import repair
from tests.entitlements.ledger.test_verify_ledger import tampered
from tests.factories import Cast, Chain, issue_item, split_item

pytestmark = pytest.mark.django_db


@pytest.fixture
def signed(chain: Chain) -> LedgerHead:
    """The newest head that the portal signed."""
    seal_ledger()
    seal_records()
    return LedgerHead.objects.latest("size")


def seal_without_a_key() -> None:
    """Seal what waits under two heads with an invalid signature, as the application's role can."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tree, "sign", lambda *about: bytes(64))
        patch.setattr(tree, "is_signed_head", lambda head: True)
        assert seal_ledger()
        assert seal_records()


def test_sealing_goes_on(cast: Cast, chain: Chain, signed: LedgerHead) -> None:
    """E11: what was under the heads is sealed again with the portal's key; the audit trail keeps the heads'
    statements.
    """
    split_item(cast.distributor, chain.issued, cast.installer.account, copies=7)
    seal_without_a_key()
    forged = list(LedgerHead.objects.filter(size__gt=signed.size).order_by("size"))
    assert len(forged) == 2
    assert SealedRecords.objects.filter(leaf__gte=signed.size).exists()
    with pytest.raises(CommandError, match=r"is not signed by the key .* verify_ledger --repair"):
        call_command("seal_ledger")
    leaves = forged[-1].size - signed.size
    said, warned = repair()
    assert (
        f"Set aside 2 heads that nobody signed and {leaves} leaves after the signed head at {signed.size}"
        in said
    )
    assert ("The ledger verifies" in said, warned) == (True, "")
    assert LedgerHead.objects.latest("size") == signed
    entry = AuditEntry.objects.get(action="heads_set_aside")
    assert [head["root"] for head in entry.details["heads"]] == [bytes(head.root).hex() for head in forged]
    call_command("seal_ledger", stdout=io.StringIO())
    call_command("verify_ledger", stdout=io.StringIO())
    assert tree.newest_signed_head() == LedgerHead.objects.latest("size") != signed
    assert repair()[0].startswith("Nothing to repair.")


def test_leaves_without_a_head(cast: Cast, chain: Chain, signed: LedgerHead) -> None:
    """E11: they stop sealing as well."""
    LedgerLeaf.objects.create(number=signed.size, salt=bytes(32), hash=bytes(32))
    said, _warned = repair()
    assert f"Set aside 0 heads that nobody signed and 1 leaves after the signed head at {signed.size}" in said
    issue_item(cast)
    assert seal_ledger() == 1


def test_a_signed_head_is_never_set_aside(signed: LedgerHead, tmp_path: Path) -> None:
    """E11: also if it does not fit the tree, if none is signed, or if it is kept elsewhere: then more was changed than
    added.
    """
    kept = head_document(signed)
    with tampered():
        LedgerLeaf.objects.update(hash=bytes(32))
        LedgerNode.objects.update(hash=bytes(32))
        assert f"The tree is another one than the signed head at {signed.size} says" in refused()
    with tampered():
        LedgerHead.objects.update(signature=bytes(64))
        assert "No head of the ledger is signed" in refused()
    with tampered():
        LedgerHead.objects.filter(pk=signed.pk).update(signature=bytes(64))
        (tmp_path / "head.json").write_bytes(kept)
        assert f"one at {signed.size} is kept elsewhere" in refused(f"--head={tmp_path / 'head.json'}")
    assert LedgerHead.objects.latest("size") == signed


def refused(*options: str) -> str:
    """The error of the command, run inside ``tampered``, which has the owner's rights."""
    with pytest.raises(CommandError) as error:
        call_command("verify_ledger", "--repair", *options, stdout=io.StringIO(), stderr=io.StringIO())
    return str(error.value)


@pytest.mark.postgres
def test_only_the_owner_sets_heads_aside(cast: Cast, signed: LedgerHead) -> None:
    """E11: the role that can add a head cannot remove it."""
    issue_item(cast)
    seal_without_a_key()
    with pytest.raises(CommandError, match="DATABASE_OWNER_URL"):
        call_command("verify_ledger", repair=True)
