#!/usr/bin/env python3
"""Checks a certificate of the Mx License Portal without the portal: who signed it, and that its copies are genuine.

    verify_certificate.py certificate.pdf --keys https://licenses.example.com/.well-known/jwks.json
    verify_certificate.py certificate.json --keys jwks.json

Needs Python 3.11, `cryptography`, and for a PDF `pypdf` (or any program that saves attachments: check the JSON then).
Everything that the portal does to make such a certificate is done here once more, by the RFCs, in plain steps.
"""

import argparse
import base64
import hashlib
import json
import sys
import urllib.request
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ATTACHMENT = "certificate.json"
FORMAT = "mx-license-certificate/1"
FIELDS = {"movement", "kind", "item", "parent", "copies", "product", "activation", "actor", "reason", "time"}
SIGNS = {
    "issue": 1,
    "split": 1,
    "adjust": 1,
    "undo": -1,
    "revoke": -1,
}  # what a movement does to its item's quantity


class Wrong(Exception):
    """What does not hold, as a sentence."""


def main() -> int:
    """Print what the certificate says and what is proven. 0: all of it; 1: not."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", type=Path, help="the certificate (PDF), or the JSON attached to it")
    parser.add_argument(
        "--keys", required=True, help="address or file of the portal's public keys (jwks.json)"
    )
    arguments = parser.parse_args()
    try:
        certificate = check(read_document(arguments.file), read_keys(arguments.keys))
    except Wrong as wrong:
        print(f"NOT VALID: {wrong}")
        return 1
    print_certificate(certificate)
    print("VALID: signed by the portal, and every copy descends from an issue of MOBOTIX.")
    return 0


# --- Reading ----------------------------------------------------------------------------------------------------------


def read_document(path: Path) -> dict:
    """The JSON, from a PDF or as it is."""
    content = path.read_bytes()
    if content.startswith(b"%PDF"):
        content = attachment_of(path)
    try:
        document = json.loads(content)
    except ValueError as error:
        raise Wrong("the file is no JSON") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise Wrong(f"the file is no {FORMAT}")
    return document


def attachment_of(path: Path) -> bytes:
    """What a PDF carries under the name of the certificate's data."""
    try:
        from pypdf import PdfReader
    except ImportError as error:
        raise Wrong(f"pypdf is not installed; save the attachment {ATTACHMENT} and check that") from error
    attachments = PdfReader(path).attachments
    if ATTACHMENT not in attachments:
        raise Wrong(f"the PDF carries no {ATTACHMENT}")
    return attachments[ATTACHMENT][0]


def read_keys(source: str) -> dict[str, Ed25519PublicKey]:
    """The portal's public keys by ID (RFC 7517, RFC 8037), but those that were compromised."""
    if source.startswith(("https://", "http://")):
        with urllib.request.urlopen(source, timeout=20) as response:
            keys = json.load(response)["keys"]
    else:
        keys = json.loads(Path(source).read_bytes())["keys"]
    return {
        key["kid"]: Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(key["x"] + "=="))
        for key in keys
        if key["kty"] == "OKP" and key["crv"] == "Ed25519" and "revoked" not in key
    }


# --- Checking ---------------------------------------------------------------------------------------------------------


def check(document: dict, keys: dict[str, Ed25519PublicKey]) -> dict:
    """The certificate, once all of it holds. Raises Wrong."""
    try:
        signature = document.pop("signature")
        check_signature(keys, signature["key"], b"certificate/", document, signature["value"])
        check_head(keys, document["head"])
        for line in document["certificate"]["lines"]:
            check_line(line, document["head"])
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise Wrong("the data has not the form of a certificate") from error
    return document["certificate"]


def check_signature(
    keys: dict[str, Ed25519PublicKey], key_id: str, prefix: bytes, statement: dict, signature: str
) -> None:
    """Ed25519 over the prefix and the statement as canonical JSON (RFC 8785)."""
    if key_id not in keys:
        raise Wrong(f"{key_id} is none of the portal's keys")
    try:
        keys[key_id].verify(bytes.fromhex(signature), prefix + canonical(statement))
    except InvalidSignature as error:
        raise Wrong(f"the signature of {prefix.decode()} does not fit") from error


def canonical(data: dict) -> bytes:
    """Enough of RFC 8785 for objects with ASCII keys, strings and integers."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def check_head(keys: dict[str, Ed25519PublicKey], head: dict) -> None:
    """The state of the whole ledger, which the portal has signed as well."""
    if not head:
        raise Wrong("the ledger was not sealed yet; get the certificate again")
    statement = {name: value for name, value in head.items() if name != "signature"}
    check_signature(keys, head["key"], b"ledger-head/", statement, head["signature"])


def check_line(line: dict, head: dict) -> None:
    """Its movements are in the ledger, lead from MOBOTIX to this item, and add up to its quantity."""
    name, movements = line["activation_id"], line["movements"]
    for movement in movements:
        if movement["state"] != "sealed":
            raise Wrong(f"{name}: its newest movement was not sealed yet; get the certificate again")
        if tree_root(movement, head["size"]) != head["root"]:
            raise Wrong(f"{name}: a movement is not in the sealed ledger")
    if len({movement["leaf"] for movement in movements}) != len(movements):
        raise Wrong(f"{name}: a movement is counted twice")
    check_chain(line, [{key: field["value"] for key, field in step["shown"].items()} for step in movements])


def check_chain(line: dict, steps: list[dict]) -> None:
    """An issue first, then splits, each of the item that the one before made; the last item is this one."""
    name, token = (
        line["activation_id"],
        hashlib.sha256(f"item/{line['verification_code']}".encode()).hexdigest(),
    )
    item, made = "", 0
    for step in steps:
        if step["kind"] in ("issue", "split"):
            if step["kind"] != ("split" if item else "issue") or step["parent"] != item:
                raise Wrong(f"{name}: its copies do not descend from an issue of MOBOTIX")
            item, made = step["item"], made + 1
    own = steps[made - 1 :]
    if not made or any(step["item"] != token for step in own):
        raise Wrong(f"{name}: the movements are another item's")
    if any(step["product"] != line["product"] for step in steps):
        raise Wrong(f"{name}: the movements are another product's")
    if sum(SIGNS[step["kind"]] * int(step["copies"]) for step in own) != line["quantity"]:
        raise Wrong(f"{name}: the movements do not add up to {line['quantity']} copies")


# --- The tree (RFC 6962) ----------------------------------------------------------------------------------------------


def sha256(data: bytes) -> bytes:
    """The only hash there is here."""
    return hashlib.sha256(data).digest()


def tree_root(movement: dict, size: int) -> str:
    """The root of the tree that the movement is in: from its fields to its leaf, and up along the proof."""
    commitments = dict(movement["hidden"])
    for name, field in movement["shown"].items():
        if name in commitments:
            raise Wrong("a field is both shown and hidden")
        commitments[name] = sha256(bytes.fromhex(field["salt"]) + field["value"].encode()).hex()
    if commitments.keys() != FIELDS:
        raise Wrong("a movement has not the fields of a movement")
    leaf = sha256(b"\x00" + canonical(commitments))
    return climb(leaf, movement["leaf"], size, [bytes.fromhex(step) for step in movement["proof"]]).hex()


def climb(node: bytes, number: int, size: int, proof: list[bytes]) -> bytes:
    """RFC 9162, 2.1.3.2, word for word."""
    if not 0 <= number < size:
        raise Wrong("a movement has no place in the ledger")
    last = size - 1
    for step in proof:
        if last == 0:
            raise Wrong("a proof is too long")
        if number & 1 or number == last:
            node = sha256(b"\x01" + step + node)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            node = sha256(b"\x01" + node + step)
        number, last = number >> 1, last >> 1
    if last:
        raise Wrong("a proof is too short")
    return node


# --- Showing ----------------------------------------------------------------------------------------------------------


def print_certificate(certificate: dict) -> None:
    """What was signed: compare it with the page."""
    print(f"Certificate {certificate['entitlement_id']} of {certificate['issued_on']}")
    print(f"  issued by {certificate['issuer']['name']}, sold by {certificate['seller'] or '-'}")
    print(f"  licensed to {certificate['owner']['name']}, order {certificate['order_number'] or '-'}")
    for line in certificate["lines"]:
        print(
            f"  {line['activation_id']}: {line['quantity']} × {line['part_number']} {line['product_name']},"
        )
        print(f"    from {line['starts_on']}, until {line['expires_on']}")


if __name__ == "__main__":
    sys.exit(main())
