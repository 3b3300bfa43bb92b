"""Heads that are kept outside of the database, to which its ledger must still lead (E11)."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError

from entitlements.ledger.findings import Finding
from entitlements.ledger.sealing.merkle import Frontier
from entitlements.ledger.sealing.tree import head_statement
from entitlements.ledger.signing import Domain, is_signed
from entitlements.models import LedgerHead, SigningKey
from mxportal.shared.canonical import canonical_json

HEAD_FORMAT = "mx-ledger-head/1"
HEAD_FIELDS = {"key", "previous", "root", "size", "time"}


@dataclass(frozen=True)
class KeptHead:
    """A kept head: what it says, and who signed it."""

    size: int
    root: bytes
    key_id: str
    text: bytes
    signature: bytes


def head_document(head: LedgerHead) -> bytes:
    """Return a head as a file, to be kept elsewhere."""
    signed = head_statement(head).data() | {"signature": bytes(head.signature).hex()}
    return canonical_json({"format": HEAD_FORMAT, "head": signed})


def kept_head(content: bytes) -> KeptHead:
    """Return the head in such a file or in a certificate's data, which carries a head as well.

    Raises ValidationError.
    """
    try:
        return _kept_head(json.loads(content)["head"])
    except (ValueError, KeyError, TypeError) as error:
        raise ValidationError("This is no head of a ledger.") from error


def _kept_head(signed: dict[str, Any]) -> KeptHead:
    statement = {name: signed[name] for name in HEAD_FIELDS}
    return KeptHead(
        size=int(signed["size"]),
        root=bytes.fromhex(signed["root"]),
        key_id=str(signed["key"]),
        text=canonical_json(statement),
        signature=bytes.fromhex(signed["signature"]),
    )


class Anchors:
    """Comparison of the kept heads with the tree during a pass over its leaves."""

    def __init__(self, heads: Iterable[KeptHead]) -> None:
        self._heads = list(heads)
        self._sizes = {head.size for head in self._heads}

    def findings(self, tree: Frontier) -> Iterator[Finding]:
        """Yield the kept heads of the tree's present size that have another root; called after each leaf."""
        if tree.size in self._sizes:
            for head in self._heads:
                if head.size == tree.size and head.root != tree.root():
                    yield Finding(f"head kept elsewhere, at {head.size}", head.root.hex(), tree.root().hex())

    def others(self, size: int) -> Iterator[Finding]:
        """Yield what else is wrong with the kept heads: the tree is smaller today, or their key is missing."""
        for head in self._heads:
            entry = f"head kept elsewhere, at {head.size}"
            if head.size > size:
                yield Finding(entry, f"at least {head.size} leaves", f"{size}: an earlier copy, or emptied")
            key = SigningKey.objects.filter(key_id=head.key_id).first()
            if key is None or not is_signed(key, Domain.LEDGER_HEAD, head.text, head.signature):
                yield Finding(entry, f"a signature by the key {head.key_id}", "none that it made")
