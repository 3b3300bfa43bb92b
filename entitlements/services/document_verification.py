"""L7: what holds of a document that the portal once signed, and what does not."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pypdf
from django.core.exceptions import ValidationError

from entitlements.models import LedgerHead, LineItem, MovementKind, SigningKey, State
from entitlements.sealing.commitments import item_token
from entitlements.sealing.disclosure import root_of_entry, shown_values
from entitlements.services.certificate_data import FORMAT, NAME
from entitlements.services.proofs import BEGINS, LOWERS
from entitlements.services.signing import Domain, is_signed
from mxportal.shared.canonical import canonical_json

BROKEN = (KeyError, TypeError, ValueError, AttributeError)  # what reading a file of any other shape gives


@dataclass(frozen=True)
class Check:
    """A sentence about the document, and whether it is so."""

    sentence: str
    holds: bool


def verify_document(content: bytes) -> list[Check]:
    """For a certificate's PDF, or the JSON attached to it. Raises ValidationError where it is neither."""
    data = _read(content)
    try:
        return list(_checks(data))
    except BROKEN as error:
        raise ValidationError("The file's data has not the form of a certificate.") from error


def _read(content: bytes) -> dict[str, Any]:
    try:
        if content.startswith(b"%PDF"):
            content = pypdf.PdfReader(io.BytesIO(content)).attachments[NAME][0]
        data = json.loads(content)
        if data["format"] == FORMAT:
            return data
    except (*BROKEN, IndexError, pypdf.errors.PyPdfError) as error:
        raise ValidationError(f"The file carries no {NAME} that can be read.") from error
    raise ValidationError(f"The file is no {FORMAT}.")


def _checks(data: dict[str, Any]) -> Iterator[Check]:
    """Signatures first: without them the rest is only somebody's word."""
    certificate = data["certificate"]
    statement = {name: value for name, value in data.items() if name != "signature"}
    signature = data["signature"]
    signed = _is_signed(signature["key"], Domain.CERTIFICATE, statement, signature["value"])
    yield Check(f"This portal signed the certificate on {certificate['issued_on']}", signed)
    yield from _head_checks(data["head"])
    for line in certificate["lines"]:
        yield from _line_checks(line, data["head"])


def _is_signed(key_id: str, domain: Domain, statement: dict[str, Any], signature: str) -> bool:
    key = SigningKey.objects.filter(key_id=str(key_id)).first()
    return key is not None and is_signed(key, domain, canonical_json(statement), bytes.fromhex(signature))


def _head_checks(head: dict[str, Any]) -> Iterator[Check]:
    if not head:
        yield Check("The ledger was sealed when the certificate was made", False)
        return
    statement = {name: value for name, value in head.items() if name != "signature"}
    signed = _is_signed(head["key"], Domain.LEDGER_HEAD, statement, head["signature"])
    yield Check(f"This portal signed the ledger at {head['size']} movements ({head['time']})", signed)
    kept = LedgerHead.objects.filter(size=head["size"], root=bytes.fromhex(head["root"])).exists()
    yield Check("The ledger still has that head", kept)


def _line_checks(line: dict[str, Any], head: dict[str, Any]) -> Iterator[Check]:
    about, steps = line["activation_id"], line["movements"]
    root, size = head.get("root"), head.get("size", 0)
    sealed = [step for step in steps if step["state"] == "sealed"]
    in_tree = all((found := root_of_entry(step, size)) and found.hex() == root for step in sealed)
    yield Check(f"{about}: every movement is in the sealed ledger", in_tree and sealed == steps)
    yield Check(f"{about}: its copies descend from an issue of MOBOTIX", _descends(line))
    yield Check(f"{about}: its movements add up to {line['quantity']} copies", _adds_up(line))
    item = LineItem.objects.filter(verification_code=line["verification_code"]).first()
    today = f"{item.quantity} copies, {State(item.state).label}" if item else "unknown"
    yield Check(f"{about}: this portal knows it (today: {today})", item is not None)


def _descends(line: dict[str, Any]) -> bool:
    """From the issue on, each step begins with the item of the step before; the own item's later movements follow."""
    steps = [shown_values(step) for step in line["movements"]]
    own = item_token(line["verification_code"])
    chain = [step for step in steps if step["kind"] in BEGINS]
    return (
        [step["kind"] for step in chain] == [MovementKind.ISSUE, *[MovementKind.SPLIT] * (len(chain) - 1)]
        and chain[0]["parent"] == ""
        and all(below["parent"] == above["item"] for above, below in pairwise(chain))
        and all(step["item"] == own for step in steps[len(chain) - 1 :])
        and {step["product"] for step in steps} == {line["product"]}
    )


def _adds_up(line: dict[str, Any]) -> bool:
    """The item's own movements; each leaf counts once."""
    leaves = [step["leaf"] for step in line["movements"] if step["state"] == "sealed"]
    own = [values for step in line["movements"] if "copies" in (values := shown_values(step))]
    total = sum(-int(step["copies"]) if step["kind"] in LOWERS else int(step["copies"]) for step in own)
    return len(leaves) == len(set(leaves)) and total == line["quantity"]
