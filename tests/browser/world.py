"""A portal with something in every state, for the tests that look at every page."""

from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from accounts.models import Account, ApiToken, MailEntry, RelationStatus, SellingRelation, Tier, User
from entitlements.activation.services.activate import activate
from entitlements.activation.services.devices import HostId
from entitlements.activation.services.returns import return_copies
from entitlements.bulk.services.lines import BulkLine
from entitlements.bulk.services.requests import discard_bulk_split, start_bulk_split, undo_bulk_split
from entitlements.identifiers.host_ids import HostIdType
from entitlements.models import BulkSplit, BulkState, Device, License, LineItem, Origin, State, today
from entitlements.orders.services.issue import NewLine, add_lines, deploy_entitlement
from entitlements.orders.services.replacing import replace_activation_id
from entitlements.splits.services.undo import undo_split
from mxportal.shared.forms import new_key
from notifications.models import Failure, Mail, RefusedAddress, Status
from tests.browser.tokens import make_tokens
from tests.entitlements.bulk.making import line_for, split_bulk
from tests.factories import (
    Cast,
    Chain,
    issue_item,
    make_account,
    make_cast,
    make_chain,
    make_contact,
    make_product,
    make_relation,
    make_user,
    split_item,
    yesterday,
)

LONG_NAME = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"


@dataclass
class World:
    """The cast, a chain of splits, and what else a page can meet."""

    cast: Cast
    chain: Chain
    draft: LineItem
    expired: LineItem
    obsolete: LineItem
    lonely: User
    newcomer: User
    no_contacts: Account
    failed: Mail
    refused_credentials: Mail
    bulks: dict[str, BulkSplit]
    activated: LineItem
    licenses: list[License]
    token: ApiToken
    empty_device: Device
    used_up: License
    readers: dict[str, User] = field(default_factory=dict)


def make_world() -> World:
    """Everything, long names and names in other scripts included."""
    cast = make_cast()
    chain = make_chain(cast, order_number="PO-2041")
    parts = _items(cast, chain) | _people(cast)
    installer = cast.installer.account
    failed = _failed_mail(installer, chain.served.mails)
    refused = _failed_mail(installer, parts["newcomer"].mails)
    RefusedAddress.objects.create(
        address_key=cast.customer_contact.email_key, refused_at=timezone.now(), reply=failed.server_reply
    )
    readers = vars(cast) | {name: parts[name] for name in ("lonely", "newcomer")}
    return World(
        cast=cast,
        chain=chain,
        failed=failed,
        refused_credentials=refused,
        bulks=_bulks(cast, chain),
        **_activations(cast, chain),
        token=make_tokens(cast, LONG_NAME),
        readers={name: user for name, user in readers.items() if isinstance(user, User)},
        **parts,
    )


def _items(cast: Cast, chain: Chain) -> dict[str, LineItem]:
    product = make_product(name_en=LONG_NAME, name_de=LONG_NAME)
    draft = issue_item(cast, deploy=False, product_id=product.pk)
    expired = issue_item(cast, starts_on=yesterday(), expires_on=yesterday())
    undone = split_item(cast.distributor, chain.issued, cast.installer.account, copies=2)
    undo_split(actor=cast.distributor, item_id=undone.pk, copies=2, reason="", key=new_key())
    undone.refresh_from_db()
    assert undone.state == State.OBSOLETE
    _second_line(cast, chain, product.pk)
    return {"draft": draft, "expired": expired, "obsolete": undone}


def _second_line(cast: Cast, chain: Chain, product_id: int) -> None:
    line = NewLine(product_id=product_id, quantity=1_234_567, starts_on=today(), expires_on=None)
    entitlement_id = chain.issued.entitlement_id
    add_lines(
        actor=cast.mobotix,
        entitlement_id=entitlement_id,
        contact_id=cast.distributor.pk,
        lines=[line],
        key=new_key(),
    )
    deploy_entitlement(actor=cast.mobotix, entitlement_id=entitlement_id, key=new_key(), send_mail=True)


def _people(cast: Cast) -> dict[str, Any]:
    empty = make_account(Tier.DISTRIBUTOR, "Empty Shelves", sellers=(cast.mobotix.account,))
    newcomer = make_user(cast.installer.account, "Nele", email="nele@blick.example")
    newcomer.set_temporary_password("only for a moment")
    newcomer.save()
    make_contact(cast.customer, "山田", display_name=LONG_NAME)
    make_account(Tier.END_CUSTOMER, LONG_NAME, sellers=(cast.installer.account,))
    relation = make_relation(
        cast.other_distributor.account, cast.installer.account, status=RelationStatus.REQUESTED
    )
    SellingRelation.objects.filter(pk=relation.pk).update(requested_by=cast.other_distributor)
    return {
        "lonely": make_user(empty, "Lena"),
        "newcomer": newcomer,
        "no_contacts": make_account(Tier.END_CUSTOMER, "Nobody There", sellers=(cast.installer.account,)),
    }


def _bulks(cast: Cast, chain: Chain) -> dict[str, BulkSplit]:
    """A bulk split of the installer in each of its states."""
    line = line_for(cast.customer_contact, 1, order_number=f"PO-{LONG_NAME}"[:60])
    wrong = [
        line_for(cast.customer_contact, "1,000"),
        BulkLine(number=7, account_id=LONG_NAME[:30], amount="1"),
    ]
    asked = {
        "right": [line] * 3,
        "wrong": [line, *wrong],
        "too_much": [line_for(cast.customer_contact, 30)] * 2,
    }
    bulks = {
        name: start_bulk_split(
            actor=cast.installer,
            item_ids=[chain.installed.pk],
            lines=lines,
            key=new_key(),
            origin=Origin.FILE,
            file_name=f"{LONG_NAME}.csv",
        )
        for name, lines in asked.items()
    }
    bulks["done"] = split_bulk(cast.installer, [chain.installed], [line] * 3, send_mail=True)
    bulks["stuck"] = _stuck(cast, chain)
    bulks["undone"] = undo_bulk_split(
        actor=cast.installer,
        bulk_id=split_bulk(cast.installer, [chain.installed], [line]).pk,
        key=new_key(),
    )
    draft = {
        "actor": cast.installer,
        "item_ids": [chain.installed.pk],
        "lines": [line],
        "origin": Origin.PASTE,
    }
    bulks["discarded"] = discard_bulk_split(
        actor=cast.installer, bulk_id=start_bulk_split(key=new_key(), **draft).pk, key=new_key()
    )
    for state in (BulkState.RUNNING, BulkState.FAILED):
        bulk = split_bulk(cast.installer, [chain.installed], [line])
        rows = [line.as_row()] * 2
        BulkSplit.objects.filter(pk=bulk.pk).update(state=state, lines=rows, line_count=2, failure=LONG_NAME)
        bulks[str(state)] = bulk
    return bulks


def _stuck(cast: Cast, chain: Chain) -> BulkSplit:
    """One that cannot be undone: a part of it was split further."""
    bulk = split_bulk(cast.distributor, [chain.issued], [line_for(cast.installer, 3)])
    split_item(cast.installer, bulk.items.get(), cast.customer, copies=1)
    return bulk


def _activations(cast: Cast, chain: Chain) -> dict[str, Any]:
    """An item on devices with long names and none; a license that has ended, and some that are valid."""
    item = split_item(cast.installer, chain.installed, cast.customer, copies=4)
    hosts = [
        (HostId(typed="00:03:C5:00:00:01", kind=HostIdType.MAC, name="Entrance", site="Hall"), 1),
        (HostId(typed="00:03:C5:00:00:01", kind=HostIdType.MAC), 2),
        (HostId(typed="SN-" + "9" * 61, kind=HostIdType.SERIAL, name=LONG_NAME, site=LONG_NAME), 1),
    ]
    licenses = [
        activate(actor=cast.installer, item_id=item.pk, host=host, copies=copies, key=new_key())
        for host, copies in hosts
    ]
    licenses[0].refresh_from_db()
    item.refresh_from_db()
    empty = Device.objects.create(account=cast.installer.account, host_id="SN-0", notes=f"{LONG_NAME}\n" * 2)
    return {"activated": item, "licenses": licenses, "empty_device": empty, "used_up": _used_up(cast, chain)}


def _used_up(cast: Cast, chain: Chain) -> License:
    """L4, E5: of an item of which nothing more can be returned this year, and whose ID was replaced since."""
    # of an order of its own: returns count at every level that an item descends from
    own = split_item(cast.distributor, issue_item(cast), cast.installer.account, copies=10)
    item = split_item(cast.installer, own, cast.customer, copies=3)
    host = HostId(typed="00:03:C5:00:00:01", kind=HostIdType.MAC)
    license = activate(actor=cast.installer, item_id=item.pk, host=host, copies=3, key=new_key())
    return_copies(actor=cast.installer, activation_id=license.activation_id, copies=2, key=new_key())
    replace_activation_id(
        actor=cast.installer, item_id=item.pk, key=new_key(), reason="Sent astray", send_mail=False
    )
    return License.objects.valid().get(activation=license.activation_id)


def _failed_mail(reader: Account, mails: Any) -> Mail:
    """N2: a mail that the server refused for good, in the list of an account."""
    mail = Mail.objects.create(
        kind="test",
        recipient_email="nowhere@portal.example",
        recipient_name="Nele Neu",
        status=Status.FAILED,
        failure=Failure.REFUSED,
        attempts=3,
        server_reply="550 5.1.1 No such user",
    )
    mails.add(mail)
    MailEntry.objects.keep([(reader.pk, mail.pk)])
    return mail
