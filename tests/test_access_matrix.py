"""U3, E12, E13: every address × who asks × method, and what each gets. An address that is not in here fails the test.

The rows are about the installer's account, its view-only user and its line item (sold by the distributor).
Columns, in this order:

anonymous · MOBOTIX admin · admin and viewer of: the own account, the seller's, a sibling's, a stranger's
"""

from copy import deepcopy
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.http import HttpResponse
from django.urls import URLPattern, reverse
from django.utils import timezone

from accounts.models import RelationStatus
from entitlements.activation.offline.pages import license_link
from entitlements.mailing.services.queue import queue_activation_mail
from notifications.models import Failure, Mail, Status
from tests.architecture.test_stamps import patterns
from tests.entitlements.activation.devices import put_on
from tests.entitlements.bulk.making import line_for, split_bulk
from tests.factories import Cast, issue_item, make_cast, make_chain, make_product, make_relation, make_token
from tests.following import FollowingClient

pytestmark = pytest.mark.django_db

COLUMNS = (
    "anonymous",
    "mobotix",
    "installer",
    "installer_viewer",
    "distributor",
    "distributor_viewer",
    "sibling_installer",
    "sibling_installer_viewer",
    "other_installer",
    "other_installer_viewer",
)
# One line for each address and method. 302 for the anonymous leads to the log-in page; a POST without fields gives 200
# (the form again, with its errors) or 302 (done). The role is asked before the row: a viewer gets 403.
#                                     anon  MX   own ownV sell selV sibl sibV str  strV
MATRIX = """
account_login                    GET  200  302  302  302  302  302  302  302  302  302
account_login                    POST 200  302  302  302  302  302  302  302  302  302
old_login                        GET  301  301  301  301  301  301  301  301  301  301
old_login                        POST 301  301  301  301  301  301  301  301  301  301
account_logout                   GET  302  200  200  200  200  200  200  200  200  200
account_logout                   POST 302  302  302  302  302  302  302  302  302  302
account_change_password          GET  302  200  200  200  200  200  200  200  200  200
account_change_password          POST 302  200  200  200  200  200  200  200  200  200
account_reset_password           GET  200  200  200  200  200  200  200  200  200  200
account_reset_password           POST 200  200  200  200  200  200  200  200  200  200
account_reset_password_done      GET  200  200  200  200  200  200  200  200  200  200
account_reset_password_done      POST 405  405  405  405  405  405  405  405  405  405
account_reset_password_from_key  GET  200  200  200  200  200  200  200  200  200  200
account_reset_password_from_key  POST 200  200  200  200  200  200  200  200  200  200
account_reset_password_from_key_done GET  200  200  200  200  200  200  200  200  200  200
account_reset_password_from_key_done POST 405  405  405  405  405  405  405  405  405  405
set_language                     GET  405  405  405  405  405  405  405  405  405  405
set_language                     POST 302  302  302  302  302  302  302  302  302  302
profile_edit                     GET  302  200  200  200  200  200  200  200  200  200
profile_edit                     POST 302  200  200  200  200  200  200  200  200  200
account_list                     GET  302  200  200  200  200  200  200  200  200  200
account_list                     POST 302  405  405  405  405  405  405  405  405  405
related_account_list             GET  302  200  200  200  200  200  200  200  200  200
related_account_list             POST 302  405  405  405  405  405  405  405  405  405
relation_request                 GET  302  200  403  403  200  403  403  403  403  403
relation_request                 POST 302  200  403  403  200  403  403  403  403  403
relation_decide                  GET  302  405  405  403  405  403  405  403  405  403
relation_decide                  POST 302  404  302  403  404  403  404  403  404  403
api_token_list                   GET  302  200  200  403  200  403  200  403  200  403
api_token_list                   POST 302  405  405  403  405  403  405  403  405  403
api_token_create                 GET  302  200  200  403  200  403  200  403  200  403
api_token_create                 POST 302  200  200  403  200  403  200  403  200  403
api_token_revoke                 GET  302  404  200  403  404  403  404  403  404  403
api_token_revoke                 POST 302  404  200  403  404  403  404  403  404  403
api_token_take_over              GET  302  405  405  403  405  403  405  403  405  403
api_token_take_over              POST 302  404  302  403  404  403  404  403  404  403
api_request_list                 GET  302  200  200  403  200  403  200  403  200  403
api_request_list                 POST 302  405  405  403  405  403  405  403  405  403
account_pick                     GET  302  200  200  403  200  403  200  403  200  403
account_pick                     POST 302  405  405  403  405  403  405  403  405  403
contact_pick                     GET  302  302  302  403  302  403  302  403  302  403
contact_pick                     POST 302  405  405  403  405  403  405  403  405  403
account_create                   GET  302  200  200  403  200  403  200  403  200  403
account_create                   POST 302  200  200  403  200  403  200  403  200  403
account_detail                   GET  302  200  200  200  200  200  404  404  404  404
account_detail                   POST 302  405  405  405  405  405  405  405  405  405
account_edit                     GET  302  200  200  403  404  403  404  403  404  403
account_edit                     POST 302  200  200  403  404  403  404  403  404  403
account_status                   GET  302  200  404  403  404  403  404  403  404  403
account_status                   POST 302  200  404  403  404  403  404  403  404  403
user_create                      GET  302  200  200  403  404  403  404  403  404  403
user_create                      POST 302  200  200  403  404  403  404  403  404  403
user_detail                      GET  302  200  200  200  200  200  404  404  404  404
user_detail                      POST 302  405  405  405  405  405  405  405  405  405
user_edit                        GET  302  200  200  403  404  403  404  403  404  403
user_edit                        POST 302  200  200  403  404  403  404  403  404  403
user_credentials                 GET  302  200  200  403  404  403  404  403  404  403
user_credentials                 POST 302  200  200  403  404  403  404  403  404  403
user_mail_send_again             GET  302  405  405  403  405  403  405  403  405  403
user_mail_send_again             POST 302  302  302  403  404  403  404  403  404  403
home                             GET  302  200  200  200  200  200  200  200  200  200
home                             POST 302  405  405  405  405  405  405  405  405  405
line_item_list                   GET  302  200  200  200  200  200  200  200  200  200
line_item_list                   POST 302  405  405  405  405  405  405  405  405  405
line_item_search                 GET  302  302  302  302  302  302  302  302  302  302
line_item_search                 POST 302  302  302  302  302  302  302  302  302  302
line_item_go                     GET  302  302  302  302  302  302  302  302  302  302
line_item_go                     POST 302  405  405  405  405  405  405  405  405  405
line_item_detail                 GET  302  200  200  200  200  200  404  404  404  404
line_item_detail                 POST 302  405  405  405  405  405  405  405  405  405
line_item_history                GET  302  200  200  200  200  200  404  404  404  404
line_item_history                POST 302  405  405  405  405  405  405  405  405  405
line_item_split                  GET  302  403  200  403  403  403  404  403  404  403
line_item_split                  POST 302  403  200  403  403  403  404  403  404  403
line_item_split_done             GET  302  200  403  403  200  403  404  403  404  403
line_item_split_done             POST 302  405  405  403  405  403  405  403  405  403
line_item_undo                   GET  302  200  200  403  200  403  404  403  404  403
line_item_undo                   POST 302  200  200  403  200  403  404  403  404  403
line_item_email                  GET  302  200  200  403  200  403  404  403  404  403
line_item_email                  POST 302  200  403  403  200  403  404  403  404  403
line_item_certificate            GET  302  200  200  200  200  200  404  404  404  404
line_item_certificate            POST 302  405  405  405  405  405  405  405  405  405
line_item_activate               GET  302  200  200  403  403  403  404  403  404  403
line_item_activate               POST 302  200  200  403  403  403  404  403  404  403
line_item_activate_many          GET  302  200  200  403  403  403  404  403  404  403
line_item_activate_many          POST 302  200  200  403  403  403  404  403  404  403
line_item_activated              GET  302  200  200  200  200  200  404  404  404  404
line_item_activated              POST 302  405  405  405  405  405  405  405  405  405
line_item_activations            GET  302  200  200  200  200  200  404  404  404  404
line_item_activations            POST 302  405  405  405  405  405  405  405  405  405
line_item_licenses               GET  302  200  200  200  200  200  404  404  404  404
line_item_licenses               POST 302  405  405  405  405  405  405  405  405  405
license_detail                   GET  302  200  200  200  200  200  404  404  404  404
license_detail                   POST 302  405  405  405  405  405  405  405  405  405
license_download                 GET  302  200  200  200  200  200  404  404  404  404
license_download                 POST 302  405  405  405  405  405  405  405  405  405
device_list                      GET  302  200  200  200  200  200  200  200  200  200
device_list                      POST 302  405  405  405  405  405  405  405  405  405
device_export                    GET  302  200  200  200  200  200  200  200  200  200
device_export                    POST 302  405  405  405  405  405  405  405  405  405
device_create                    GET  302  200  200  403  200  403  200  403  200  403
device_create                    POST 302  200  200  403  200  403  200  403  200  403
device_detail                    GET  302  200  200  200  404  404  404  404  404  404
device_detail                    POST 302  405  405  405  405  405  405  405  405  405
device_edit                      GET  302  200  200  403  404  403  404  403  404  403
device_edit                      POST 302  200  200  403  404  403  404  403  404  403
device_replace                   GET  302  200  200  403  404  403  404  403  404  403
device_replace                   POST 302  200  200  403  404  403  404  403  404  403
activation_return                GET  302  200  200  403  403  403  404  403  404  403
activation_return                POST 302  200  200  403  403  403  404  403  404  403
activation_rehost                GET  302  200  200  403  403  403  404  403  404  403
activation_rehost                POST 302  200  200  403  403  403  404  403  404  403
account_move                     GET  302  200  403  403  403  403  403  403  403  403
account_move                     POST 302  200  403  403  403  403  403  403  403  403
line_item_replace                GET  302  200  403  403  200  403  404  403  404  403
line_item_replace                POST 302  200  403  403  200  403  404  403  404  403
line_item_quantity               GET  302  200  403  403  403  403  403  403  403  403
line_item_quantity               POST 302  200  403  403  403  403  403  403  403  403
line_item_state                  GET  302  200  403  403  403  403  403  403  403  403
line_item_state                  POST 302  200  403  403  403  403  403  403  403  403
entitlement_create               GET  302  200  403  403  403  403  403  403  403  403
entitlement_create               POST 302  200  403  403  403  403  403  403  403  403
entitlement_detail               GET  302  200  200  200  200  200  404  404  404  404
entitlement_detail               POST 302  405  405  405  405  405  405  405  405  405
entitlement_add_lines            GET  302  200  403  403  403  403  403  403  403  403
entitlement_add_lines            POST 302  200  403  403  403  403  403  403  403  403
entitlement_deploy               GET  302  200  403  403  403  403  403  403  403  403
entitlement_deploy               POST 302  200  403  403  403  403  403  403  403  403
bulk_split_list                  GET  302  200  200  200  200  200  200  200  200  200
bulk_split_list                  POST 302  405  405  405  405  405  405  405  405  405
bulk_split_create                GET  302  302  302  403  302  403  302  403  302  403
bulk_split_create                POST 302  302  302  403  302  403  302  403  302  403
bulk_split_template              GET  302  200  200  403  200  403  200  403  200  403
bulk_split_template              POST 302  405  405  403  405  403  405  403  405  403
bulk_split_detail                GET  302  200  200  200  404  404  404  404  404  404
bulk_split_detail                POST 302  405  405  405  405  405  405  405  405  405
bulk_split_correct               GET  302  302  302  403  302  403  302  403  302  403
bulk_split_correct               POST 302  302  302  403  404  403  404  403  404  403
bulk_split_carry_out             GET  302  405  405  403  405  403  405  403  405  403
bulk_split_carry_out             POST 302  302  302  403  404  403  404  403  404  403
bulk_split_download              GET  302  200  200  200  404  404  404  404  404  404
bulk_split_download              POST 302  405  405  405  405  405  405  405  405  405
bulk_split_email                 GET  302  405  405  403  405  403  405  403  405  403
bulk_split_email                 POST 302  302  302  403  404  403  404  403  404  403
bulk_split_discard               GET  302  404  200  403  404  403  404  403  404  403
bulk_split_discard               POST 302  404  200  403  404  403  404  403  404  403
bulk_split_undo                  GET  302  200  200  403  404  403  404  403  404  403
bulk_split_undo                  POST 302  200  200  403  404  403  404  403  404  403
product_list                     GET  302  200  403  403  403  403  403  403  403  403
product_list                     POST 302  405  403  403  403  403  403  403  403  403
product_create                   GET  302  200  403  403  403  403  403  403  403  403
product_create                   POST 302  200  403  403  403  403  403  403  403  403
product_edit                     GET  302  200  403  403  403  403  403  403  403  403
product_edit                     POST 302  200  403  403  403  403  403  403  403  403
mail_list                        GET  302  200  200  200  200  200  200  200  200  200
mail_list                        POST 302  405  405  405  405  405  405  405  405  405
mail_send_all_again              GET  302  200  200  403  200  403  200  403  200  403
mail_send_all_again              POST 302  200  200  403  200  403  200  403  200  403
mail_send_again                  GET  302  405  405  403  405  403  405  403  405  403
mail_send_again                  POST 302  302  403  403  302  403  404  403  404  403
mail_correct                     GET  302  200  200  403  403  403  404  403  404  403
mail_correct                     POST 302  200  200  403  403  403  404  403  404  403
offline_activation               GET  200  200  200  403  200  403  200  403  200  403
offline_activation               POST 200  200  200  403  200  403  200  403  200  403
offline_licenses                 GET  200  200  200  200  200  200  200  200  200  200
offline_licenses                 POST 405  405  405  405  405  405  405  405  405  405
verify_start                     GET  200  200  200  200  200  200  200  200  200  200
verify_start                     POST 200  200  200  200  200  200  200  200  200  200
verify                           GET  200  200  200  200  200  200  200  200  200  200
verify                           POST 405  405  405  405  405  405  405  405  405  405
handbook_index                   GET  200  200  200  200  200  200  200  200  200  200
handbook_index                   POST 405  405  405  405  405  405  405  405  405  405
handbook_page                    GET  200  200  200  200  200  200  200  200  200  200
handbook_page                    POST 405  405  405  405  405  405  405  405  405  405
handbook_mobotix_page            GET  302  200  403  403  403  403  403  403  403  403
handbook_mobotix_page            POST 302  405  403  403  403  403  403  403  403  403
handbook_pdf                     GET  200  200  200  200  200  200  200  200  200  200
handbook_pdf                     POST 405  405  405  405  405  405  405  405  405  405
handbook_mobotix_pdf             GET  302  200  403  403  403  403  403  403  403  403
handbook_mobotix_pdf             POST 302  405  403  403  403  403  403  403  403  403
api_docs                         GET  200  200  200  200  200  200  200  200  200  200
api_docs                         POST 405  405  405  405  405  405  405  405  405  405
healthz                          GET  200  200  200  200  200  200  200  200  200  200
healthz                          POST 405  405  405  405  405  405  405  405  405  405
readyz                           GET  200  200  200  200  200  200  200  200  200  200
readyz                           POST 405  405  405  405  405  405  405  405  405  405
jwks                             GET  200  200  200  200  200  200  200  200  200  200
jwks                             POST 405  405  405  405  405  405  405  405  405  405
mailbox                          GET  404  404  404  404  404  404  404  404  404  404
mailbox                          POST 404  404  404  404  404  404  404  404  404  404
mailbox_message                  GET  404  404  404  404  404  404  404  404  404  404
mailbox_message                  POST 404  404  404  404  404  404  404  404  404  404
mailbox_html                     GET  404  404  404  404  404  404  404  404  404  404
mailbox_html                     POST 404  404  404  404  404  404  404  404  404  404
mailbox_attachment               GET  404  404  404  404  404  404  404  404  404  404
mailbox_attachment               POST 404  404  404  404  404  404  404  404  404  404
"""
LINES = [line.split() for line in MATRIX.strip().splitlines()]


def pages() -> list[URLPattern]:
    """All routes but those of the API, whose operations have a matrix of their own (tests/entitlements/api)."""
    return [pattern for pattern in patterns() if not hasattr(pattern.callback, "of_api")]


class World:
    """The cast, and the rows that the addresses are about."""

    def __init__(self) -> None:
        self.cast: Cast = make_cast()
        chain = make_chain(self.cast)
        self.item = chain.installed
        self.account = self.cast.installer.account
        self.account.taken_over_at = timezone.now()  # U4: the seller manages its users no more
        self.account.save()
        self.draft = issue_item(self.cast, self.account, deploy=False)
        self.relation = make_relation(
            self.cast.other_distributor.account, self.account, RelationStatus.REQUESTED
        )
        self.mail = self.failed_mail()
        self.user_mail = self.failed_mail()
        self.cast.installer_viewer.mails.add(self.user_mail)
        self.bulk = split_bulk(self.cast.installer, [self.item], [line_for(self.cast.customer_contact)])
        self.license = put_on(self.cast, self.item)
        self.token = make_token(self.cast.installer)
        self.arguments: dict[str, list[Any]] = self.arguments_by_name()

    def failed_mail(self) -> Mail:
        """A mail of the item that can be sent again."""
        (mail,) = queue_activation_mail(
            items=[self.item],
            recipients=["buyer@example.com"],
            actor=self.cast.distributor,
            certificate=False,
        )
        mail.status, mail.failure = Status.FAILED, Failure.REFUSED
        mail.save()
        return mail

    def arguments_by_name(self) -> dict[str, list[Any]]:
        """What stands in the address of each route that has a variable part."""
        account, user, item = [self.account.pk], [self.cast.installer_viewer.pk], [self.item.pk]
        named: dict[str, list[Any]] = {
            "account_create": ["customer"],
            "relation_decide": [self.relation.pk],
            "user_mail_send_again": [*user, self.user_mail.pk],
            "account_reset_password_from_key": ["1", "set-password"],
            "entitlement_detail": [self.item.entitlement_id],
            "entitlement_add_lines": [self.draft.entitlement_id],
            "entitlement_deploy": [self.draft.entitlement_id],
            "product_edit": [make_product().pk],
            "mail_send_again": [self.mail.pk],
            "mail_correct": [self.user_mail.pk],
            "api_token_revoke": [self.token.pk],
            "api_token_take_over": [self.token.pk],
            "verify": [self.item.verification_code],
            "line_item_go": ["split"],
            "license_detail": [self.license.license_id],
            "license_download": [self.license.license_id],
            "offline_licenses": [license_link([self.license])],
            "handbook_page": ["installers"],
            "handbook_mobotix_page": ["operators"],
            "handbook_pdf": ["installers"],
            "handbook_mobotix_pdf": ["operators"],
            "bulk_split_template": ["csv"],
            "bulk_split_download": [self.bulk.pk, "csv"],
            "mailbox_message": ["a.log", 0],
            "mailbox_html": ["a.log", 0],
            "mailbox_attachment": ["a.log", 0, 0],
        }
        bulk = [self.bulk.pk]
        device = [self.license.activation.device_id]
        prefixes = (
            ("account_", account),
            ("user_", user),
            ("line_item_", item),
            ("bulk_split_", bulk),
            ("device_", device),
            ("activation_", [self.license.activation_id]),
        )
        for prefix, values in prefixes:
            for pattern in patterns():
                if (pattern.name or "").startswith(prefix) and pattern.pattern.regex.groups == 1:
                    named.setdefault(pattern.name or "", values)
        return named | {"user_create": account}


class Visitor:
    """One person of the world with a browser of their own; what a request changes is taken back."""

    def __init__(self, world: World, column: str) -> None:
        self.world, self.client = world, FollowingClient()
        if column != "anonymous":
            self.client.force_login(getattr(world.cast, column))
        self.cookies = deepcopy(self.client.cookies)

    def ask(self, name: str, method: str) -> HttpResponse:
        """The answer; the next request finds world and session as this one did."""
        before = transaction.savepoint()  # no atomic block: the services' own are durable
        response = self.client.generic(method, reverse(name, args=self.world.arguments.get(name, [])))
        transaction.savepoint_rollback(before)
        self.client.cookies = deepcopy(self.cookies)
        return response


@pytest.mark.slow
@pytest.mark.parametrize("column", COLUMNS)
def test_who_gets_what(column: str) -> None:
    """The status that each person gets at each address (U3, E12, E13). One world a person: it takes longest."""
    visitor = Visitor(World(), column)
    place = COLUMNS.index(column)
    expected = {(name, method): statuses[place] for name, method, *statuses in LINES}
    got = {}
    for name, method in expected:
        cache.clear()  # no limit is reached
        got[name, method] = str(visitor.ask(name, method).status_code)
    assert {asked: got[asked] for asked in got if got[asked] != expected[asked]} == {}


def test_the_anonymous_are_sent_to_the_log_in_page() -> None:
    """Whatever is not @public leads to the log-in page, and back after it (U8)."""
    visitor = Visitor(World(), "anonymous")
    names = [page.name or "" for page in pages() if not hasattr(page.callback, "public_reason")]
    led_to = {name: visitor.ask(name, "GET").headers.get("Location", "") for name in names}
    login = reverse("account_login") + "?next="
    assert {name: address for name, address in led_to.items() if not address.startswith(login)} == {}
    assert names


def test_no_address_is_missing() -> None:
    """A new route must say here who gets what."""
    assert {(line[0], line[1]) for line in LINES} == {(p.name, m) for p in pages() for m in ("GET", "POST")}
    assert {len(line) for line in LINES} == {2 + len(COLUMNS)}
