#!/usr/bin/env python3
"""How MOBOTIX's ERP hands an order to the Mx License Portal: order in, Activation IDs out.

    MX_PORTAL_TOKEN=mxp_… erp_order.py --portal https://licenses.example.com order.json

The order is JSON, as in ORDER below. The account and its contact are found, or created; the entitlement is created,
deployed and mailed. Everything goes out under keys that follow from the order: run twice, it is done once. Needs
Python 3.11.
"""

import argparse
import hashlib
import json
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import quote

ORDER = {
    "order_number": "4500012345",
    "order_date": "2026-11-24",
    "account": {
        "account_id": "NORD-1",
        "name": "Nordlicht Distribution",
        "tier": "distributor",
        "country": "DE",
    },
    "contact": {
        "first_name": "Dora",
        "last_name": "Lind",
        "email": "dora@nordlicht.example",
        "language": "de",
    },
    "lines": [{"part_number": "Mx-SW-VA", "quantity": 50, "starts_on": "2026-11-24", "expires_on": None}],
}


class Refused(Exception):
    """What the portal says, as a sentence."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        self.status = status
        errors = [f"{name}: {' '.join(messages)}" for name, messages in problem.get("errors", {}).items()]
        super().__init__("; ".join(errors) or problem.get("detail", f"status {status}"))


def main() -> int:
    """Print the entitlement with its lines as JSON. 0: done; 1: refused."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--portal", required=True, help="address of the portal")
    parser.add_argument("order", type=Path, help="the order, as JSON")
    arguments = parser.parse_args()
    portal = Portal(arguments.portal, os.environ.get("MX_PORTAL_TOKEN", ""))
    order = json.loads(arguments.order.read_text(encoding="utf-8"))
    try:
        find_or_create_account(portal, order["account"], order["contact"])
        entitlement = create_entitlement(portal, order)
    except Refused as refused:
        print(f"REFUSED: {refused}", file=sys.stderr)
        return 1
    print(json.dumps(result(entitlement), indent=2))
    return 0


def find_or_create_account(portal: "Portal", account: dict[str, Any], contact: dict[str, Any]) -> None:
    """The first person of a new partner can log in; to an account that is there, the contact is added if missing."""
    address = f"accounts/{quote(account['account_id'], safe='')}"
    try:
        portal.ask("GET", address)
    except Refused as refused:
        if refused.status != 404:
            raise
        person = contact | {"can_log_in": account["tier"] != "end_customer"}
        portal.ask("POST", "accounts", account | {"person": person})
        return
    known = {person["email"].casefold() for person in portal.all_of(f"{address}/persons?limit=100")}
    if contact["email"].casefold() not in known:
        portal.ask("POST", f"{address}/persons", contact)


def create_entitlement(portal: "Portal", order: dict[str, Any]) -> dict[str, Any]:
    """Deployed and mailed at once."""
    body = {name: order[name] for name in ("order_number", "order_date", "lines")}
    body |= {"account_id": order["account"]["account_id"], "contact_email": order["contact"]["email"]}
    return portal.ask("POST", "entitlements", body)


def result(entitlement: dict[str, Any]) -> dict[str, Any]:
    """What an ERP writes down."""
    kept = ("activation_id", "part_number", "quantity", "starts_on", "expires_on")
    return {
        "entitlement_id": entitlement["entitlement_id"],
        "order_number": entitlement["order_number"],
        "lines": [{name: line[name] for name in kept} for line in entitlement["lines"]],
    }


class Portal:
    """Its API, with a token of the scopes `read` and `orders`."""

    def __init__(self, address: str, token: str) -> None:
        self.root, self.token = f"{address.rstrip('/')}/api/v1/", token

    def ask(self, method: str, address: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """The answer. Raises Refused; where none comes (OSError), run the program again."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        data = None
        if body is not None:
            data = json.dumps(body, sort_keys=True).encode()
            headers["Idempotency-Key"] = hashlib.sha256(address.encode() + data).hexdigest()
        address = address if address.startswith("http") else self.root + address
        request = urllib.request.Request(address, data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            is_problem = error.headers.get_content_type() == "application/problem+json"
            raise Refused(error.code, json.load(error) if is_problem else {}) from error

    def all_of(self, address: str | None) -> list[dict[str, Any]]:
        """Every row of a list, page by page."""
        rows: list[dict[str, Any]] = []
        while address:
            page = self.ask("GET", address)
            rows += page["items"]
            address = page["next"]
        return rows


if __name__ == "__main__":
    sys.exit(main())
