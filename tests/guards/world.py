"""A small world whose primary keys the attacks name."""

from django.db import connection

from accounts.models import Operation, SellingRelation, Tier
from entitlements.activation.services.activate import activate
from entitlements.activation.services.devices import HostId
from entitlements.identifiers.host_ids import HostIdType
from entitlements.ledger.movements import record_movement
from entitlements.ledger.sealing.record_sealing import seal_records
from entitlements.ledger.sealing.seal import seal_ledger
from entitlements.ledger.signing import active_key
from entitlements.models import Activation, BulkSplit, Entitlement, LineItem, MovementKind, today
from entitlements.models.notice_run import NoticeKind, NoticeRun
from notifications.models import Mail
from tests.factories import (
    make_account,
    make_activation,
    make_cast,
    make_chain,
    make_contact,
    make_product,
    make_token,
    split_item,
    yesterday,
)
from tests.roles import rotate_signing_key


def make_world() -> dict[str, int]:
    """Names and primary keys."""
    cast = make_cast()
    chain = make_chain(cast)
    empty_order = Entitlement.objects.create(
        seller=cast.distributor.account, owner=cast.installer.account, created_by=cast.distributor
    )
    empty = LineItem.objects.get(pk=chain.installed.pk)
    empty.pk, empty.activation_id, empty.verification_code = None, "EMPTY-1", "empty"
    empty.quantity = empty.available = empty.split = empty.ledger_position = 0
    empty.entitlement = empty_order
    empty._state.adding = True
    empty.save()
    unused = Entitlement.objects.create(
        seller=cast.distributor.account, owner=cast.installer.account, created_by=cast.distributor
    )
    make_contact(cast.installer.account)
    split_item(cast.distributor, chain.issued, cast.installer.account, copies=1, send_mail=True)
    activate(
        actor=cast.installer,
        item_id=chain.served.pk,
        host=HostId(typed="SN-1", kind=HostIdType.SERIAL),
        copies=2,
        key="activate",
    )
    activation = Activation.objects.get()
    empty_activation = make_activation(chain.installed)
    seal_ledger()
    seal_records()
    rotate_signing_key()  # the new one has signed nothing yet
    BulkSplit.objects.create(actor=cast.installer, account=cast.installer.account)
    NoticeRun.objects.create(kind=NoticeKind.EXPIRING, covers_after=yesterday(), on=today())
    waiting = record_movement(actor=cast.mobotix, kind=MovementKind.ADJUST, item=chain.issued, copies=1)
    relation = SellingRelation.objects.get(seller=cast.distributor.account, buyer=cast.installer.account)
    return {
        "issued": chain.issued.pk,
        "installed": chain.installed.pk,
        "served": chain.served.pk,
        "empty": empty.pk,
        "order": chain.served.entitlement_id,
        "empty_order": unused.pk,
        "same_order": empty_order.pk,
        "product": cast.product.pk,
        "other_product": make_product().pk,
        "actor": cast.installer.pk,
        "buyer": cast.installer.account_id,
        "stranger": make_account(Tier.INSTALLER, "Stranger").pk,
        "relation": relation.pk,
        "token": make_token(cast.installer).pk,
        "waiting": waiting.pk,
        "activation": activation.pk,
        "empty_activation": empty_activation.pk,
        "other_device": empty_activation.device_id,
        "unused_key": active_key().pk,
        "operation": Operation.objects.latest("pk").pk,
        "mail": Mail.objects.latest("pk").pk,
    }


def run(sql: str, world: dict[str, int]) -> None:
    """The attack, with every check that waits for the end of the transaction made at once."""
    with connection.cursor() as cursor:
        for statement in sql.split(";;"):
            cursor.execute(statement.format(**world))
        connection.check_constraints()
