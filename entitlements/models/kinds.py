"""Stored names of audit actions and kinds of mails; they never change."""

from enum import StrEnum


class Action(StrEnum):
    """The actions of this app that the audit trail records."""

    ACTIVATION_ID_REPLACED = "activation_id_replaced"
    BALANCES_REPAIRED = "balances_repaired"
    BULK_SPLIT_DISCARDED = "bulk_split_discarded"
    DEVICE_ADDED = "device_added"
    DEVICE_EDITED = "device_edited"
    ENTITLEMENT_CREATED = "entitlement_created"
    HEADS_SET_ASIDE = "heads_set_aside"
    KEY_COMPROMISED = "key_compromised"
    LICENSE_REISSUED = "license_reissued"
    LINES_ADDED = "lines_added"
    MAILED = "mailed"
    PRODUCT_SAVED = "product_saved"
    QUANTITY_CHANGED = "quantity_changed"
    SERVED_BY_CHANGED = "served_by_changed"
    STATE_CHANGED = "state_changed"


class MailKind(StrEnum):
    """The kinds of mails of this app; `entitlements.mailing.letters` renders each (N4)."""

    ACTIVATION = "entitlements.activation"
    BULK_UNDONE = "entitlements.bulk_undone"
    CAME_BACK = "entitlements.came_back"
    CORRECTED = "entitlements.corrected"
    DIGEST = "entitlements.digest"
    EXPIRING = "entitlements.expiring"
    LEDGER_HEAD = "entitlements.ledger_head"
    UNDONE = "entitlements.undone"
