"""U1–U7: the pages of users and contacts, and the own profile."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account, LoginRecord, Role, User, UserStatus
from mxportal.shared.forms import new_key
from notifications.models import RefusedAddress
from tests.factories import Cast, make_contact, make_user

AsUser = Callable[..., Client]


def user_data(**fields: Any) -> dict[str, Any]:
    data = {
        "key": new_key(),
        "can_log_in": "yes",
        "shared_login": "no",
        "status": "active",
        "opt_in": "no",
        "first_name": "New",
        "last_name": "Person",
        "email": "new@person.example",
        "language": "en",
        "time_zone": "Europe/Berlin",
        "role": ["portal_user"],
    }
    return data | fields


def create_url(account: Account) -> str:
    return reverse("user_create", args=[account.pk])


def text(answer: Any) -> str:
    return str(answer.content.decode())


def test_create_a_user(cast: Cast, as_user: AsUser) -> None:
    """U1: all fields are kept; the message says where the mail goes, and leads to its fate."""
    data = user_data(
        mobile="+49 170 1", country="AT", opt_in="yes", expiring_email="on", time_zone="Europe/Vienna"
    )
    answer = as_user(cast.installer).post(create_url(cast.installer.account), data, follow=True)
    user = User.objects.get(email="new@person.example")
    assert (user.mobile, user.country, user.opt_in, user.expiring_email) == ("+49 170 1", "AT", True, True)
    assert (user.role, user.time_zone, user.login) == (Role.PORTAL_USER, "Europe/Vienna", user.email)
    assert reverse("user_detail", args=[user.pk]) in text(answer)


@pytest.mark.parametrize(
    ("ticked", "role"),
    [
        (["portal_admin"], Role.PORTAL_ADMIN),
        (["portal_user"], Role.PORTAL_USER),
        (["portal_user", "portal_admin"], Role.PORTAL_ADMIN),
    ],
)
def test_two_boxes_one_role(cast: Cast, as_user: AsUser, ticked: list[str], role: Role) -> None:
    """U3: where both roles are ticked, Admin counts."""
    as_user(cast.installer).post(create_url(cast.installer.account), user_data(role=ticked))
    assert User.objects.get(email="new@person.example").role == role


def test_a_login_needs_a_role(cast: Cast, as_user: AsUser) -> None:
    """U3: no role, no login: a sentence at the boxes."""
    answer = as_user(cast.installer).post(create_url(cast.installer.account), user_data(role=[]))
    assert answer.context["form"].errors == {"role": ["Tick at least one role."]}


def test_contact_ignores_what_only_a_login_needs(cast: Cast, as_user: AsUser) -> None:
    """U1: roles, shared login and time zone of a contact are neither judged nor kept."""
    data = user_data(can_log_in="no", role=["nonsense"], shared_login="yes", time_zone="Nowhere/Land")
    assert as_user(cast.installer).post(create_url(cast.installer.account), data).status_code == 302
    person = User.objects.get(email="new@person.example")
    assert (person.role, person.shared_login, person.login, person.time_zone) == (
        "",
        False,
        None,
        "Europe/Berlin",
    )


def test_end_customers_are_contacts(cast: Cast, as_user: AsUser) -> None:
    """U5: the answer No is fixed, with its reason; login fields are not there, a forged Yes makes no login."""
    client, url = as_user(cast.installer), create_url(cast.customer)
    page = client.get(url)
    form = page.context["form"]
    assert form["can_log_in"].value() == "no"
    assert form.fields["can_log_in"].disabled
    assert not {"role", "shared_login", "time_zone"} & set(form.fields)
    assert "never get access to the portal" in text(page)
    client.post(url, user_data())
    assert User.objects.get(email="new@person.example").login is None


def test_back_to_where_the_person_was_needed(cast: Cast, as_user: AsUser) -> None:
    """U4: with ?next= the page goes back there with account and contact filled in."""
    answer = as_user(cast.installer).post(
        f"{create_url(cast.customer)}?next=/items/1/split/%3Fcopies%3D3%26account%3D9",
        user_data(can_log_in="no"),
    )
    person = User.objects.get(email="new@person.example")
    assert answer.url == f"/items/1/split/?copies=3&account={cast.customer.pk}&contact={person.pk}"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "no address"),
        ("email", "two@a.example\nbcc@b.example"),
        ("email", ""),
        ("first_name", "x" * 10_000),
        ("last_name", "nul\x00"),
        ("first_name", "a\r\nb"),
        ("language", "fr"),
        ("time_zone", "Nowhere/Land"),
        ("status", "gone"),
        ("role", ["root"]),
        ("can_log_in", "perhaps"),
        ("phone", "1" * 41),
    ],
)
def test_bad_input_stays_in_the_form(cast: Cast, as_user: AsUser, field: str, value: Any) -> None:
    """U1: what is wrong gets a sentence at its field, and nothing typed is lost."""
    data = user_data(city="Kept City") | {field: value}
    answer = as_user(cast.installer).post(create_url(cast.installer.account), data)
    form = answer.context["form"]
    assert field in form.errors
    assert form[field].value() == value
    assert "Kept City" in text(answer)


def test_taken_user_id_at_its_field(cast: Cast, as_user: AsUser) -> None:
    """U2: the address of another account's login, in other case: the sentence names nobody."""
    data = user_data(email=cast.other_installer.email.upper())
    answer = as_user(cast.installer).post(create_url(cast.installer.account), data)
    assert list(answer.context["form"].errors) == ["email"]
    assert cast.other_installer.account.name not in text(answer)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("mobotix", 200),
        ("installer", 200),
        ("distributor", 200),
        ("installer_viewer", 403),
        ("sibling_installer", 404),
        ("other_distributor", 404),
    ],
)
def test_who_creates_users_at_the_installer(cast: Cast, as_user: AsUser, who: str, status: int) -> None:
    """U4: the account's admins, its seller until the first admin's login, MOBOTIX."""
    assert as_user(getattr(cast, who)).get(create_url(cast.installer.account)).status_code == status


def test_seller_only_until_first_login(cast: Cast, as_user: AsUser) -> None:
    """U4: then its pages for the installer's users are gone, and the people can still be seen."""
    Account.objects.filter(pk=cast.installer.account_id).update(taken_over_at="2026-01-01T00:00Z")
    client = as_user(cast.distributor)
    pages = [create_url(cast.installer.account)]
    pages += [reverse(name, args=[cast.installer.pk]) for name in ("user_edit", "user_credentials")]
    assert [client.get(page).status_code for page in pages] == [404, 404, 404]
    assert client.get(reverse("user_detail", args=[cast.installer.pk])).status_code == 200


def test_logins_are_for_who_manages(cast: Cast, as_user: AsUser) -> None:
    """U6: attempts to log in stand on the person's page for admins; a viewer of the same account reads none."""
    LoginRecord.objects.create(
        user=cast.installer_viewer, succeeded=False, address="198.51.100.7", agent="Browser X"
    )
    url = reverse("user_detail", args=[cast.installer_viewer.pk])
    assert "198.51.100.7" in text(as_user(cast.installer).get(url))
    assert "198.51.100.7" not in text(as_user(cast.installer_viewer).get(url))
    Account.objects.filter(pk=cast.installer.account_id).update(taken_over_at="2026-01-01T00:00Z")
    assert "198.51.100.7" not in text(as_user(cast.distributor).get(url))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("field", "changes"), [("status", {"status": "inactive"}), ("can_log_in", {"can_log_in": "no"})]
)
def test_taking_access_away_is_asked_first(
    cast: Cast, as_user: AsUser, field: str, changes: dict[str, str]
) -> None:
    """U7: the first Save says what follows and shows the box; with the tick it is done."""
    client, url = as_user(cast.installer), reverse("user_edit", args=[cast.installer_viewer.pk])
    assert 'name="confirm"' not in text(client.get(url))
    data = user_data(email=cast.installer_viewer.email) | changes
    asked = client.post(url, data)
    assert "logged out at once" in asked.context["form"].errors[field][0]
    assert 'name="confirm"' in text(asked)
    assert client.post(url, data | {"confirm": "on"}).status_code == 302
    assert User.objects.get(pk=cast.installer_viewer.pk).login is None


def test_last_admin_at_the_field(cast: Cast, as_user: AsUser) -> None:
    """U7: the refusal stands at the roles, and the page keeps what was typed."""
    url = reverse("user_edit", args=[cast.installer.pk])
    answer = as_user(cast.installer).post(url, user_data(email=cast.installer.email, city="Kept City"))
    assert "last active Portal Admin" in answer.context["form"].errors["role"][0]
    assert "Kept City" in text(answer)


def test_edit_shows_what_is_stored(cast: Cast, as_user: AsUser) -> None:
    """U1: saving the form as it was shown changes nothing and sends nothing."""
    client, url = as_user(cast.installer), reverse("user_edit", args=[cast.installer.pk])
    form = client.get(url).context["form"]
    shown = {name: form[name].value() for name in form.fields}
    data = {name: value for name, value in shown.items() if value not in (None, False)}
    before = User.objects.filter(pk=cast.installer.pk).values().get()
    assert client.post(url, data).status_code == 302
    assert User.objects.filter(pk=cast.installer.pk).values().get() == before
    assert not cast.installer.mails.exists()


def test_send_new_credentials(cast: Cast, as_user: AsUser) -> None:
    """U4: asked first, sent by POST; for a contact or an inactive user there is no such page."""
    client, url = as_user(cast.installer), reverse("user_credentials", args=[cast.installer_viewer.pk])
    assert cast.installer_viewer.email in text(client.get(url))
    assert not cast.installer_viewer.mails.exists()
    assert client.post(url, {"key": new_key()}).status_code == 302
    assert cast.installer_viewer.mails.count() == 1
    contact = make_contact(cast.installer.account)
    inactive = make_user(cast.installer.account, status=UserStatus.INACTIVE)
    for person in (contact, inactive):
        assert client.get(reverse("user_credentials", args=[person.pk])).status_code == 404


def test_profile(cast: Cast, as_user: AsUser) -> None:
    """U3: a viewer changes the own profile, and the next page speaks the new language."""
    client, url = as_user(cast.installer_viewer), reverse("profile_edit")
    data = user_data(first_name="Anna", language="de", email="x@y.example", role=["portal_admin"])
    page = client.post(url, data, follow=True)
    assert '<html lang="de">' in text(page)
    stored = User.objects.get(pk=cast.installer_viewer.pk)
    assert (stored.first_name, stored.role, stored.email) == (
        "Anna",
        Role.PORTAL_USER,
        cast.installer_viewer.email,
    )
    client.post(url, data | {"time_zone": "America/New_York"})
    assert User.objects.get(pk=stored.pk).time_zone == "America/New_York"


@pytest.mark.parametrize("who", ["sibling_installer", "other_installer", "distributor"])
def test_other_peoples_contacts_are_not_there(cast: Cast, as_user: AsUser, who: str) -> None:
    """A4: a customer's contact has a page for its seller and for nobody beside or above."""
    url = reverse("user_detail", args=[cast.customer_contact.pk])
    assert as_user(getattr(cast, who)).get(url).status_code == 404
    assert as_user(cast.installer_viewer).get(url).status_code == 200


def test_an_address_that_refuses_mails(cast: Cast, as_user: AsUser) -> None:
    """N2: said wherever the contact is looked at or chosen, to admins and viewers, until the address changes."""
    contact = cast.customer_contact
    RefusedAddress.objects.create(
        address_key=contact.email_key, refused_at=timezone.now(), reply="550 5.1.1 No such user <here>"
    )
    pages = [
        reverse("user_detail", args=[contact.pk]),
        reverse("account_detail", args=[cast.customer.pk]),
        f"{reverse('contact_pick')}?account={cast.customer.pk}",
    ]
    warning = "The mail server refused an e-mail to this address on"
    for page in pages:
        html = text(as_user(cast.installer).get(page))
        assert warning in html
        assert "550 5.1.1 No such user &lt;here&gt;" in html
    assert warning in text(as_user(cast.installer_viewer).get(pages[1]))
    assert warning not in text(as_user(cast.installer).get(reverse("user_detail", args=[cast.installer.pk])))
    contact.email = "carla.new@hospital.example"
    contact.save()
    assert warning not in text(as_user(cast.installer).get(pages[0]))
