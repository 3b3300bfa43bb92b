"""The models of the app, one noun in each module."""

from entitlements.models.activation import Activation, License
from entitlements.models.bulk_split import BulkSplit, BulkState, Origin
from entitlements.models.counted_return import CountedReturn
from entitlements.models.device import Device
from entitlements.models.entitlement import Entitlement
from entitlements.models.line_item import PERMANENT, LineItem, State
from entitlements.models.movement import Movement, MovementKind
from entitlements.models.notice_run import NoticeKind, NoticeRun
from entitlements.models.product import LicenseModel, Product
from entitlements.models.published_head import PublishedHead
from entitlements.models.seal import (
    LedgerHead,
    LedgerLeaf,
    LedgerNode,
    RecordBackfill,
    SealedRecords,
    UnsealedMovement,
    UnsealedRecord,
)
from entitlements.models.signing_key import SigningKey
from mxportal.shared.days import today

__all__ = [
    "PERMANENT",
    "Activation",
    "BulkSplit",
    "BulkState",
    "CountedReturn",
    "Device",
    "Entitlement",
    "LedgerHead",
    "LedgerLeaf",
    "LedgerNode",
    "LicenseModel",
    "License",
    "LineItem",
    "Movement",
    "MovementKind",
    "NoticeKind",
    "NoticeRun",
    "Origin",
    "Product",
    "PublishedHead",
    "RecordBackfill",
    "SealedRecords",
    "SigningKey",
    "State",
    "UnsealedMovement",
    "UnsealedRecord",
    "today",
]
