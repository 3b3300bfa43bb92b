"""Which section of the handbook explains which page of the portal: what the "?" at a heading leads to."""

from accounts.models import Tier, User
from handbook.contents import Reader, may_read, page_url

# From the name of a route to page#anchor.
HELP = {
    "home": "installers#home",
    "account_login": "installers#login",
    "account_logout": "installers#login",
    "account_change_password": "installers#first-password",
    "account_reset_password": "installers#forgotten-password",
    "account_reset_password_done": "installers#forgotten-password",
    "account_reset_password_from_key": "installers#forgotten-password",
    "account_reset_password_from_key_done": "installers#forgotten-password",
    "profile_edit": "installers#profile",
    "account_list": "installers#own-account",
    "related_account_list": "installers#customers",
    "relation_request": "distributors#relations",
    "account_create": "installers#customers",
    "account_detail": "installers#account-page",
    "account_edit": "installers#account-page",
    "account_status": "installers#account-inactive",
    "account_pick": "installers#split-dialog",
    "contact_pick": "installers#split-dialog",
    "account_move": "mobotix#account-move",
    "user_create": "installers#colleagues",
    "user_detail": "installers#person",
    "user_edit": "installers#person",
    "user_credentials": "installers#new-credentials",
    "api_token_list": "distributors#api-tokens",
    "api_token_create": "distributors#api-tokens",
    "api_token_revoke": "distributors#api-tokens",
    "api_request_list": "distributors#api-requests",
    "line_item_list": "installers#list",
    "entitlement_detail": "installers#entitlement",
    "line_item_detail": "installers#item",
    "line_item_history": "installers#history",
    "line_item_split": "installers#split",
    "line_item_split_done": "installers#split-done",
    "line_item_undo": "installers#undo",
    "line_item_email": "installers#email",
    "line_item_certificate": "installers#certificate",
    "line_item_replace": "installers#replace-id",
    "line_item_quantity": "mobotix#quantity",
    "line_item_state": "mobotix#state",
    "bulk_split_list": "installers#bulk-split",
    "bulk_split_create": "installers#bulk-split",
    "bulk_split_detail": "installers#bulk-check",
    "bulk_split_discard": "installers#bulk-check",
    "bulk_split_undo": "installers#bulk-undo",
    "line_item_activate": "installers#activate",
    "line_item_activate_many": "installers#activate-many",
    "line_item_activated": "installers#licenses",
    "line_item_activations": "installers#licenses",
    "license_detail": "installers#licenses",
    "device_list": "installers#devices",
    "device_create": "installers#device-add",
    "device_detail": "installers#devices",
    "device_edit": "installers#device-add",
    "device_replace": "installers#replace-device",
    "activation_return": "installers#return",
    "activation_rehost": "installers#rehost",
    "offline_activation": "installers#offline",
    "offline_licenses": "installers#offline",
    "verify_start": "installers#verify",
    "verify": "installers#verify",
    "mail_list": "installers#mails",
    "mail_correct": "installers#mails-failed",
    "mail_send_all_again": "installers#mails-failed",
    "entitlement_create": "mobotix#create-entitlement",
    "entitlement_add_lines": "mobotix#add-lines",
    "entitlement_deploy": "mobotix#deploy",
    "product_list": "mobotix#products",
    "product_create": "mobotix#products",
    "product_edit": "mobotix#products",
}
# What is explained in another way to a tier.
OF_TIER = {
    Tier.DISTRIBUTOR: {
        "related_account_list": "distributors#create-partner",
        "account_create": "distributors#create-partner",
        "line_item_split": "distributors#splits",
        "mail_list": "distributors#mails",
    },
    Tier.MOBOTIX: {
        "related_account_list": "mobotix#accounts",
        "account_create": "mobotix#accounts",
        "line_item_replace": "mobotix#replace",
        "mail_list": "mobotix#mail-queue",
        "mail_send_all_again": "mobotix#mails-again",
        "api_token_list": "mobotix#api-tokens",
        "api_token_create": "mobotix#api-tokens",
    },
}


def section_of(route: str, reader: Reader) -> tuple[str, str] | None:
    """Page and anchor for this reader; None where the handbook has none that the reader may open.

    Where the reader's tier has a section of its own, it is that one.
    """
    own = OF_TIER.get(Tier(reader.account.tier), {}) if isinstance(reader, User) else {}
    place = own.get(route) or HELP.get(route, "")
    page, _hash, anchor = place.partition("#")
    return (page, anchor) if page and may_read(reader, page) else None


def section_url(route: str, reader: Reader) -> str:
    """The address behind the "?" of the page with this route; empty where it has none."""
    place = section_of(route, reader)
    return page_url(*place) if place else ""
