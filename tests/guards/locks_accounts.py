"""The table of locks, accounts and mails: for each the race that only it decides rightly."""

from django.db.models import QuerySet

from accounts.models import Account, AccountStatus, ApiToken, RelationStatus, Role, Tier, User
from accounts.services.accounts import (
    _create_account,
    create_account,
    set_account_status,
    update_account,
)
from accounts.services.api_tokens import create_api_token, make_api_token, new_secret
from accounts.services.credentials import make_temporary_password, send_credentials
from accounts.services.relations import NAMESAKE, decide_relation, request_relation
from accounts.services.users import _update_user, update_profile, update_user
from entitlements.bulk.services.lines import BulkLine
from entitlements.orders.services.transfer import transfer_account
from mxportal.shared.forms import new_key
from notifications.delivery import _claim
from notifications.models import Failure, Mail, Status
from notifications.services import MailDraft, queue_mails, retry_failed, retry_mail
from tests.entitlements.bulk.making import split_bulk
from tests.factories import Cast, issue_item, make_account, make_relation, make_user
from tests.guards.races import Race, inside, proves, refused

ACCOUNTS = "accounts.services.accounts"
CREDENTIALS = "accounts.services.credentials"
RELATIONS = "accounts.services.relations"
TRANSFERS = "accounts.services.transfers"
USERS = "accounts.services.users"
MAILS = "notifications.services"
DELIVERY = "notifications.delivery"


def now(row: QuerySet, **values: object) -> bool:
    """Whether the row has these values."""
    return row.filter(**values).exists()


def namesake(actor: User, name: str = "Twin") -> None:
    """Somebody else of the same account has just made a buyer of this name."""
    fields = {"name": name, "country": "DE"}
    inside(_create_account)(actor=actor, tier=Tier.END_CUSTOMER, key=new_key(), fields=fields)


def make_seller(cast: Cast) -> User:
    """A distributor that nothing has happened to."""
    return make_user(make_account(Tier.DISTRIBUTOR, "Seller", sellers=(cast.mobotix.account,)))


@proves(f"{ACCOUNTS}._create_account")
def same_name_at_once(cast: Cast) -> Race:
    """A3: a seller's buyers have different names."""
    seller = make_seller(cast)
    return Race(
        other=lambda: namesake(seller),
        ours=lambda: create_account(actor=seller, tier=Tier.INSTALLER, name="twin", key=new_key()),
        right=refused("name"),
    )


@proves("accounts.services.api_tokens.create_api_token")
def token_made_twice(cast: Cast) -> Race:
    """E7: a double click; both get the same token."""
    asked = {"actor": cast.installer, "key": new_key(), "name": "ERP", "scopes": ["read"]}
    return Race(
        other=lambda: inside(create_api_token)(secret=new_secret(), **asked),
        ours=lambda: create_api_token(secret=new_secret(), **asked),
        right=lambda outcome: isinstance(outcome, ApiToken),
    )


@proves("accounts.services.api_tokens.make_api_token")
def token_for_who_was_just_demoted(cast: Cast) -> Race:
    """P1: it would be left out of the suspension, and come to life with the next promotion."""
    user = make_user(cast.installer.account)
    asked = {"email": user.email, "secret": new_secret(), "name": "ERP", "scopes": ["read"], "days": 9}
    demotion = {"actor": cast.mobotix, "user_id": user.pk, "fields": {"role": Role.PORTAL_USER}}
    return Race(
        other=lambda: inside(_update_user)(**demotion),
        ours=lambda: make_api_token(**asked),
        right=refused(),
    )


@proves(f"{ACCOUNTS}.update_account")
def renamed_to_a_new_name(cast: Cast) -> Race:
    """A3: the same where a buyer is renamed."""
    seller = make_seller(cast)
    buyer = make_account(Tier.END_CUSTOMER, "Buyer", sellers=(seller.account,))
    return Race(
        other=lambda: namesake(seller),
        ours=lambda: update_account(actor=seller, account_id=buyer.pk, name="Twin"),
        right=refused("name"),
    )


@proves(f"{ACCOUNTS}.update_account 2")
def edited_when_just_inactive(cast: Cast) -> Race:
    """A5: an account that has just been set inactive is not active again because its city is corrected."""
    account = make_seller(cast).account
    row = Account.objects.filter(pk=account.pk)
    inactive = {"actor": cast.mobotix, "account_id": account.pk, "status": AccountStatus.INACTIVE}
    return Race(
        other=lambda: inside(set_account_status)(**inactive),
        ours=lambda: update_account(actor=cast.mobotix, account_id=account.pk, city="Langmeil"),
        right=lambda outcome: now(row, status="inactive", city="Langmeil"),
    )


@proves(f"{ACCOUNTS}.set_account_status")
def edited_while_set_inactive(cast: Cast) -> Race:
    """A5: the edit is not undone by it."""
    account = make_seller(cast).account
    row = Account.objects.filter(pk=account.pk)
    inactive = {"actor": cast.mobotix, "account_id": account.pk, "status": AccountStatus.INACTIVE}
    return Race(
        other=lambda: inside(update_account)(actor=cast.mobotix, account_id=account.pk, phone="110"),
        ours=lambda: set_account_status(**inactive),
        right=lambda outcome: now(row, phone="110", status="inactive"),
    )


@proves("accounts.services.customers.lock_seller")
def new_customer_of_a_new_name(cast: Cast) -> Race:
    """A3: the same for the customers that a bulk split brings."""
    seller = make_seller(cast)
    source = issue_item(cast, seller.account)
    contact = {"email": "a@twin.example", "first_name": "A", "last_name": "B"}
    line = BulkLine(account_id="", amount="1", account_name="Twin", country="DE", **contact)
    return Race(
        other=lambda: namesake(seller),
        ours=lambda: split_bulk(seller, [source], [line], create_customers=True),
        right=refused("lines"),
    )


@proves(f"{RELATIONS}._find_partner")
def two_requests_at_once(cast: Cast) -> Race:
    """A2: a pair has one relation."""
    request = {"actor": make_seller(cast), "account_id": cast.installer.account.account_id}
    return Race(
        other=lambda: inside(request_relation)(**request),
        ours=lambda: request_relation(**request),
        right=refused("account_id"),
    )


@proves(f"{RELATIONS}.decide_relation")
def accepted_beside_a_namesake(cast: Cast) -> Race:
    """A3: a seller that gets a second buyer of a name is told."""
    seller, buyer = make_seller(cast), cast.installer.account
    relation = make_relation(seller.account, buyer, RelationStatus.REQUESTED)
    return Race(
        other=lambda: namesake(seller, buyer.name),
        ours=lambda: decide_relation(actor=cast.installer, relation_id=relation.pk, accept=True),
        right=lambda outcome: Mail.objects.filter(kind=NAMESAKE, context__user=seller.pk).exists(),
    )


def move_of(cast: Cast, account: Account, former: User, seller: User) -> Account:
    """A7."""
    parties = {"account_id": account.pk, "former_id": former.account_id, "seller_id": seller.account_id}
    return transfer_account(actor=cast.mobotix, key=new_key(), reason="Because.", **parties)


@proves(f"{TRANSFERS}.lock_transfer")
def moved_beside_a_namesake(cast: Cast) -> Race:
    """A3, A7: the new seller makes a buyer of the name at the same time."""
    seller = make_seller(cast)
    buyer = make_account(Tier.END_CUSTOMER, "Mover", sellers=(cast.installer.account,))
    return Race(
        other=lambda: namesake(seller, buyer.name),
        ours=lambda: move_of(cast, buyer, cast.installer, seller),
        right=refused("seller"),
    )


@proves(f"{TRANSFERS}.lock_transfer 2")
def moved_to_who_asks(cast: Cast) -> Race:
    """A2, A7: a pair has one relation, also where the new seller asks for it at the same time."""
    former, seller = make_seller(cast), make_seller(cast)
    buyer = make_account(Tier.INSTALLER, "Mover", sellers=(former.account,))
    return Race(
        other=lambda: inside(request_relation)(actor=seller, account_id=buyer.account_id),
        ours=lambda: move_of(cast, buyer, former, seller),
        right=lambda outcome: outcome == buyer,
    )


@proves(f"{USERS}._lock_account")
def two_admins_go(cast: Cast) -> Race:
    """U7: an account keeps an admin."""
    first = make_seller(cast)
    second = make_user(first.account)
    no_admin = {"role": Role.PORTAL_USER}
    return Race(
        other=lambda: inside(_update_user)(actor=first, user_id=second.pk, fields=no_admin),
        ours=lambda: update_user(actor=first, user_id=first.pk, **no_admin),
        right=refused("role"),
    )


@proves(f"{USERS}._update_user")
def own_edit_and_the_admins(cast: Cast) -> Race:
    """U3: both are kept."""
    first = make_seller(cast)
    second = make_user(first.account)
    row = User.objects.filter(pk=second.pk)
    return Race(
        other=lambda: inside(update_profile)(actor=second, phone="110"),
        ours=lambda: update_user(actor=first, user_id=second.pk, role=Role.PORTAL_USER),
        right=lambda outcome: now(row, phone="110", role=Role.PORTAL_USER),
    )


def demoted(actor: User, user: User) -> None:
    """The admin has just taken the user's role."""
    inside(_update_user)(actor=actor, user_id=user.pk, fields={"role": Role.PORTAL_USER})


@proves(f"{USERS}.update_profile")
def own_edit_while_demoted(cast: Cast) -> Race:
    """U3: nobody gets a role back by editing the profile."""
    first = make_seller(cast)
    second = make_user(first.account)
    row = User.objects.filter(pk=second.pk)
    return Race(
        other=lambda: demoted(first, second),
        ours=lambda: update_profile(actor=second, phone="110"),
        right=lambda outcome: now(row, phone="110", role=Role.PORTAL_USER),
    )


@proves(f"{CREDENTIALS}.send_credentials")
def credentials_while_demoted(cast: Cast) -> Race:
    """U4: nor by new credentials."""
    first = make_seller(cast)
    second = make_user(first.account)
    row = User.objects.filter(pk=second.pk)
    return Race(
        other=lambda: demoted(first, second),
        ours=lambda: send_credentials(actor=first, user_id=second.pk, key=new_key()),
        right=lambda outcome: now(row, must_change_password=True, role=Role.PORTAL_USER),
    )


@proves(f"{CREDENTIALS}.make_temporary_password")
def password_set_before_the_mail(cast: Cast) -> Race:
    """U4: a delivery that comes after the user has set a password does nothing."""
    first = make_seller(cast)
    mail = send_credentials(actor=first, user_id=first.pk, key=new_key())
    row = User.objects.filter(pk=first.pk)
    return Race(
        other=lambda: row.update(must_change_password=False, password="own"),
        ours=lambda: make_temporary_password(mail=mail),
        right=lambda outcome: outcome is None and now(row, password="own"),
    )


def make_mail(**values: object) -> "QuerySet[Mail]":
    """One in the outbox."""
    [mail] = queue_mails([MailDraft(kind="accounts.credentials", recipient_email="a@twin.example")])
    row = Mail.objects.filter(pk=mail.pk)
    row.update(**values)
    return row


def make_failed_mail() -> "QuerySet[Mail]":
    """One that was given up."""
    return make_mail(status=Status.FAILED, failure=Failure.REFUSED)


def sent(row: "QuerySet[Mail]") -> None:
    """A deliverer has just done so."""
    mail = row.get()
    row.update(status=Status.SENT, sent_at=mail.created_at, failure="")


@proves(f"{MAILS}.retry_mail")
def again_while_it_goes(cast: Cast) -> Race:
    """N2: what was sent is not sent again."""
    row = make_mail()
    return Race(other=lambda: sent(row), ours=lambda: retry_mail(row.get().pk), right=refused())


@proves(f"{MAILS}.retry_failed")
def all_again_while_one_goes(cast: Cast) -> Race:
    """N2: nor is it among many."""
    row = make_failed_mail()
    return Race(
        other=lambda: sent(row),
        ours=lambda: retry_failed([row.get().pk]),
        right=lambda outcome: outcome == 0 and now(row, status=Status.SENT),
    )


@proves(f"{DELIVERY}._claim")
def two_deliverers(cast: Cast) -> Race:
    """N1: one of them delivers, and the other does not wait for it."""
    pk = make_mail().get().pk
    return Race(
        other=lambda: inside(_claim)(pk), ours=lambda: _claim(pk), right=lambda outcome: outcome is None
    )
