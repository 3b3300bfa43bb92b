#!/usr/bin/env python3
"""How camera software speaks to the Mx License Portal: activates, keeps the license, checks it offline, returns it.

    mxmc_client.py --portal https://licenses.example.com activate 7KQ4-…-MNPQ 00:03:C5:AA:BB:CC --copies 2
    mxmc_client.py --portal https://licenses.example.com refresh
    mxmc_client.py check
    mxmc_client.py --portal https://licenses.example.com return 7KQ4-…-MNPQ 00:03:C5:AA:BB:CC

No login: who has the Activation ID of an End customer's licenses may activate them. ``check`` needs no network: it
knows the public keys and the ended licenses from the last ``refresh``. Needs Python 3.11 and `cryptography`.
"""

import argparse
import base64
import hashlib
import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

BEGIN, END = "-----BEGIN MACHINE FILE-----", "-----END MACHINE FILE-----"
ALGORITHM = "aes-256-gcm+ed25519"
ATTEMPTS = 5
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0  # seconds
OVERLAP = timedelta(hours=1)
CLOCKS_DIFFER = timedelta(days=1)


class Wrong(Exception):
    """What did not work or does not hold, as a sentence."""


def main() -> int:
    """0: done, and all that was checked holds; 1: not."""
    arguments = parse()
    try:
        return COMMANDS[arguments.command](arguments)
    except Wrong as wrong:
        print(f"FAILED: {wrong}", file=sys.stderr)
        return 1


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--portal", default="", help="address of the portal")
    parser.add_argument("--store", type=Path, default=Path("licenses"), help="where licenses are kept")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("activate", "return"):
        command = commands.add_parser(name)
        command.add_argument("activation_id")
        command.add_argument("host_id", help="MAC address or serial number of the device")
        if name == "activate":
            command.add_argument("--copies", type=int, default=1, help="how many the device holds in total")
            command.add_argument("--name", default="", help="what a new device is called")
    commands.add_parser("refresh")
    commands.add_parser("check")
    return parser.parse_args()


# --- What the commands do ---------------------------------------------------------------------------------------------


def activate(arguments: argparse.Namespace) -> int:
    """The same request again changes nothing and gives the same license: it can be sent until it is answered."""
    body = {name: getattr(arguments, name) for name in ("activation_id", "host_id", "copies", "name")}
    license = ask(arguments.portal, "activations", body)
    kept = {"activation_id": canonical(arguments.activation_id), "host_id": license["host_id"]}
    path = arguments.store / f"{license['license_id']}.json"
    for old, before in stored(arguments.store):
        if all(before[name] == value for name, value in kept.items()) and old != path:
            old.unlink()
    write(path, kept | {"license_id": license["license_id"], "file": license["file"]})
    refresh(arguments)
    print(f"{license['copies']} × {license['product']} on {license['host_id']}: {path}")
    return check(arguments)


def give_back(arguments: argparse.Namespace) -> int:
    """All copies that the device holds."""
    body = {name: getattr(arguments, name) for name in ("activation_id", "host_id")}
    returned = ask(arguments.portal, "returns", body)
    for path, kept in stored(arguments.store):
        if (kept["activation_id"], kept["host_id"]) == (
            canonical(arguments.activation_id),
            returned["host_id"],
        ):
            path.unlink()
    print(f"Returned; {returned['host_id']} holds {returned['copies']} copies.")
    return 0


def refresh(arguments: argparse.Namespace) -> int:
    """The public keys, and what has ended since the last time; with some overlap, for what came in late."""
    known = read(arguments.store / "revoked.json", {"licenses": [], "until": None})
    query = {"limit": "100"}
    if known["until"]:
        query["since"] = (datetime.fromisoformat(known["until"]) - OVERLAP).isoformat()
    keys = ask(arguments.portal, "keys")
    address: str | None = f"revocations?{urlencode(query)}"
    while address:
        page = ask(arguments.portal, address)
        known["licenses"] += [row["license_id"] for row in page["items"]]
        known["until"] = max([known["until"] or "", *(row["ended_at"] for row in page["items"])]) or None
        address = page["next"]
    known["licenses"] = sorted(set(known["licenses"]))
    write(arguments.store / "keys.json", keys)
    write(arguments.store / "revoked.json", known)
    return 0


def check(arguments: argparse.Namespace) -> int:
    """Every license that is kept, without the network."""
    keys = read(arguments.store / "keys.json", {"keys": []})
    revoked = set(read(arguments.store / "revoked.json", {"licenses": []})["licenses"])
    wrong = 0
    for path, kept in stored(arguments.store):
        try:
            print(f"VALID: {path.name}: {verify(kept, keys, revoked)}")
        except Wrong as error:
            wrong += 1
            print(f"NOT VALID: {path.name}: {error}")
    return int(bool(wrong))


COMMANDS = {"activate": activate, "return": give_back, "refresh": refresh, "check": check}


# --- The license file -------------------------------------------------------------------------------------------------


def verify(kept: dict, keys: dict, revoked: set[str]) -> str:
    """What the license is for, in words. Raises Wrong."""
    enc, signature = unpack(kept["file"])
    check_signature(enc, signature, keys)
    document = decrypt(enc, kept["activation_id"], kept["host_id"])
    license = next(part for part in document["included"] if part["type"] == "licenses")
    if document["data"]["attributes"]["fingerprint"] != kept["host_id"]:
        raise Wrong("it is for another device")
    if license["id"] in revoked:
        raise Wrong("it was returned, replaced or cancelled")
    check_time(document["meta"])
    attributes = license["attributes"]
    return f"{attributes['copies']} × {attributes['name']} until {attributes['expiry'] or 'for ever'}"


def unpack(text: str) -> tuple[str, bytes]:
    """What was encrypted, and its signature."""
    body = text.strip()
    if not (body.startswith(BEGIN) and body.endswith(END)):
        raise Wrong("it is no license file")
    try:
        payload = json.loads(base64.b64decode("".join(body[len(BEGIN) : -len(END)].split()), validate=True))
        if payload["alg"] != ALGORITHM:
            raise Wrong(f"it is made by another algorithm, {payload['alg']}")
        return payload["enc"], base64.b64decode(payload["sig"], validate=True)
    except (ValueError, KeyError, TypeError) as error:
        raise Wrong("it is damaged") from error


def check_signature(enc: str, signature: bytes, keys: dict) -> None:
    """By one of the portal's keys, the present one or an older one, that was not compromised."""
    for key in keys["keys"]:
        if "revoked" in key:
            continue
        public = base64.urlsafe_b64decode(key["x"] + "=" * (-len(key["x"]) % 4))
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(signature, f"machine/{enc}".encode())
            return
        except InvalidSignature:
            continue
    raise Wrong("no key of the portal has signed it")


def decrypt(enc: str, activation_id: str, host_id: str) -> dict:
    """AES-256-GCM; the key is SHA-256 of the Activation ID and the host ID."""
    key = hashlib.sha256(f"{activation_id}{host_id}".encode()).digest()
    try:
        ciphertext, iv, tag = (base64.b64decode(part, validate=True) for part in enc.split("."))
        return json.loads(AESGCM(key).decrypt(iv, ciphertext + tag, None))
    except InvalidTag as error:
        raise Wrong("it is for another Activation ID or another device") from error
    except ValueError as error:
        raise Wrong("it is damaged") from error


def check_time(meta: dict) -> None:
    """A clock that is a day behind the issue of the license would let it live on for ever."""
    now = datetime.now(UTC)
    if datetime.fromisoformat(meta["issued"]) > now + CLOCKS_DIFFER:
        raise Wrong("the clock of this machine is wrong: the license was issued in its future")
    if meta["expiry"] and datetime.fromisoformat(meta["expiry"]) <= now:
        raise Wrong(f"it expired on {meta['expiry']}")


def canonical(activation_id: str) -> str:
    """As it is part of the key: upper case, in groups of four, with O, I and L read as digits."""
    characters = "".join(filter(str.isalnum, activation_id)).upper().translate(str.maketrans("OIL", "011"))
    return "-".join(characters[at : at + 4] for at in range(0, len(characters), 4))


# --- The portal -------------------------------------------------------------------------------------------------------


def ask(portal: str, address: str, body: dict | None = None) -> dict:
    """The answer; where none comes, the same request again, with growing pauses."""
    if not portal:
        raise Wrong("say where the portal is: --portal https://…")
    if not address.startswith("http"):
        address = f"{portal.rstrip('/')}/api/v1/{address}"
    pause = FIRST_PAUSE
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return send(address, body)
        except urllib.error.HTTPError as error:
            if error.code != 429 and error.code < 500 or attempt == ATTEMPTS:
                raise Wrong(reason(error)) from error
            pause = float(error.headers.get("Retry-After") or pause)
        except OSError as error:
            if attempt == ATTEMPTS:
                raise Wrong(f"the portal does not answer: {error}") from error
        time.sleep(min(pause, LONGEST_PAUSE))
        pause *= 2
    raise AssertionError


def send(address: str, body: dict | None) -> dict:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, data=data, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def reason(error: urllib.error.HTTPError) -> str:
    """What the portal says (RFC 9457)."""
    try:
        return str(json.load(error)["detail"])
    except (ValueError, KeyError, TypeError):
        return f"the portal answers {error.code}"


# --- The store --------------------------------------------------------------------------------------------------------


def stored(store: Path) -> Iterator[tuple[Path, dict]]:
    """Every license that is kept."""
    for path in sorted(store.glob("*.json")):
        if path.name not in ("keys.json", "revoked.json"):
            yield path, read(path, {})


def read(path: Path, empty: dict) -> dict:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else empty


def write(path: Path, content: dict) -> None:
    """Whole or not at all, and for its owner only: it holds the Activation ID."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(content, indent=2), encoding="utf-8")
    fresh.replace(path)


if __name__ == "__main__":
    sys.exit(main())
