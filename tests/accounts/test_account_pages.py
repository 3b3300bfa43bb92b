"""A1–A6: the pages of accounts, as a browser meets them."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account, AuditEntry, RelationStatus, SellingRelation, Tier
from accounts.services.credentials import send_credentials
from accounts.services.relations import request_relation
from mxportal.shared.forms import new_key
from notifications.models import Mail
from tests.factories import Cast, make_account, make_contact, make_relation

AsUser = Callable[..., Client]
CREATE_CUSTOMER = "/accounts/new/customer/"
CREATE_PARTNER = "/accounts/new/partner/"


def account_data(**fields: str) -> dict[str, str]:
    return {
        "key": new_key(),
        "account_id": "NEW-1",
        "name": "New Company",
        "visible_to_partners": "no",
        "country": "DE",
    } | fields


def text(answer: Any) -> str:
    return str(answer.content.decode())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "of"),
    [
        ("account_create", "kind"),
        ("account_edit", "account"),
        ("account_status", "account"),
        ("relation_request", ""),
        ("user_create", "account"),
        ("user_edit", "user"),
        ("user_credentials", "user"),
        ("profile_edit", ""),
    ],
)
def test_every_form_carries_its_key(cast: Cast, as_user: AsUser, name: str, of: str) -> None:
    """E7: what a browser sends from a page has the key in it, once, and the CSRF token."""
    of_what = {
        "kind": ["customer"],
        "account": [cast.installer.account_id],
        "user": [cast.installer.pk],
        "": [],
    }
    Account.objects.update(taken_over_at=None)
    page = (
        text(as_user(cast.distributor).get(reverse(name, args=of_what[of])))
        .split("<main")[1]
        .split("</main")[0]
    )
    assert page.count('name="key"') == 1
    assert page.count('name="csrfmiddlewaretoken"') == 1


def test_list_accounts_shows_the_own(cast: Cast, as_user: AsUser) -> None:
    """A3: List accounts has the own account with its Account ID as link, and no other."""
    page = text(as_user(cast.installer_viewer).get(reverse("account_list")))
    own = cast.installer.account
    assert f'href="{reverse("account_detail", args=[own.pk])}">{own.account_id}</a>' in page
    assert cast.customer.name not in page
    assert cast.distributor.account.name not in page


def test_related_accounts(cast: Cast, as_user: AsUser) -> None:
    """A2, A4: List related accounts has the accounts sold to; neither those further down nor outsiders."""
    page = text(as_user(cast.distributor).get(reverse("related_account_list")))
    assert cast.installer.account.name in page
    assert cast.sibling_installer.account.name in page
    for hidden in (cast.customer, cast.other_installer.account, cast.other_distributor.account):
        assert hidden.name not in page


def test_mobotix_lists_all_but_its_own(cast: Cast, as_user: AsUser) -> None:
    """A4: MOBOTIX's related accounts are all others."""
    answer = as_user(cast.mobotix).get(reverse("related_account_list"))
    accounts = {row.account for row in answer.context["rows"]}
    assert accounts == set(Account.objects.exclude(pk=cast.mobotix.account_id))


@pytest.mark.slow
def test_search_and_filters(cast: Cast, as_user: AsUser) -> None:
    """A4: the search finds names in any script without case, among the accounts sold to and no others."""
    own = make_account(Tier.END_CUSTOMER, "Ärzte am Großmarkt", sellers=(cast.installer.account,))
    make_account(Tier.END_CUSTOMER, "Ärzte der Anderen", sellers=(cast.other_installer.account,))
    client, url = as_user(cast.installer), reverse("related_account_list")

    def found(**query: str) -> set[Account]:
        return {row.account for row in client.get(url, query).context["rows"]}

    assert found(q="ÄRZTE") == {own}
    assert found(q="grossmarkt") == {own}
    assert found(q=own.account_id.lower()) == {own}
    assert found(status="inactive") == found(q="\x00") == found(tier="nonsense") == set()
    assert found(tier="end_customer", status="active") == {own, cast.customer}
    assert "No account matches" in text(client.get(url, {"q": "nothing like it"}))


def test_empty_list_says_what_to_do(cast: Cast, as_user: AsUser) -> None:
    """A2: an admin without buyers is offered "Create customer account", a viewer is not."""
    url = reverse("related_account_list")
    assert f'href="{CREATE_CUSTOMER}"' in text(as_user(cast.sibling_installer).get(url))
    assert f'href="{CREATE_CUSTOMER}"' not in text(as_user(cast.sibling_installer_viewer).get(url))


def test_list_has_a_fixed_number_of_queries(
    cast: Cast, as_user: AsUser, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """A2: one account or thirty cost the same."""
    client, url = as_user(cast.installer), reverse("related_account_list")
    with django_assert_num_queries(5):  # session, user, page, managed, count
        client.get(url)
    for number in range(29):
        make_account(Tier.END_CUSTOMER, f"Customer {number}", sellers=(cast.installer.account,))
    with django_assert_num_queries(5):
        assert len(client.get(url).context["rows"]) == 30


def test_pages_by_name(cast: Cast, as_user: AsUser, settings: Any) -> None:
    """A2: the list goes on by name, forth and back, equal names included."""
    settings.PAGE_SIZE = 2
    for name in ("B", "B", "A"):
        make_account(Tier.END_CUSTOMER, name, sellers=(cast.installer.account,))
    client, url = as_user(cast.installer), reverse("related_account_list")
    first = client.get(url)
    second = client.get(url + first.context["page"].older_url)
    names = [[row.account.name for row in page.context["rows"]] for page in (first, second)]
    assert names == [["A", "B"], ["B", "City Hospital"]]
    assert text(client.get(url + second.context["page"].newer_url)).count("<tr>") == text(first).count("<tr>")


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("installer", 200),
        ("installer_viewer", 200),
        ("mobotix", 200),
        ("distributor", 404),
        ("other_installer", 404),
        ("sibling_installer", 404),
    ],
)
def test_who_opens_a_customers_page(cast: Cast, as_user: AsUser, who: str, status: int) -> None:
    """A4: a page that one may not see is not there; it is there for its seller."""
    answer = as_user(getattr(cast, who)).get(reverse("account_detail", args=[cast.customer.pk]))
    assert answer.status_code == status


def test_page_of_a_visible_account_further_down(cast: Cast, as_user: AsUser) -> None:
    """A4: with Yes the distributor reads name and details; the persons stay the seller's."""
    Account.objects.filter(pk=cast.customer.pk).update(visible_to_partners=True, phone="+49 631 1")
    page = text(as_user(cast.distributor).get(reverse("account_detail", args=[cast.customer.pk])))
    assert "+49 631 1" in page
    assert cast.customer_contact.email not in page
    assert reverse("account_edit", args=[cast.customer.pk]) not in page


def test_sellers_do_not_see_one_another(cast: Cast, as_user: AsUser) -> None:
    """A2: each seller sees only what it sold: not who else sells, nor that somebody else asked."""
    other = cast.other_distributor
    relation = request_relation(actor=other, account_id=cast.installer.account.account_id)
    url = reverse("account_detail", args=[cast.installer.account_id])
    for __ in range(2):
        page = text(as_user(cast.distributor).get(url))
        assert other.account.name not in page
        assert other.account.account_id not in page
        SellingRelation.objects.filter(pk=relation.pk).update(status="accepted", decided_at=timezone.now())
    assert other.account.name in text(as_user(cast.installer_viewer).get(url))


def test_account_page_has_a_fixed_number_of_queries(
    cast: Cast, as_user: AsUser, django_assert_max_num_queries: Any
) -> None:
    """U1: one person or thirty, one entry of history or thirty cost the same."""
    client, url = as_user(cast.installer), reverse("account_detail", args=[cast.customer.pk])
    AuditEntry.objects.record(actor=cast.installer, action="account_changed", about=cast.customer, city="X")
    with django_assert_max_num_queries(30) as few:
        client.get(url)
    for number in range(29):
        make_contact(cast.customer, f"Contact{number}")
        AuditEntry.objects.record(actor=cast.mobotix, action="account_changed", about=cast.customer, city="X")
    with django_assert_max_num_queries(len(few) + 1):  # and one for the names of other companies
        assert len(client.get(url).context["people"]) == 30


def test_create_customer_account(cast: Cast, as_user: AsUser) -> None:
    """A2, A4: the account is not visible to other partners unless chosen; its first person comes next."""
    client = as_user(cast.installer)
    form = client.get(CREATE_CUSTOMER).context["form"]
    assert form["country"].value() == "DE"
    assert len(form["account_id"].value()) == 8
    answer = client.post(f"{CREATE_CUSTOMER}?next=/x/%3Fa%3D1", account_data())
    account = Account.objects.get(account_id="NEW-1")
    assert (account.tier, account.visible_to_partners) == (Tier.END_CUSTOMER, False)
    assert answer.url == f"{reverse('user_create', args=[account.pk])}?next=%2Fx%2F%3Fa%3D1"


def test_next_leads_to_no_other_site(cast: Cast, as_user: AsUser) -> None:
    """A2: an address of another site is no way back."""
    client = as_user(cast.installer)
    for number, evil in enumerate(("https://evil.example/", "//evil.example/", "/\\evil.example")):
        answer = client.post(
            f"{CREATE_CUSTOMER}?next={evil}", account_data(account_id=f"N-{number}", name=f"N {number}")
        )
        assert "evil" not in answer.url


def test_partner_accounts(cast: Cast, as_user: AsUser) -> None:
    """A2: partner accounts are of the tiers between: both for MOBOTIX, Installer for a distributor, none below."""
    choices = as_user(cast.mobotix).get(CREATE_PARTNER).context["form"]["tier"].field.choices
    assert [tier for tier, __ in choices] == [Tier.DISTRIBUTOR, Tier.INSTALLER]
    client = as_user(cast.distributor)
    client.post(CREATE_PARTNER, account_data(tier="installer"))
    assert Account.objects.get(account_id="NEW-1").tier == Tier.INSTALLER
    assert client.post(CREATE_PARTNER, account_data(tier="distributor", account_id="N-2")).status_code == 200
    assert as_user(cast.installer).get(CREATE_PARTNER).status_code == 403


@pytest.mark.slow
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("account_id", "a b"),
        ("account_id", "straße"),
        ("account_id", "x" * 31),
        ("account_id", ""),
        ("name", "x" * 10_000),
        ("name", "two\nlines"),
        ("name", "nul\x00"),
        ("name", "  "),
        ("website", "javascript:alert(1)"),
        ("country", "XX"),
        ("visible_to_partners", "perhaps"),
        ("description", "d" * 501),
    ],
)
def test_bad_input_stays_in_the_form(cast: Cast, as_user: AsUser, field: str, value: str) -> None:
    """A3: what is wrong gets a sentence at its field, and nothing typed is lost."""
    data = account_data(city="Kept City") | {field: value}
    answer = as_user(cast.installer).post(CREATE_CUSTOMER, data)
    form = answer.context["form"]
    assert list(form.errors) == [field]
    assert form[field].value() == value
    assert "Kept City" in text(answer)
    assert not Account.objects.filter(account_id="NEW-1").exists()


@pytest.mark.parametrize(
    "name",
    ["<script>alert(1)</script>", "{{ 7|add:1 }}", 'O\'Neill "& Söhne"', "東京病院", "بیمارستان می‌خواهم"],
)
def test_names_in_any_script(cast: Cast, as_user: AsUser, name: str) -> None:
    """A3: a name is text, whatever stands in it: stored as typed, shown as text."""
    client = as_user(cast.installer)
    client.post(CREATE_CUSTOMER, account_data(name=name))
    account = Account.objects.get(account_id="NEW-1")
    assert account.name == name
    for page in (reverse("account_detail", args=[account.pk]), reverse("related_account_list")):
        shown = text(client.get(page))
        assert "<script>alert" not in shown
        assert "8" not in shown or "{{ 7" in shown or "7|add" not in name


def test_account_id_in_other_letter_case(cast: Cast, as_user: AsUser) -> None:
    """A3: a clash is a sentence at the field that proposes a free one; the name of the other is not told."""
    make_account(Tier.END_CUSTOMER, "Somebody Else", account_id="new-1")
    answer = as_user(cast.installer).post(CREATE_CUSTOMER, account_data())
    assert "Use a free one" in answer.context["form"].errors["account_id"][0]
    assert "Somebody Else" not in text(answer)
    assert "New Company" in text(answer)


def test_edit_keeps_what_is_fixed(cast: Cast, as_user: AsUser) -> None:
    """A3: Account ID and tier are fixed once saved, whatever is posted."""
    url = reverse("account_edit", args=[cast.customer.pk])
    data = account_data(name="City Hospital", account_id="CHANGED", tier="installer", city="Trier")
    assert as_user(cast.installer).post(url, data).status_code == 302
    stored = Account.objects.get(pk=cast.customer.pk)
    assert (stored.account_id, stored.tier, stored.city) == (
        cast.customer.account_id,
        Tier.END_CUSTOMER,
        "Trier",
    )


def test_status_is_asked_first(cast: Cast, as_user: AsUser) -> None:
    """A5: the page says what follows; a second click on the same page changes nothing back."""
    client, url = as_user(cast.installer), reverse("account_status", args=[cast.customer.pk])
    assert "The users of this account can no longer log in" in text(client.get(url))
    for __ in range(2):
        assert client.post(url, {"key": new_key(), "status": "inactive"}).status_code == 302
    assert Account.objects.get(pk=cast.customer.pk).status == "inactive"
    assert client.get(reverse("account_status", args=[cast.installer.account_id])).status_code == 404


def test_request_and_accept(cast: Cast, as_user: AsUser) -> None:
    """A2: asked by form, accepted on the account's page; the seller then has it among its related accounts."""
    asking = as_user(cast.other_distributor)
    url = reverse("relation_request")
    wrong = asking.post(url, {"key": new_key(), "account_id": "NOBODY"})
    assert list(wrong.context["form"].errors) == ["account_id"]
    asking.post(url, {"key": new_key(), "account_id": cast.installer.account.account_id})
    relation = SellingRelation.objects.get(status=RelationStatus.REQUESTED)
    own_page = reverse("account_detail", args=[cast.installer.account_id])
    decide = reverse("relation_decide", args=[relation.pk])
    assert decide in text(as_user(cast.installer).get(own_page))
    assert decide not in text(as_user(cast.installer_viewer).get(own_page))
    answer = as_user(cast.installer).post(decide, {"accept": "1"}, follow=True)
    assert "can now sell to your account" in text(answer)
    assert cast.installer.account.name in text(asking.get(reverse("related_account_list")))


def test_nobody_decides_for_others(cast: Cast, as_user: AsUser) -> None:
    """A2: another account's request is 404, a viewer 403, a decided one 404, GET 405."""
    relation = make_relation(cast.other_distributor.account, cast.installer.account, RelationStatus.REQUESTED)
    url = reverse("relation_decide", args=[relation.pk])
    assert as_user(cast.other_distributor).post(url, {"accept": "1"}).status_code == 404
    assert as_user(cast.installer_viewer).post(url, {"accept": "1"}).status_code == 403
    client = as_user(cast.installer)
    assert client.get(url).status_code == 405
    assert client.post(url, {"accept": "0"}).status_code == 302
    assert client.post(url, {"accept": "1"}).status_code == 404


def test_mails_that_failed_stand_on_the_page(cast: Cast, as_user: AsUser) -> None:
    """N2: a mail with credentials that failed is on the account's page with "Send again", for its admins only."""
    mail = send_credentials(actor=cast.installer, user_id=cast.installer_viewer.pk, key=new_key())
    Mail.objects.filter(pk=mail.pk).update(
        status="failed", failure="refused", server_reply="550 no such user"
    )
    url = reverse("account_detail", args=[cast.installer.account_id])
    again = reverse("user_mail_send_again", args=[cast.installer_viewer.pk, mail.pk])
    page = text(as_user(cast.installer).get(url))
    assert "550 no such user" in page
    assert again in page
    assert again not in text(as_user(cast.sibling_installer_viewer).get(reverse("account_list")))
    assert as_user(cast.installer).post(again, follow=True).status_code == 200
    mail.refresh_from_db()
    assert mail.status == "queued"
    assert as_user(cast.sibling_installer).post(again).status_code == 404
    assert as_user(cast.sibling_installer_viewer).post(again).status_code == 403


def test_history_in_sentences(cast: Cast, as_user: AsUser) -> None:
    """A4: who did what, by name where the person may be seen, by company where not; in both languages."""
    url = reverse("account_detail", args=[cast.installer.account_id])
    AuditEntry.objects.record(
        actor=cast.distributor, action="account_changed", about=cast.installer.account, city="X"
    )
    AuditEntry.objects.record(actor=cast.mobotix, action="credentials_sent", about=cast.installer.account)
    page = text(as_user(cast.installer).get(url))
    assert "Nordlicht Distribution changed: City." in page
    assert "MOBOTIX AG sent new credentials." in page
    assert str(cast.distributor) not in page
    assert f"{cast.distributor} changed: City." in text(as_user(cast.mobotix).get(url))
