"""The table of locks, entitlements: for each the race that only it decides rightly."""

from collections.abc import Callable
from typing import Any

from entitlements.activation.services.activate import activate, return_as_bearer
from entitlements.activation.services.devices import add_device
from entitlements.activation.services.returns import return_copies
from entitlements.ledger.signing import rotate_signing_key
from entitlements.mailing.services.queue import email_line_items
from entitlements.mailing.services.resending import send_all_again
from entitlements.models import Activation, Device, LineItem, SigningKey, State
from entitlements.orders.services.issue import add_lines, create_entitlement, deploy_entitlement
from entitlements.orders.services.key_compromise import _reissue
from entitlements.orders.services.products import _save_product, save_product
from entitlements.orders.services.replacing import replace_activation_id
from entitlements.orders.services.states import change_state
from entitlements.splits.services.split import split_line_item
from entitlements.splits.services.undo import undo_split
from mxportal.shared.forms import new_key
from notifications.models import Mail, Status
from tests.entitlements.activation.devices import host, put_on
from tests.factories import Cast, issue_item, make_chain, make_product, split_item
from tests.guards.keys import order
from tests.guards.locks_accounts import make_failed_mail, now
from tests.guards.races import Race, inside, proves, refused
from tests.roles import as_owner


def set_state(cast: Cast, item: LineItem, state: State) -> None:
    """MOBOTIX has just done so."""
    inside(change_state)(actor=cast.mobotix, item_id=item.pk, state=state, reason="Because.", key=new_key())


def same_request(service: Callable[..., Any], right: Callable[[Any], bool], **request: Any) -> Race:
    """E7: a double click; both get the same answer, since the key is looked up under the lock."""
    request["key"] = new_key()
    return Race(other=lambda: inside(service)(**request), ours=lambda: service(**request), right=right)


@proves("entitlements.splits.services.split.split_line_item")
def split_of_what_becomes_inactive(cast: Cast) -> Race:
    """E3: nothing is split off an inactive item."""
    item = issue_item(cast)
    return Race(
        other=lambda: set_state(cast, item, State.INACTIVE),
        ours=lambda: split_item(cast.distributor, item, cast.installer.account),
        right=refused("item"),
    )


@proves("entitlements.mailing.services.queue.email_line_items")
def mail_of_what_becomes_inactive(cast: Cast) -> Race:
    """E3: nor is it mailed."""
    item = issue_item(cast)
    request = {"item_id": item.pk, "recipients": ["a@twin.example"], "key": new_key()}
    return Race(
        other=lambda: set_state(cast, item, State.INACTIVE),
        ours=lambda: email_line_items(actor=cast.mobotix, **request),
        right=refused("item"),
    )


@proves("entitlements.orders.services.states.change_state")
def inactive_while_it_becomes_obsolete(cast: Cast) -> Race:
    """E3: Obsolete is final."""
    item = issue_item(cast)
    request = {"item_id": item.pk, "state": State.INACTIVE, "key": new_key()}
    return Race(
        other=lambda: set_state(cast, item, State.OBSOLETE),
        ours=lambda: change_state(actor=cast.mobotix, **request),
        right=refused("state"),
    )


@proves("entitlements.items.locks.lock_items")
def inactive_while_a_split_becomes_obsolete(cast: Cast) -> Race:
    """E3: for what was split from it, too."""
    chain = make_chain(cast)
    row = LineItem.objects.filter(pk=chain.served.pk)
    request = {"item_id": chain.issued.pk, "state": State.INACTIVE, "with_splits": True, "key": new_key()}
    return Race(
        other=lambda: set_state(cast, chain.served, State.OBSOLETE),
        ours=lambda: change_state(actor=cast.mobotix, **request),
        right=lambda outcome: outcome == chain.issued and now(row, state=State.OBSOLETE),
    )


@proves("entitlements.orders.services.replacing.replace_activation_id")
def replaced_while_it_becomes_obsolete(cast: Cast) -> Race:
    """E5: an obsolete item gets no new ID."""
    item = issue_item(cast)
    request = {"item_id": item.pk, "reason": "Because.", "key": new_key()}
    return Race(
        other=lambda: set_state(cast, item, State.OBSOLETE),
        ours=lambda: replace_activation_id(actor=cast.mobotix, **request),
        right=refused("item"),
    )


@proves("entitlements.items.locks.lock_with_parent")
def undo_while_the_source_becomes_obsolete(cast: Cast) -> Race:
    """E3: copies that came back to an obsolete source would be stranded."""
    chain = make_chain(cast)
    request = {"item_id": chain.installed.pk, "copies": 1, "key": new_key()}
    return Race(
        other=lambda: set_state(cast, chain.issued, State.OBSOLETE),
        ours=lambda: undo_split(actor=cast.distributor, **request),
        right=refused("item"),
    )


@proves("entitlements.items.locks.lock_with_parent 2")
def undo_while_the_buyer_splits(cast: Cast) -> Race:
    """E8: up to what is available on the new item."""
    bought = split_item(cast.distributor, issue_item(cast), cast.installer.account, copies=10)
    target = {"target_id": cast.customer.pk, "contact_id": cast.customer_contact.pk, "copies": 10}
    request = {"item_id": bought.pk, "copies": 10, "key": new_key()}
    return Race(
        other=lambda: inside(split_line_item)(
            actor=cast.installer, item_id=bought.pk, key=new_key(), **target
        ),
        ours=lambda: undo_split(actor=cast.distributor, **request),
        right=refused("copies"),
    )


@proves("entitlements.items.locks.lock_item")
def activated_while_it_becomes_inactive(cast: Cast) -> Race:
    """L2: only what is deployed is activated."""
    item = make_chain(cast).served
    return Race(
        other=lambda: set_state(cast, item, State.INACTIVE),
        ours=lambda: put_on(cast, item),
        right=refused("item"),
    )


@proves("entitlements.activation.services.returns.lock_activation")
def returned_while_it_gets_more(cast: Cast) -> Race:
    """L4: all that the device holds comes back, and not what it held a moment ago."""
    item = make_chain(cast).served
    given = put_on(cast, item, copies=1)
    more = {"actor": cast.installer, "item_id": item.pk, "host": host(), "copies": 2}
    back = {"actor": cast.installer, "activation_id": given.activation_id, "copies": None}
    return Race(
        other=lambda: inside(activate)(key=new_key(), **more),
        ours=lambda: return_copies(key=new_key(), **back),
        right=lambda outcome: isinstance(outcome, Activation) and outcome.copies == 0,
    )


@proves("entitlements.activation.services.devices.add_device")
def device_added_twice(cast: Cast) -> Race:
    """E7."""
    request: dict[str, Any] = {"actor": cast.installer, "account_id": cast.installer.account_id}
    request["host"] = host(f"SN-{new_key()}")
    return same_request(add_device, lambda outcome: isinstance(outcome, Device), **request)


@proves("entitlements.orders.services.issue.create_entitlement")
def same_order_at_once(cast: Cast) -> Race:
    """E1: an order is one entitlement, and who comes second reads that it is there."""
    number = new_key()
    request = order(cast, owner_id=cast.distributor.account_id, order_number=number)
    return Race(
        other=lambda: inside(create_entitlement)(key=new_key(), **request),
        ours=lambda: create_entitlement(key=new_key(), **request),
        right=refused("order_number"),
    )


@proves("entitlements.orders.services.issue.add_lines")
def same_lines_at_once(cast: Cast) -> Race:
    """E7: they are added once."""
    entitlement = issue_item(cast).entitlement
    return same_request(
        add_lines,
        lambda outcome: outcome == entitlement and entitlement.line_items.count() == 2,
        **order(cast, entitlement_id=entitlement.pk),
    )


@proves("entitlements.orders.services.issue.deploy_entitlement")
def same_deployment_at_once(cast: Cast) -> Race:
    """E7: who clicks twice reads of success."""
    entitlement = issue_item(cast, deploy=False).entitlement
    return same_request(
        deploy_entitlement,
        lambda outcome: outcome == entitlement,
        actor=cast.mobotix,
        entitlement_id=entitlement.pk,
    )


@proves("entitlements.orders.services.issue._deploy")
def deployed_one_by_one(cast: Cast) -> Race:
    """E1: a line is deployed, and mailed, once."""
    item = issue_item(cast, deploy=False)
    request = {"entitlement_id": item.entitlement_id, "key": new_key()}
    return Race(
        other=lambda: set_state(cast, item, State.DEPLOYED),
        ours=lambda: deploy_entitlement(actor=cast.mobotix, **request),
        right=refused(),
    )


@proves("entitlements.orders.services.products._lock")
def two_edit_a_product(cast: Cast) -> Race:
    """E1: the German name and the English name are both kept."""
    product = make_product()
    rows = type(product).objects.filter(pk=product.pk)
    edit = {"actor": cast.mobotix, "product_id": product.pk}
    return Race(
        other=lambda: inside(_save_product)(key=new_key(), fields={"name_de": "Neu"}, **edit),
        ours=lambda: save_product(key=new_key(), name_en="New", **edit),
        right=lambda outcome: now(rows, name_de="Neu", name_en="New"),
    )


@proves("entitlements.orders.services.products._lock 2")
def same_product_at_once(cast: Cast) -> Race:
    """E7: who clicks twice does not read that the part number is taken."""
    fields = {"part_number": new_key(), "license_model": "perpetual", "name_en": "A", "name_de": "A"}
    request = {"actor": cast.mobotix, "key": new_key(), "product_id": None}
    return Race(
        other=lambda: inside(_save_product)(fields=fields, **request),
        ours=lambda: save_product(**fields, **request),
        right=lambda outcome: getattr(outcome, "part_number", "") == fields["part_number"],
    )


@proves("entitlements.mailing.services.resending.send_all_again")
def all_again_at_once(cast: Cast) -> Race:
    """E7: who clicks twice reads the same number."""
    make_failed_mail()
    failed = Mail.objects.filter(status=Status.FAILED).count()
    return same_request(send_all_again, lambda outcome: outcome == failed, actor=cast.mobotix)


@proves("entitlements.orders.services.key_compromise._reissue")
def reissued_while_it_is_returned(cast: Cast) -> Race:
    """L6: what a device does not hold any more gets no new license."""
    served = make_chain(cast).served
    license = put_on(cast, served, typed="SN-REISSUE")
    returned = {"activation_id": served.activation_id, "host": host("SN-REISSUE")}
    return Race(
        other=lambda: inside(return_as_bearer)(**returned),
        ours=lambda: _reissue(license.pk, send_mails=False),
        right=lambda outcome: outcome is None,
    )


def as_the_owner(service: Callable[[], object]) -> Callable[[], object]:
    """L6: who alone may change keys."""

    def run() -> object:
        with as_owner():
            return service()

    return run


@proves("entitlements.ledger.signing.lock_keys")
def two_rotations(cast: Cast) -> Race:
    """L6: one key after the other."""
    count = SigningKey.objects.count()
    return Race(
        other=as_the_owner(inside(rotate_signing_key)),
        ours=as_the_owner(rotate_signing_key),
        right=lambda outcome: SigningKey.objects.count() == count + 2,
    )
