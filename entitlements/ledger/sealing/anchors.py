"""E11: a head that is kept outside of the database, which its ledger must still lead to."""

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

FORMAT = "mx-ledger-head/1"
FIELDS = {"key", "previous", "root", "size", "time"}


@dataclass(frozen=True)
class KeptHead:
    """What it says, and who signed it."""

    size: int
    root: bytes
    key_id: str
    text: bytes
    signature: bytes


def head_document(head: LedgerHead) -> bytes:
    """A head as a file of its own, to be kept elsewhere."""
    signed = head_statement(head).data() | {"signature": bytes(head.signature).hex()}
    return canonical_json({"format": FORMAT, "head": signed})


def kept_head(content: bytes) -> KeptHead:
    """From such a file, or from a certificate's data, which carries a head as well. Raises ValidationError."""
    try:
        return _kept_head(json.loads(content)["head"])
    except (ValueError, KeyError, TypeError) as error:
        raise ValidationError("This is no head of a ledger.") from error


def _kept_head(signed: dict[str, Any]) -> KeptHead:
    statement = {name: signed[name] for name in FIELDS}
    return KeptHead(
        size=int(signed["size"]),
        root=bytes.fromhex(signed["root"]),
        key_id=str(signed["key"]),
        text=canonical_json(statement),
        signature=bytes.fromhex(signed["signature"]),
    )


class Anchors:
    """The kept heads, for a pass over the leaves."""

    def __init__(self, heads: Iterable[KeptHead]) -> None:
        self._heads = list(heads)
        self._sizes = {head.size for head in self._heads}

    def findings(self, tree: Frontier) -> Iterator[Finding]:
        """After each leaf: whether the tree of this size is that of a kept head."""
        if tree.size in self._sizes:
            for head in self._heads:
                if head.size == tree.size and head.root != tree.root():
                    yield Finding(f"head kept elsewhere, at {head.size}", head.root.hex(), tree.root().hex())

    def others(self, size: int) -> Iterator[Finding]:
        """What is wrong with the kept heads otherwise: the tree is smaller today, the key is not there any more."""
        for head in self._heads:
            entry = f"head kept elsewhere, at {head.size}"
            if head.size > size:
                yield Finding(entry, f"at least {head.size} leaves", f"{size}: an earlier copy, or emptied")
            key = SigningKey.objects.filter(key_id=head.key_id).first()
            if key is None or not is_signed(key, Domain.LEDGER_HEAD, head.text, head.signature):
                yield Finding(entry, f"a signature by the key {head.key_id}", "none that it made")
