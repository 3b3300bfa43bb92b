"""What the people of a fault run do. Each is a function of a client; how often it is done stands below."""

import re
import time

from accounts.models import Tier
from tests.faults.clients import LATER, Actions, Buyer, Client
from tests.faults.model import Item

HALF = 0.5
HOSTS = ["SN-ENTRANCE", "SN-GATE"]


def issue(client: Client) -> None:
    """MOBOTIX makes an entitlement of one line, and deploys it with its mail."""
    buyer, quantity = client.random.choice(client.person.buyers), client.random.randint(50, 200)
    line = {
        "product": client.person.product,
        "quantity": quantity,
        "starts_on": "2026-01-01",
        "permanent": "on",
    }
    form = {"lines-TOTAL_FORMS": 1, "lines-INITIAL_FORMS": 0} | {
        f"lines-0-{name}": line[name] for name in line
    }
    page = client.send(
        "create_entitlement",
        "/entitlements/new/",
        owner=buyer.account,
        contact=buyer.contact,
        step="save",
        **form,
    )
    client.send("deploy", f"{page}deploy/", send_mail="on")
    match = re.search(r'"/items/(\d+)/', client.see(page))
    assert match, f"{page} shows no line item"
    client.model.add_item(Item(int(match[1]), buyer.account, None, quantity))


def split(client: Client) -> None:
    """Some copies to a buyer, with the mail."""
    items = client.model.owned_by(client.person.account)
    if not items:
        return
    source, copies = client.random.choice(items), client.random.randint(1, 6)
    buyer = client.random.choice(client.person.buyers)
    page = client.send(
        "split",
        f"/items/{source.pk}/split/",
        step="complete",
        target=buyer.account,
        contact=buyer.contact,
        copies=copies,
        send_mail="on",
    )
    if page:
        client.model.add_item(Item(int(page.split("/")[2]), buyer.account, source.pk, copies))


def undo(client: Client) -> None:
    """Some copies come back."""
    items = client.model.split_by(client.person.account)
    if not items:
        return
    item, copies = client.random.choice(items), client.random.randint(1, 3)
    if client.send("undo_split", f"/items/{item.pk}/undo/", copies=copies):
        client.model.give_back(item.pk, copies)


def change_state(client: Client) -> None:
    """MOBOTIX makes an item that it issued inactive, and after a moment deploys it again."""
    issued = [item for item in list(client.model.items.values()) if item.parent is None]
    if not issued:
        return
    item = client.random.choice(issued)
    for state in ("inactive", "deployed"):
        if client.send("change_state", f"/items/{item.pk}/state/", state=state):
            client.model.change_state(item.pk, state)


def split_in_bulk(client: Client) -> None:
    """Several lines to several buyers, all or nothing; half of the time all of it is taken back."""
    items = client.model.owned_by(client.person.account)
    if not items:
        return
    source = client.random.choice(items)
    lines = [(client.random.choice(client.person.buyers), client.random.randint(1, 3)) for _line in range(3)]
    page = _keep_lines(client, source, lines)
    preview = _after_work(client, page) if page else ""
    if "Split all" not in preview:
        return
    (seen,) = re.findall(r'name="seen" value="([^"]+)"', preview)
    client.send("carry_out_bulk_split", f"{page}split/", send_mail="on", seen=seen)
    result = _after_work(client, page)
    if "All lines are split" not in result:
        return  # somebody was quicker with the copies
    new = dict.fromkeys(re.findall(r'"/items/(\d+)/"', result))
    assert len(new) == len(lines), f"{page} shows {len(new)} line items for {len(lines)} lines"
    for pk, (buyer, copies) in zip(new, lines, strict=True):
        client.model.add_item(Item(int(pk), buyer.account, source.pk, copies))
    if client.random.random() < HALF:
        _undo_bulk(client, page, [int(pk) for pk in new])


def _undo_bulk(client: Client, page: str, items: list[int]) -> None:
    asked = client.send("undo_bulk_split", f"{page}undo/")
    if asked and "This bulk split was undone" in _after_work(client, page):
        for pk in items:
            client.model.give_back(pk, client.model.items[pk].quantity)


def _keep_lines(client: Client, source: Item, lines: list[tuple[Buyer, int]]) -> str:
    typed: dict[str, object] = {"way": "table", "lines-total": len(lines)}
    for place, (buyer, copies) in enumerate(lines):
        typed[f"lines-{place}-account_id"] = buyer.account_id
        typed[f"lines-{place}-email"] = buyer.email
        typed[f"lines-{place}-amount"] = copies
    return client.send("start_bulk_split", f"/bulk-splits/new/?item={source.pk}", **typed)


def _after_work(client: Client, page: str) -> str:
    """The page once the job is done; a worker that takes it up after a kill may need the sweep."""
    end = time.monotonic() + LATER
    while time.monotonic() < end:
        body = client.see(page)
        if "<progress" not in body:
            return body
        time.sleep(0.5)
    raise TimeoutError(f"{page} was not done in {LATER} s.")


def activate(client: Client) -> None:
    """So many copies on one of two devices of an own item or of a customer's; fewer than before are a return."""
    accounts = [client.person.account, *(buyer.account for buyer in client.person.buyers)]
    items = [item for account in accounts for item in client.model.owned_by(account)]
    if not items:
        return
    item, host_id = client.random.choice(items), client.random.choice(HOSTS)
    copies = client.random.randint(1, 3)
    page = client.send("activate", f"/items/{item.pk}/activate/", host_id=host_id, copies=copies)
    if page:
        client.model.hold(item.pk, host_id, copies, page.split("/")[2])


def activate_as_camera(client: Client) -> None:
    """The same for a customer's item, with nothing but the Activation ID; sometimes all of it comes back."""
    items = [item for buyer in client.person.buyers for item in client.model.owned_by(buyer.account)]
    if not items:
        return
    item, host_id = client.random.choice(items), client.random.choice(HOSTS)
    activation_id = re.search(r"(?:[0-9A-Z]{4}-){6}[0-9A-Z]{4}", client.see(f"/items/{item.pk}/"))
    assert activation_id, f"Line item {item.pk} shows no Activation ID"
    asked = {"activation_id": activation_id[0], "host_id": host_id}
    if item.devices.get(host_id) and client.random.random() < HALF:
        if client.call("/api/v1/returns", **asked):
            client.model.let_go(item.pk, host_id)
        return
    copies = client.random.randint(1, 2)
    if license := client.call("/api/v1/activations", **asked, copies=copies):
        client.model.hold(item.pk, host_id, copies, license["license_id"])


ACTIONS: dict[Tier, Actions] = {
    Tier.MOBOTIX: {issue: 1, change_state: 1},
    Tier.DISTRIBUTOR: {split: 4, split_in_bulk: 1, undo: 1},
    Tier.INSTALLER: {split: 3, split_in_bulk: 1, undo: 1, activate: 2, activate_as_camera: 2},
}
