"""A1–A6: the services of accounts."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import (
    Account,
    AccountStatus,
    AuditEntry,
    RelationStatus,
    Role,
    SellingRelation,
    Tier,
    User,
)
from accounts.services.accounts import create_account, set_account_status, update_account
from accounts.services.relations import NAMESAKE, decide_relation, request_relation
from mxportal.shared.forms import new_key
from notifications.models import Mail
from notifications.registry import render
from tests.factories import Cast, make_account, make_relation


def create(actor: User, tier: Tier = Tier.END_CUSTOMER, **fields: str) -> Account:
    fields = {"name": "City Clinic", "account_id": "CLINIC-1", "key": new_key()} | fields
    return create_account(actor=actor, tier=tier, **fields)


def test_one_mobotix(cast: Cast) -> None:
    """A1: a second MOBOTIX account is refused by the database."""
    with pytest.raises(IntegrityError), transaction.atomic():
        make_account(Tier.MOBOTIX, "Another MOBOTIX")


@pytest.mark.parametrize(
    ("who", "tiers"),
    [
        ("mobotix", [Tier.DISTRIBUTOR, Tier.INSTALLER, Tier.END_CUSTOMER]),
        ("distributor", [Tier.INSTALLER, Tier.END_CUSTOMER]),
        ("installer", [Tier.END_CUSTOMER]),
    ],
)
def test_only_lower_tiers(cast: Cast, who: str, tiers: list[Tier]) -> None:
    """A2: an admin creates accounts of any lower tier and becomes their seller; of its own or a higher tier none."""
    actor = getattr(cast, who)
    for tier in Tier:
        if tier in tiers:
            account = create(actor, tier, account_id=f"X-{tier}", name=f"X {tier}")
            assert account in Account.objects.bought_from(actor.account)
            assert AuditEntry.objects.about(account).get().action == "account_created"
        else:
            with pytest.raises(PermissionDenied):
                create(actor, tier, account_id=f"X-{tier}", name=f"X {tier}")


def test_viewer_creates_nothing(cast: Cast) -> None:
    """A2: the Portal User Role creates no account."""
    with pytest.raises(PermissionDenied):
        create(cast.installer_viewer)


def test_account_id_unique_without_case(cast: Cast) -> None:
    """A3: an Account ID in other letter case cannot be used; the sentence proposes one and tells no owner."""
    make_account(Tier.END_CUSTOMER, "Secret Customer", account_id="Clinic-1")
    with pytest.raises(ValidationError) as refused:
        create(cast.installer, account_id="CLINIC-1")
    sentence = refused.value.message_dict["account_id"][0]
    assert "Secret" not in sentence
    proposal = sentence.rsplit(" ", 1)[1]
    assert create(cast.installer, account_id=proposal).account_id == proposal


def test_name_unique_among_one_sellers_buyers(cast: Cast) -> None:
    """A3: two installers may both serve "City Hospital"; one of them not twice."""
    assert create(cast.other_installer, name="City Hospital").name == "City Hospital"
    with pytest.raises(ValidationError) as refused:
        create(cast.installer, name="city  HOSPITAL", account_id="OTHER")
    assert list(refused.value.message_dict) == ["name"]


def test_name_that_grows_when_folded(cast: Cast) -> None:
    """A3: a name of letters that are three once folded gets a sentence, no database error."""
    with pytest.raises(ValidationError) as refused:
        create(cast.installer, name="ﬃ" * 200)
    assert list(refused.value.message_dict) == ["name"]


def test_same_form_twice(cast: Cast) -> None:
    """A2: a double click creates one account."""
    key = new_key()
    assert create(cast.installer, key=key) == create(cast.installer, key=key)


def test_update_records_what_changed(cast: Cast) -> None:
    """A3: name, address and visibility can be changed; the entry names the fields."""
    update_account(
        actor=cast.installer, account_id=cast.customer.pk, name="City Hospital North", city="Trier"
    )
    entry = AuditEntry.objects.about(cast.customer).get()
    assert set(entry.details) == {"name", "city"}


def test_seller_manages_until_taken_over(cast: Cast) -> None:
    """A2: the distributor changes its installer's account until that one's admin has logged in."""
    update_account(actor=cast.distributor, account_id=cast.installer.account_id, city="Mainz")
    Account.objects.filter(pk=cast.installer.account_id).update(taken_over_at="2026-01-01T00:00Z")
    with pytest.raises(Account.DoesNotExist):
        update_account(actor=cast.distributor, account_id=cast.installer.account_id, city="Trier")


def test_made_an_admin_while_logged_in(cast: Cast, client: Client) -> None:
    """U4: the account's first admin is in from the next page on; no other log-in is needed."""
    account = Account.objects.get(pk=cast.installer.account_id)
    client.force_login(cast.installer_viewer)
    client.get("/")
    account.refresh_from_db()
    assert account.taken_over_at is None
    User.objects.filter(pk=cast.installer_viewer.pk).update(role=Role.PORTAL_ADMIN)
    client.get("/")
    account.refresh_from_db()
    assert account.taken_over_at is not None


def test_inactive_account(cast: Cast) -> None:
    """A5: nobody of an inactive account counts as active; its rows stay; it can be set active again."""
    account = cast.sibling_installer.account
    set_account_status(actor=cast.mobotix, account_id=account.pk, status=AccountStatus.INACTIVE)
    assert not User.objects.get(pk=cast.sibling_installer.pk).is_active
    set_account_status(actor=cast.mobotix, account_id=account.pk, status=AccountStatus.ACTIVE)
    assert User.objects.get(pk=cast.sibling_installer.pk).is_active
    actions = [entry.action for entry in AuditEntry.objects.about(account)]
    assert actions == ["account_active", "account_inactive"]


def test_own_account_stays_active(cast: Cast) -> None:
    """A5: nobody sets the own account inactive, nor a stranger's."""
    for account in (cast.installer.account, cast.other_installer.account, cast.sibling_installer.account):
        with pytest.raises(Account.DoesNotExist):
            set_account_status(actor=cast.installer, account_id=account.pk, status=AccountStatus.INACTIVE)


def test_further_seller(cast: Cast) -> None:
    """A2: a further seller asks by Account ID in any case, the admin accepts; only then it sells."""
    installer = cast.installer.account
    relation = request_relation(actor=cast.other_distributor, account_id=f" {installer.account_id.lower()} ")
    assert installer not in Account.objects.bought_from(cast.other_distributor.account)
    assert Mail.objects.get(kind="accounts.relation_requested").recipient_email == cast.installer.email
    decide_relation(actor=cast.installer, relation_id=relation.pk, accept=True)
    assert installer in Account.objects.bought_from(cast.other_distributor.account)


def test_declined_seller_may_ask_again(cast: Cast) -> None:
    """A2: a declined seller sells nothing, and may ask again after 30 days; an open request is not asked twice."""
    account_id = cast.installer.account.account_id
    relation = request_relation(actor=cast.other_distributor, account_id=account_id)
    with pytest.raises(ValidationError):
        request_relation(actor=cast.other_distributor, account_id=account_id)
    decide_relation(actor=cast.installer, relation_id=relation.pk, accept=False)
    mails = Mail.objects.count()
    with pytest.raises(ValidationError, match="has declined your request"):
        request_relation(actor=cast.other_distributor, account_id=account_id)
    assert Mail.objects.count() == mails
    SellingRelation.objects.filter(pk=relation.pk).update(decided_at=timezone.now() - timedelta(days=30))
    assert request_relation(actor=cast.other_distributor, account_id=account_id).pk == relation.pk


@pytest.mark.parametrize("whom", ["customer", "distributor", "unknown"])
def test_who_cannot_be_asked(cast: Cast, whom: str) -> None:
    """A2: an end customer, an account of the same tier and none at all give one and the same sentence."""
    ids = {"customer": cast.customer.account_id, "distributor": cast.distributor.account.account_id}
    with pytest.raises(ValidationError) as refused:
        request_relation(actor=cast.other_distributor, account_id=ids.get(whom, "NOBODY"))
    assert refused.value.message_dict == {
        "account_id": ["There is no partner account with this Account ID that you could sell to."]
    }


def test_only_the_asked_account_decides(cast: Cast) -> None:
    """A2: neither the asking seller nor a stranger nor a viewer accepts."""
    relation = make_relation(cast.other_distributor.account, cast.installer.account, RelationStatus.REQUESTED)
    for actor in (cast.other_distributor, cast.sibling_installer, cast.distributor):
        with pytest.raises(SellingRelation.DoesNotExist):
            decide_relation(actor=actor, relation_id=relation.pk, accept=True)
    with pytest.raises(PermissionDenied):
        decide_relation(actor=cast.installer_viewer, relation_id=relation.pk, accept=True)


@pytest.mark.parametrize("name", ["Sibling Alarms", "A name that nobody has"])
def test_an_account_that_renames_itself_learns_nothing_of_other_buyers(cast: Cast, name: str) -> None:
    """A3, A4: the answer is the same; the seller alone is told, by mail."""
    assert cast.sibling_installer.account.name == "Sibling Alarms"
    installer = cast.installer.account
    assert update_account(actor=cast.installer, account_id=installer.pk, name=name).name == name
    told = [mail.recipient_email for mail in Mail.objects.filter(kind=NAMESAKE)]
    assert told == ([cast.distributor.email] if name == "Sibling Alarms" else [])
    for mail in Mail.objects.filter(kind=NAMESAKE):
        message = render(mail)
        assert message is not None
        assert f"{installer.account_id} is now called “Sibling Alarms”" in message.text


def test_a_seller_that_renames_its_buyer_is_refused(cast: Cast) -> None:
    """A3: it knows whom it sells to."""
    with pytest.raises(ValidationError, match="already sell to an account with this name"):
        update_account(
            actor=cast.distributor,
            account_id=cast.installer.account_id,
            name=cast.sibling_installer.account.name,
        )


def test_nor_does_it_learn_of_them_by_accepting_a_seller(cast: Cast) -> None:
    """A3: the seller got a buyer of this name between the request and the answer."""
    seller = cast.other_distributor
    relation = request_relation(actor=seller, account_id=cast.installer.account.account_id)
    make_account(Tier.INSTALLER, cast.installer.account.name, sellers=(seller.account,))
    accepted = decide_relation(actor=cast.installer, relation_id=relation.pk, accept=True)
    assert accepted.status == RelationStatus.ACCEPTED
    assert Mail.objects.get(kind=NAMESAKE).recipient_email == seller.email


def test_a_request_that_was_not_delivered_can_be_sent_again(cast: Cast) -> None:
    """N2: the mail stands on the page of the admin to whom it went."""
    request_relation(actor=cast.other_distributor, account_id=cast.installer.account.account_id)
    assert cast.installer.mails.get().recipient_email == cast.installer.email
