"""A portal with something in every state, for the tests that look at every page."""

from dataclasses import dataclass, field
from typing import Any

from accounts.models import Account, RelationStatus, SellingRelation, Tier, User
from entitlements.models import LineItem, State, today
from entitlements.services.issue import NewLine, add_lines, deploy_entitlement
from entitlements.services.undo import undo_split
from mxportal.shared.forms import new_key
from notifications.models import Failure, Mail, Status
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
    readers: dict[str, User] = field(default_factory=dict)


def make_world() -> World:
    """Everything, long names and names in other scripts included."""
    cast = make_cast()
    chain = make_chain(cast, order_number="PO-2041")
    parts = _items(cast, chain) | _people(cast)
    failed, refused = _failed_mail(chain.served.mails), _failed_mail(parts["newcomer"].mails)
    readers = vars(cast) | {name: parts[name] for name in ("lonely", "newcomer")}
    return World(
        cast=cast,
        chain=chain,
        failed=failed,
        refused_credentials=refused,
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


def _failed_mail(mails: Any) -> Mail:
    """N2: a mail that the server refused for good."""
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
    return mail
