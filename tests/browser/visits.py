"""Every page of the portal, each as somebody sees it who may: empty, full, refused, with every form's errors."""

from collections.abc import Iterator

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.contrib.auth.models import AbstractBaseUser
from django.urls import reverse

from handbook.contents import FIRST_PAGE, MOBOTIX_PAGES, OPEN_PAGES
from tests.browser.visit import NOBODY, Visit, page, sent
from tests.browser.visits_activation import activation_pages
from tests.browser.visits_offline import offline_pages, verify_pages
from tests.browser.visits_tokens import token_pages
from tests.browser.world import World

# Routes that answer with no page of their own, each with its reason. A stale or missing entry fails.
NO_PAGE = {
    "old_login": "leads on to the log-in page",
    "handbook_pdf": "a PDF",
    "handbook_mobotix_pdf": "a PDF",
    "set_language": "a POST, then the page that it came from",
    "relation_decide": "a POST, then the account's page",
    "api_token_take_over": "a POST, then the list",
    "user_mail_send_again": "a POST, then the user's page",
    "mail_send_again": "a POST, then the page that it came from",
    "line_item_go": "leads on to the step of the ticked line item",
    "jwks": "keys for programs",
    "license_download": "a download",
    "device_export": "a download",
    "line_item_licenses": "a download",
    "bulk_split_template": "a download",
    "bulk_split_download": "a download",
    "bulk_split_correct": "a POST, then the bulk split's page",
    "bulk_split_carry_out": "a POST, then the bulk split's page",
    "bulk_split_email": "a POST, then the bulk split's page",
    "mailbox_html": "a mail as it was sent, which no page of ours is, in a sandbox of its own",
    "mailbox_attachment": "a download",
    "api_docs": "Swagger UI, a page of its package: tests/browser/test_api_docs.py",
    "healthz": "JSON for machines",
    "readyz": "JSON for machines",
}
# Pages that no address shows at will.
TEMPLATES = ("400.html", "403_csrf.html", "500.html", "account/account_inactive.html")


def visits(world: World) -> list[Visit]:
    """All of them."""
    return [
        *public_pages(world),
        *handbook_pages(world),
        *own_pages(world),
        *token_pages(world),
        *account_pages(world),
        *user_pages(world),
        *picker_pages(world),
        *list_pages(world),
        *mail_pages(world),
        *item_pages(world),
        *split_pages(world),
        *activation_pages(world),
        *bulk_pages(world),
        *offline_pages(world),
        *verify_pages(world),
        *publisher_pages(world),
        *refusals(world),
    ]


def _reset_address(user: AbstractBaseUser) -> tuple[str, str]:
    return user_pk_to_url_str(user), default_token_generator.make_token(user)


def public_pages(world: World) -> Iterator[Visit]:
    """Without a login."""
    yield page(NOBODY, "account_login")
    yield sent(NOBODY, "account_login", login="nobody@portal.example", password="wrong")
    yield page(NOBODY, "account_reset_password")
    yield sent(NOBODY, "account_reset_password", email="no address")
    yield page(NOBODY, "account_reset_password_done")
    yield page(NOBODY, "account_reset_password_from_key", *_reset_address(world.cast.installer))
    yield page(NOBODY, "account_reset_password_from_key", "abc", "wrong-key")
    yield page(NOBODY, "account_reset_password_from_key_done")
    yield page(NOBODY, "mailbox")
    yield page(NOBODY, "mailbox_message", "demo.log", 0)


def handbook_pages(world: World) -> Iterator[Visit]:
    """Each page of the handbook, once; what a partner and a visitor see of the menu."""
    yield page("lonely", "handbook_index")
    for name in OPEN_PAGES:
        yield page(NOBODY, "handbook_index") if name == FIRST_PAGE else page(NOBODY, "handbook_page", name)
    for name in MOBOTIX_PAGES:
        yield page("mobotix", "handbook_mobotix_page", name)


def own_pages(world: World) -> Iterator[Visit]:
    """Of the reader alone."""
    yield page("newcomer", "account_change_password")
    yield page("distributor", "account_change_password")
    yield sent("distributor", "account_change_password", oldpassword="wrong", password1="a", password2="b")
    yield page("distributor", "account_logout")
    yield page("distributor", "profile_edit")
    yield sent("distributor", "profile_edit")
    for reader in ("mobotix", "distributor", "installer", "installer_viewer", "lonely"):
        yield page(reader, "home")


def account_pages(world: World) -> Iterator[Visit]:
    """Accounts and relations."""
    cast = world.cast
    yield page("installer", "account_list")
    yield page("installer_viewer", "account_list")
    for reader in ("mobotix", "installer", "installer_viewer", "lonely"):
        yield page(reader, "related_account_list")
    yield page("installer", "related_account_list", query={"q": "no such name", "tier": "end_customer"})
    yield page("installer", "account_detail", cast.installer.account_id)
    yield page("installer", "account_detail", cast.customer.pk)
    yield page("installer_viewer", "account_detail", cast.customer.pk)
    yield page("installer", "account_detail", world.no_contacts.pk)
    yield page("mobotix", "account_detail", cast.installer.account_id)
    for kind in ("customer", "partner"):
        yield page("distributor", "account_create", kind)
        yield sent("distributor", "account_create", kind)
    yield page("installer", "account_edit", cast.customer.pk)
    yield sent("installer", "account_edit", cast.customer.pk)
    yield page("installer", "account_status", cast.customer.pk)
    yield page("mobotix", "account_move", cast.customer.pk)
    yield page("mobotix", "account_move", cast.customer.pk, query={"q": "no such name"})
    yield page("mobotix", "account_move", cast.customer.pk, query={"seller": cast.other_installer.account_id})
    yield page(
        "mobotix", "account_move", cast.installer.account_id, query={"seller": cast.mobotix.account_id}
    )
    yield Visit(
        "mobotix",
        "account_move",
        reverse("account_move", args=[cast.customer.pk]) + f"?seller={cast.other_installer.account_id}",
        post={"former_id": ""},
        action=reverse("account_move", args=[cast.customer.pk]),
    )
    yield page("distributor", "relation_request")
    yield sent("distributor", "relation_request", account_id="unknown")


def user_pages(world: World) -> Iterator[Visit]:
    """Users and contacts."""
    cast = world.cast
    yield page("installer", "user_create", cast.installer.account_id)
    yield sent("installer", "user_create", cast.installer.account_id, can_log_in="yes")
    yield page("installer", "user_create", cast.customer.pk)
    yield sent("installer", "user_create", cast.customer.pk)
    yield page("installer", "user_detail", cast.installer.pk)
    yield page("installer", "user_detail", cast.customer_contact.pk)
    yield page("installer", "user_detail", world.newcomer.pk)
    yield page("installer_viewer", "user_detail", cast.installer.pk)
    yield page("installer", "user_edit", cast.installer_viewer.pk)
    yield sent("installer", "user_edit", cast.installer_viewer.pk, can_log_in="no", status="inactive")
    yield page("installer", "user_edit", cast.customer_contact.pk)
    yield page("installer", "user_credentials", cast.installer_viewer.pk)


def picker_pages(world: World) -> Iterator[Visit]:
    """The magnifier's pages."""
    item, customer = world.chain.installed, world.cast.customer
    carried = {"back": reverse("line_item_split", args=[item.pk]), "copies": "3", "key": "k" * 20}
    yield page("installer", "account_pick", query=carried)
    yield page("installer", "account_pick", query=carried | {"q": "no such name"})
    yield page("installer", "account_pick", query=carried | {"none": 1})
    yield page("distributor", "account_pick", query={"tier": "installer"})
    yield page("installer", "contact_pick", query=carried | {"account": customer.pk})
    yield page("installer", "contact_pick", query=carried | {"account": world.no_contacts.pk})


def mistyped(activation_id: str) -> str:
    """With a wrong last character."""
    return activation_id[:-1] + ("2" if activation_id[-1] != "2" else "3")


def list_pages(world: World) -> Iterator[Visit]:
    """List Entitlements, and entitlements."""
    for reader in ("mobotix", "distributor", "installer", "installer_viewer", "lonely"):
        yield page(reader, "line_item_list")
    yield page("distributor", "line_item_list", query={"q": "no such name", "state": "deployed"})
    yield page("distributor", "line_item_list", query={"q": "a"})
    yield Visit(
        "distributor",
        "line_item_search",
        reverse("line_item_list"),
        post={"q": mistyped(world.chain.issued.activation_id)},
        action=reverse("line_item_search"),
    )
    for reader, item in (("mobotix", world.draft), ("distributor", world.chain.issued)):
        yield page(reader, "entitlement_detail", item.entitlement_id)
    yield page("installer_viewer", "entitlement_detail", world.chain.installed.entitlement_id)


def mail_pages(world: World) -> Iterator[Visit]:
    """The list of mails."""
    for reader in ("mobotix", "distributor", "installer", "installer_viewer", "lonely"):
        yield page(reader, "mail_list")
    yield page(
        "installer", "mail_list", query={"q": "no such name", "status": "sent", "item": world.chain.served.pk}
    )
    yield page("installer", "mail_list", query={"q": "a", "since": "yesterday"})
    yield page("installer", "mail_send_all_again")
    yield page("lonely", "mail_send_all_again")
    yield page("installer", "mail_correct", world.refused_credentials.pk)


def item_pages(world: World) -> Iterator[Visit]:
    """One line item and what can be done with it."""
    chain = world.chain
    for reader in ("mobotix", "distributor", "installer", "installer_viewer"):
        yield page(reader, "line_item_detail", chain.installed.pk)
        yield page(reader, "line_item_history", chain.installed.pk)
    yield page("distributor", "line_item_history", chain.served.pk)
    yield page("mobotix", "line_item_history", chain.issued.pk, query={"after": "m9999"})
    yield page("distributor", "line_item_detail", chain.served.pk)
    yield page("installer", "line_item_detail", chain.served.pk)
    yield page("distributor", "line_item_detail", world.expired.pk)
    yield page("installer", "line_item_email", chain.served.pk)
    yield sent("installer", "line_item_email", chain.served.pk, recipients="no address, another")
    yield page("distributor", "line_item_email", chain.issued.pk)
    yield page("distributor", "line_item_email", world.expired.pk)
    yield page("distributor", "line_item_undo", chain.installed.pk)
    yield sent("distributor", "line_item_undo", chain.installed.pk, copies="1.5")
    yield page("mobotix", "line_item_undo", chain.installed.pk)
    yield page("installer", "line_item_undo", chain.served.pk)
    yield page("distributor", "line_item_undo", world.obsolete.pk)
    yield page("distributor", "line_item_replace", chain.installed.pk)
    yield sent("distributor", "line_item_replace", chain.installed.pk)
    yield page("mobotix", "line_item_replace", world.obsolete.pk)
    yield page("mobotix", "line_item_quantity", chain.issued.pk)
    lower = {"correction": "lower", "copies": "5", "reason": "Agreed"}
    yield sent("mobotix", "line_item_quantity", chain.served.pk, **lower, step="preview")
    yield sent(
        "mobotix", "line_item_quantity", chain.served.pk, correction="lower", copies="6", step="change"
    )
    yield page("mobotix", "line_item_state", chain.issued.pk)
    yield sent("mobotix", "line_item_state", chain.issued.pk, state="obsolete")
    yield page("mobotix", "line_item_state", world.obsolete.pk)
    yield page("distributor", "line_item_certificate", world.obsolete.pk, status=409)


def split_pages(world: World) -> Iterator[Visit]:
    """Split Entitlement Line Item, its summary and its result."""
    cast, item = world.cast, world.chain.installed
    chosen = {"account": cast.customer.pk, "contact": cast.customer_contact.pk}
    order = {"target": cast.customer.pk, "contact": cast.customer_contact.pk, "copies": "2"}
    yield page("installer", "line_item_split", item.pk)
    yield page("installer", "line_item_split", item.pk, query=chosen | {"copies": "3"})
    yield sent("installer", "line_item_split", item.pk, step="summary", copies="1.5")
    yield sent("installer", "line_item_split", item.pk, step="summary", **order)
    yield page("distributor", "line_item_split", world.expired.pk)
    yield page("installer", "line_item_split_done", world.chain.served.pk)
    yield page("distributor", "line_item_split_done", item.pk)


def bulk_pages(world: World) -> Iterator[Visit]:
    """Bulk split in each of its states."""
    item, bulks = world.chain.installed, world.bulks
    new = reverse("bulk_split_create", query={"item": item.pk})
    yield page("installer", "bulk_split_create", query={"item": item.pk})
    yield page("mobotix", "bulk_split_create", query={"item": item.pk}, status=403)
    key = {"key": "k" * 20, "lines-total": 2, "lines-0-account_id": "X", "lines-1-country": "DE"}
    for way in ("table", "file", "paste"):
        yield Visit("installer", "bulk_split_create", new, post=key | {"way": way, "lines-total": 0})
    yield Visit("installer", "bulk_split_create", new, post=key | {"step": "add"})
    for name in ("right", "wrong", "too_much", "done", "undone", "running", "failed", "discarded"):
        yield page("installer", "bulk_split_detail", bulks[name].pk)
    yield page("installer", "bulk_split_create", query={"again": bulks["wrong"].pk})
    yield page("installer_viewer", "bulk_split_detail", bulks["wrong"].pk)
    yield page("mobotix", "bulk_split_detail", bulks["done"].pk)
    for reader in ("mobotix", "installer", "installer_viewer", "lonely"):
        yield page(reader, "bulk_split_list")
    yield page("installer", "bulk_split_discard", bulks["wrong"].pk)
    yield page("installer", "bulk_split_discard", bulks["done"].pk)
    yield page("installer", "bulk_split_undo", bulks["done"].pk)
    yield page("installer", "bulk_split_undo", bulks["undone"].pk)
    yield page("distributor", "bulk_split_undo", bulks["stuck"].pk)
    yield page("mobotix", "bulk_split_undo", bulks["done"].pk)
    yield sent("mobotix", "bulk_split_undo", bulks["done"].pk)
    yield page("other_installer", "bulk_split_detail", bulks["done"].pk, status=404)


def publisher_pages(world: World) -> Iterator[Visit]:
    """MOBOTIX's own."""
    cast, draft = world.cast, world.draft
    no_line = {"step": "save", "lines-TOTAL_FORMS": "1", "lines-INITIAL_FORMS": "0"}
    yield page("mobotix", "product_list")
    yield page("mobotix", "product_list", query={"q": "no such product"})
    yield page("mobotix", "product_create")
    yield sent("mobotix", "product_create")
    yield page("mobotix", "product_edit", cast.product.pk)
    yield page("mobotix", "entitlement_create")
    yield page(
        "mobotix",
        "entitlement_create",
        query={"account": cast.distributor.account_id, "contact": cast.distributor.pk},
    )
    yield sent("mobotix", "entitlement_create", **no_line)
    yield sent("mobotix", "entitlement_create", **no_line | {"step": "add", "lines-0-quantity": "nothing"})
    yield page("mobotix", "entitlement_add_lines", draft.entitlement_id)
    yield sent("mobotix", "entitlement_add_lines", draft.entitlement_id, **no_line)
    yield page("mobotix", "entitlement_deploy", draft.entitlement_id)
    yield page("mobotix", "entitlement_deploy", world.chain.issued.entitlement_id)


def refusals(world: World) -> Iterator[Visit]:
    """403, and 404 for what is not there or another's."""
    yield page("installer_viewer", "line_item_split", world.chain.installed.pk, status=403)
    yield page("other_installer", "line_item_detail", world.chain.installed.pk, status=404)
    yield Visit(NOBODY, "", "/nothing/here/", status=404)
