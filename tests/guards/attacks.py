"""The table of guards: for each trigger and constraint one attack that it alone stops.

An attack is SQL (``;;`` between statements), run by the owner of the tables; ``{name}`` stands for a primary key of
``make_world``. What would refuse it before the guard in question is asked is listed as ``without``.
"""

from dataclasses import dataclass

from django.db import connection

ON_POSTGRES = connection.vendor == "postgresql"
MOVEMENT = "INSERT INTO entitlements_movement (kind, item_id, parent_id, copies, actor_id, reason) VALUES "
NEW_ITEM = (
    "INSERT INTO entitlements_lineitem (activation_id, activation_id_end, entitlement_id, product_id,"
    " quantity, available, split, activated, ledger_position, starts_on, expires_on, state,"
    " owner_id, seller_id, serving_account_id, contact_id, parent_id,"
    " distributor_id, installer_id, end_customer_id, verification_code, created_by_id, created_at) "
)
# a copy of the installer's item, but for what the attack changes
COPY = NEW_ITEM + (
    "SELECT {activation_id}, 'x', {entitlement}, {product},"
    " {quantity}, {quantity}, 0, 0, 0, starts_on, expires_on, {state},"
    " owner_id, {seller}, {serving}, contact_id, {parent}, distributor_id, installer_id, end_customer_id, {code},"
    " created_by_id, created_at FROM entitlements_lineitem WHERE id = {{installed}}"
)


def item_like_the_installers(**changes: str) -> str:
    """The statement that makes it."""
    usual = {
        "activation_id": "'X-1'",
        "entitlement": "entitlement_id",
        "product": "product_id",
        "quantity": "0",
        "state": "state",
        "seller": "seller_id",
        "serving": "serving_account_id",
        "parent": "parent_id",
        "code": "'x-1'",
    }
    return COPY.format(**(usual | changes))


@dataclass(frozen=True)
class Attack:
    """What is tried, and which other guards have to step aside so that this one is asked."""

    sql: str
    without: tuple[str, ...] = ()


BOTH_TRIGGERS = {
    "ledger_movement_fits": Attack(MOVEMENT + "('split', {served}, {issued}, 1, {actor}, '')"),
    "ledger_item_starts_at_zero": Attack(item_like_the_installers(quantity="7")),
    "ledger_item_balances": Attack(
        "UPDATE entitlements_lineitem SET quantity = quantity + 1, available = available + 1 WHERE id = {installed}"
    ),
    "ledger_item_fixed": Attack(
        "UPDATE entitlements_lineitem SET product_id = {other_product} WHERE id = {served}"
    ),
    "ledger_item_code_fixed": Attack(
        "UPDATE entitlements_lineitem SET verification_code = 'y' WHERE id = {served}"
    ),
    "ledger_item_no_delete": Attack("DELETE FROM entitlements_lineitem WHERE id = {empty}"),
    "ledger_entitlement_fixed": Attack(
        "UPDATE entitlements_entitlement SET owner_id = {stranger} WHERE id = {order}"
    ),
    "ledger_entitlement_no_delete": Attack("DELETE FROM entitlements_entitlement WHERE id = {empty_order}"),
    "ledger_activation_starts_at_zero": Attack(
        "INSERT INTO entitlements_activation (item_id, device_id, copies, ledger_position, created_at)"
        " SELECT item_id, {other_device}, 1, 0, created_at FROM entitlements_activation WHERE id = {activation}"
    ),
    "ledger_activation_balances": Attack(
        "UPDATE entitlements_activation SET copies = copies + 1 WHERE id = {activation}"
    ),
    "ledger_activation_fixed": Attack(
        "UPDATE entitlements_activation SET device_id = {other_device} WHERE id = {activation}"
    ),
    "ledger_activation_no_delete": Attack(
        "DELETE FROM entitlements_activation WHERE id = {empty_activation}"
    ),
    "ledger_key_fixed": Attack("UPDATE entitlements_signingkey SET public_key = 'x'"),
    "ledger_key_no_delete": Attack("DELETE FROM entitlements_signingkey WHERE id = {unused_key}"),
}
BOTH_TRIGGERS |= {
    "ledger_license_fixed": Attack("UPDATE entitlements_license SET copies = copies + 1"),
    "ledger_license_no_delete": Attack("DELETE FROM entitlements_license"),
    "ledger_head_follows": Attack(
        "INSERT INTO entitlements_ledgerhead (size, root, sealed_at, previous, key_id, signature)"
        " SELECT size + 1000, root, sealed_at, previous, {unused_key}, signature FROM entitlements_ledgerhead"
        " WHERE size = (SELECT max(size) FROM entitlements_ledgerhead)"
    ),
}
SEALED = {"leaf": "number", "node": "number", "head": "size"}
FIRST = {"leaf": " WHERE number = 0", "node": "", "head": ""}  # a movement's leaf, which no records hold fast
POSTGRES_TRIGGERS = {
    "ledger_movement_no_change": Attack("UPDATE entitlements_movement SET copies = copies + 1"),
    "ledger_movement_no_truncate": Attack(
        "TRUNCATE entitlements_movement CASCADE", ("ledger_leaf_no_truncate", "ledger_records_no_truncate")
    ),
    "ledger_item_no_truncate": Attack(
        "TRUNCATE entitlements_lineitem CASCADE",
        (
            "ledger_movement_no_truncate",
            "ledger_leaf_no_truncate",
            "ledger_records_no_truncate",
            "ledger_activation_no_truncate",
            "ledger_license_no_truncate",
        ),
    ),
    "ledger_item_fits": Attack(item_like_the_installers(product="{other_product}")),
    "ledger_activation_no_truncate": Attack(
        "TRUNCATE entitlements_activation CASCADE",
        (
            "ledger_movement_no_truncate",
            "ledger_leaf_no_truncate",
            "ledger_records_no_truncate",
            "ledger_license_no_truncate",
        ),
    ),
    "ledger_key_no_truncate": Attack(
        "TRUNCATE entitlements_signingkey CASCADE", ("ledger_head_no_truncate", "ledger_license_no_truncate")
    ),
    "ledger_license_no_truncate": Attack("TRUNCATE entitlements_license CASCADE"),
    "ledger_audit_no_change": Attack("UPDATE accounts_auditentry SET reason = 'x'"),
    "ledger_audit_no_truncate": Attack("TRUNCATE accounts_auditentry CASCADE"),
    "ledger_records_no_change": Attack("UPDATE entitlements_sealedrecords SET kind = 'x'"),
    "ledger_records_no_truncate": Attack("TRUNCATE entitlements_sealedrecords CASCADE"),
}
for name, key in SEALED.items():
    table = f"entitlements_ledger{name}"
    POSTGRES_TRIGGERS[f"ledger_{name}_no_change"] = Attack(
        f"UPDATE {table} SET {key} = {key} + 1000{FIRST[name]}"
    )
    POSTGRES_TRIGGERS[f"ledger_{name}_no_truncate"] = Attack(
        f"TRUNCATE {table} CASCADE", ("ledger_records_no_truncate",) if name == "leaf" else ()
    )
SQLITE_TRIGGERS = {
    "ledger_movement_no_update": Attack("UPDATE entitlements_movement SET copies = copies + 1"),
    "ledger_movement_no_delete": Attack(
        "DELETE FROM entitlements_unsealedmovement ;; DELETE FROM entitlements_movement WHERE id = {waiting}"
    ),
    "ledger_audit_no_update": Attack("UPDATE accounts_auditentry SET reason = 'x'"),
    "ledger_audit_no_delete": Attack("DELETE FROM accounts_auditentry"),
    "ledger_records_no_update": Attack("UPDATE entitlements_sealedrecords SET kind = 'x'"),
    "ledger_records_no_delete": Attack("DELETE FROM entitlements_sealedrecords"),
    "ledger_item_of_order": Attack(item_like_the_installers(entitlement="{order}")),
    "ledger_item_child_of": Attack(item_like_the_installers(product="{other_product}")),
}
for name, key in SEALED.items():
    table = f"entitlements_ledger{name}"
    SQLITE_TRIGGERS[f"ledger_{name}_no_update"] = Attack(
        f"UPDATE {table} SET {key} = {key} + 1000{FIRST[name]}"
    )
    SQLITE_TRIGGERS[f"ledger_{name}_no_delete"] = Attack(f"DELETE FROM {table}{FIRST[name]}")
    SQLITE_TRIGGERS[f"ledger_{name}_no_replace"] = Attack(
        f"INSERT OR REPLACE INTO {table} SELECT * FROM {table} LIMIT 1",
        (f"ledger_{name}_no_delete", "ledger_head_follows" if name == "head" else ""),
    )
# These refuse nothing; test_triggers.py has a test of its own for each.
WORKING = {
    "ledger_movement_applies",
    "ledger_movement_waits",
    "ledger_item_recorded",
    "ledger_license_recorded",
    "ledger_license_end_recorded",
    "ledger_audit_recorded",
}
TRIGGERS = BOTH_TRIGGERS | (POSTGRES_TRIGGERS if ON_POSTGRES else SQLITE_TRIGGERS)

DEVICE = (
    "INSERT INTO entitlements_device (account_id, host_id_type, host_id, name, model, site, notes, created_at)"
    " SELECT account_id, host_id_type, host_id, name, model, site, notes, created_at FROM entitlements_device"
)
LICENSE = (
    "INSERT INTO entitlements_license (license_id, activation_id, copies, file, digest, key_id, issued_at)"
    " SELECT gen_random_uuid(), activation_id, copies, file, digest, key_id, issued_at FROM entitlements_license"
)
NOTICE_RUN = 'INSERT INTO entitlements_noticerun (kind, "on", covers_after, created_at) '
OF_NOTICE_RUN = " FROM entitlements_noticerun"
FREE = ("ledger_item_balances", "ledger_item_fixed")  # triggers that refuse before a constraint is asked
ITEM = "UPDATE entitlements_lineitem SET "
ENTITLEMENT = "UPDATE entitlements_entitlement SET "
PRODUCT = "UPDATE entitlements_product SET "
ACCOUNT = "UPDATE accounts_account SET "
RELATION = "UPDATE accounts_sellingrelation SET "
USER = "UPDATE accounts_user SET "
MAIL = "UPDATE notifications_mail SET "
CONSTRAINTS = {
    "line_item_conservation": Attack(ITEM + "quantity = quantity + 1 WHERE id = {installed}", FREE),
    "line_item_no_negative_balance": Attack(
        ITEM + "available = -1, activated = quantity - split + 1 WHERE id = {installed}",
        (*FREE, "entitlements_lineitem_available_check"),
    ),
    "line_item_ends_after_start": Attack(ITEM + "expires_on = starts_on - 1 WHERE id = {served}"),
    "line_item_state_known": Attack(ITEM + "state = 'expired' WHERE id = {served}"),
    "line_item_draft_is_issued": Attack(ITEM + "state = 'draft' WHERE id = {served}"),
    "line_item_between_two": Attack(ITEM + "seller_id = owner_id WHERE id = {installed}", FREE),
    "line_item_end_customer_is_served": Attack(ITEM + "serving_account_id = NULL WHERE id = {served}"),
    "movement_moves_something": Attack(MOVEMENT + "('issue', {issued}, NULL, 0, {actor}, '')"),
    "movement_parent_by_kind": Attack(MOVEMENT + "('issue', {installed}, {issued}, 1, {actor}, '')"),
    "movement_activation_by_kind": Attack(MOVEMENT + "('activate', {served}, NULL, 1, {actor}, '')"),
    "device_once_an_account": Attack(DEVICE),
    "device_host_id_type_known": Attack("UPDATE entitlements_device SET host_id_type = 'name'"),
    "activation_once_a_device": Attack(
        "INSERT INTO entitlements_activation (item_id, device_id, copies, ledger_position, created_at)"
        " SELECT item_id, device_id, 0, 0, created_at FROM entitlements_activation WHERE id = {activation}"
    ),
    "activation_no_negative_copies": Attack(
        "UPDATE entitlements_activation SET copies = -1 WHERE id = {activation}",
        ("ledger_activation_balances", "entitlements_activation_copies_check"),
    ),
    "license_one_valid": Attack(LICENSE),
    "license_for_something": Attack(
        "UPDATE entitlements_license SET copies = 0",
        ("entitlements_license_copies_check", "ledger_license_fixed"),
    ),
    "license_ends_after_issue": Attack(
        "UPDATE entitlements_license SET ended_at = issued_at - interval '1 second'"
    ),
    "bulk_split_state_known": Attack("UPDATE entitlements_bulksplit SET state = 'lost'"),
    "bulk_split_mailed_by_somebody": Attack("UPDATE entitlements_bulksplit SET state = 'mailing'"),
    "bulk_split_undone_by_somebody": Attack("UPDATE entitlements_bulksplit SET state = 'undone'"),
    "notice_run_ends_once": Attack(
        NOTICE_RUN + 'SELECT kind, "on", covers_after - 1, created_at' + OF_NOTICE_RUN
    ),
    "notice_run_starts_once": Attack(
        NOTICE_RUN + 'SELECT kind, "on" + 1, covers_after, created_at' + OF_NOTICE_RUN
    ),
    "notice_run_covers_days": Attack('UPDATE entitlements_noticerun SET covers_after = "on"'),
    "notice_run_kind_known": Attack("UPDATE entitlements_noticerun SET kind = 'daily'"),
    "mail_entry_once": Attack(
        "INSERT INTO accounts_mailentry (account_id, mail_id) SELECT account_id, mail_id FROM accounts_mailentry"
    ),
    "entitlement_order_once": Attack(
        ENTITLEMENT + "order_number = 'PO-1' WHERE id IN ({same_order}, {empty_order})"
    ),
    "entitlement_between_two": Attack(
        ENTITLEMENT + "seller_id = owner_id WHERE id = {order}", ("ledger_entitlement_fixed",)
    ),
    "product_part_number_unique_without_case": Attack(
        PRODUCT + "part_number = (SELECT lower(part_number) FROM entitlements_product"
        " WHERE id = {product}) WHERE id = {other_product}"
    ),
    "product_license_model_known": Attack(PRODUCT + "license_model = 'rent' WHERE id = {product}"),
    "signing_key_one_active": Attack(
        "INSERT INTO entitlements_signingkey (key_id, algorithm, public_key, private_key, created_at)"
        " SELECT 'another', algorithm, public_key, private_key, created_at FROM entitlements_signingkey"
        " WHERE retired_at IS NULL"
    ),
    "signing_key_retired_cannot_sign": Attack(
        "UPDATE entitlements_signingkey SET retired_at = created_at WHERE retired_at IS NULL"
    ),
    "signing_key_compromised_is_retired": Attack(
        "UPDATE entitlements_signingkey SET compromised_at = created_at WHERE retired_at IS NULL"
    ),
    "operation_key_once": Attack(
        "INSERT INTO accounts_operation (actor_id, key, kind, request_hash, result_id, created_at)"
        " SELECT actor_id, key, kind, request_hash, result_id, created_at FROM accounts_operation"
        " WHERE id = {operation}"
    ),
    "relation_once": Attack(
        "INSERT INTO accounts_sellingrelation (seller_id, buyer_id, status, requested_at, decided_at)"
        " SELECT seller_id, buyer_id, status, requested_at, decided_at FROM accounts_sellingrelation"
        " WHERE id = {relation}"
    ),
    "relation_between_two": Attack(RELATION + "buyer_id = seller_id WHERE id = {relation}"),
    "relation_status_known": Attack(RELATION + "status = 'maybe' WHERE id = {relation}"),
    "api_token_revoked_once_by_somebody": Attack(
        "UPDATE accounts_apitoken SET revoked_by_id = user_id WHERE id = {token}"
    ),
    "relation_decided_or_open": Attack(RELATION + "decided_at = NULL WHERE id = {relation}"),
    "account_id_unique_without_case": Attack(
        ACCOUNT + "account_id = (SELECT lower(account_id) FROM accounts_account WHERE id = {stranger})"
        " WHERE id = {buyer}"
    ),
    "account_one_mobotix": Attack(ACCOUNT + "tier = 'mobotix' WHERE id = {stranger}"),
    "account_tier_known": Attack(ACCOUNT + "tier = 'friend' WHERE id = {stranger}"),
    "account_status_known": Attack(ACCOUNT + "status = 'asleep' WHERE id = {stranger}"),
    "user_email_once_an_account": Attack(
        USER
        + "email_key = 'same@one.example', login = NULL, can_log_in = false, role = '', shared_login = false"
        " WHERE account_id = {buyer}"
    ),
    "user_login_when_active": Attack(USER + "login = NULL WHERE id = {actor}"),
    "user_role_with_login": Attack(USER + "role = '' WHERE id = {actor}"),
    "user_temporary_password": Attack(
        USER + "must_change_password = false, temporary_password_until = created_at WHERE id = {actor}"
    ),
    "mail_status_known": Attack(MAIL + "status = 'lost' WHERE id = {mail}"),
    "mail_sent_has_time": Attack(MAIL + "status = 'sent' WHERE id = {mail}"),
    "mail_failed_has_reason": Attack(MAIL + "status = 'failed' WHERE id = {mail}"),
    "mail_claimed_is_queued": Attack(
        MAIL + "status = 'cancelled', claimed_until = next_attempt_at WHERE id = {mail}"
    ),
}
