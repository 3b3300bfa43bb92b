"""U1–U7: the services of users and contacts."""

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from accounts.models import Account, Role, User, UserStatus
from accounts.permissions import Permission
from accounts.services import users as user_services
from accounts.services.users import create_user, update_profile, update_user
from mxportal.shared.forms import new_key
from notifications.models import Mail
from tests.factories import Cast, make_contact, make_user


def create(actor: User, account: Account, **fields: Any) -> User:
    fields = {
        "email": "new@person.example",
        "first_name": "New",
        "last_name": "Person",
        "can_log_in": True,
        "role": Role.PORTAL_USER,
        "key": new_key(),
    } | fields
    return create_user(actor=actor, account_id=account.pk, **fields)


def contact(actor: User, account: Account, **fields: Any) -> User:
    return create(actor, account, can_log_in=False, role="", **fields)


def test_new_login_gets_a_mail(cast: Cast) -> None:
    """U4: a new login gets its credentials by mail and starts with nothing that could be used."""
    user = create(cast.installer, cast.installer.account, language="de")
    assert user.must_change_password
    assert not user.has_usable_password()
    mail = user.mails.get()
    assert (mail.kind, mail.recipient_email, mail.language) == ("accounts.credentials", user.email, "de")


def test_contact_gets_no_mail(cast: Cast) -> None:
    """U1: a contact has no user ID, no role and no mail."""
    person = contact(cast.installer, cast.customer)
    assert (person.login, person.role, Mail.objects.count()) == (None, "", 0)


def test_user_id_unique_among_active_logins(cast: Cast) -> None:
    """U2: an address in other letter case is taken, in the whole portal; an inactive login frees it."""
    taken = cast.other_installer.email.upper()
    with pytest.raises(ValidationError) as refused:
        create(cast.installer, cast.installer.account, email=taken)
    assert list(refused.value.message_dict) == ["email"]
    viewer = cast.other_installer_viewer
    update_user(actor=cast.other_installer, user_id=viewer.pk, status=UserStatus.INACTIVE)
    assert create(cast.installer, cast.installer.account, email=viewer.email.upper()).login == viewer.email


def test_user_id_taken_in_the_last_moment(cast: Cast) -> None:
    """U2: where only the index finds the twin, it is the same sentence at the field."""
    taken = cast.other_installer.login
    with pytest.raises(ValidationError) as refused, user_services.user_id_race(), transaction.atomic():
        User.objects.filter(pk=cast.installer.pk).update(login=taken, email_key=taken)
    assert list(refused.value.message_dict) == ["email"]


def test_contact_address_unique_within_account(cast: Cast) -> None:
    """U2: one technician may be a contact of several accounts, once each."""
    address = cast.customer_contact.email
    assert contact(cast.installer, cast.installer.account, email=address)
    with pytest.raises(ValidationError):
        contact(cast.installer, cast.customer, email=address.upper())


def test_roles(cast: Cast) -> None:
    """U3: two roles; the view-only one writes nothing but its own profile."""
    assert cast.installer_viewer.permissions() == {Permission.VIEW, Permission.EDIT_PROFILE}
    assert cast.installer.may(Permission.SPLIT)
    assert not cast.installer.may(Permission.CREATE_ENTITLEMENTS)
    assert cast.mobotix.may(Permission.CREATE_ENTITLEMENTS)
    assert not cast.mobotix_viewer.may(Permission.SPLIT)
    with pytest.raises(PermissionDenied):
        create(cast.installer_viewer, cast.installer.account)


def test_profile_changes_neither_role_nor_status(cast: Cast) -> None:
    """U3: one's own profile, and no more than that."""
    viewer = cast.installer_viewer
    update_profile(
        actor=viewer, first_name="Anna", role=Role.PORTAL_ADMIN, status="inactive", email="x@y.example"
    )
    stored = User.objects.get(pk=viewer.pk)
    assert (stored.first_name, stored.role, stored.status) == ("Anna", Role.PORTAL_USER, UserStatus.ACTIVE)
    assert stored.email == viewer.email


def test_seller_manages_logins_until_first_admin_login(cast: Cast) -> None:
    """U4: a seller creates logins at its buyer until that one's first admin has logged in; then it cannot."""
    assert create(cast.distributor, cast.installer.account)
    Account.objects.filter(pk=cast.installer.account_id).update(taken_over_at="2026-01-01T00:00Z")
    with pytest.raises(Account.DoesNotExist):
        create(cast.distributor, cast.installer.account, email="second@person.example")
    with pytest.raises(User.DoesNotExist):
        update_user(actor=cast.distributor, user_id=cast.installer.pk, email="mine@distributor.example")
    assert create(cast.mobotix, cast.installer.account, email="third@person.example")


def test_contacts_of_customers_stay_with_the_seller(cast: Cast) -> None:
    """U4: the installer manages its customer's contacts; the distributor, a sibling and an outsider do not."""
    update_user(actor=cast.installer, user_id=cast.customer_contact.pk, phone="1")
    for actor in (cast.distributor, cast.sibling_installer, cast.other_installer):
        with pytest.raises(User.DoesNotExist):
            update_user(actor=actor, user_id=cast.customer_contact.pk, phone="2")


def test_end_customers_never_log_in(cast: Cast) -> None:
    """U5: the service refuses a login of an end customer, new or changed."""
    with pytest.raises(ValidationError) as refused:
        create(cast.installer, cast.customer)
    assert list(refused.value.message_dict) == ["can_log_in"]
    with pytest.raises(ValidationError):
        update_user(
            actor=cast.mobotix, user_id=cast.customer_contact.pk, can_log_in=True, role=Role.PORTAL_USER
        )


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("role", {"role": Role.PORTAL_USER}),
        ("status", {"status": UserStatus.INACTIVE}),
        ("can_log_in", {"can_log_in": False, "role": ""}),
    ],
)
def test_last_admin_stays(cast: Cast, field: str, changes: dict[str, Any]) -> None:
    """U7: the last active Portal Admin cannot be taken away, but by MOBOTIX; with a second one it can."""
    with pytest.raises(ValidationError) as refused:
        update_user(actor=cast.installer, user_id=cast.installer.pk, **changes)
    assert list(refused.value.message_dict) == [field]
    make_user(cast.installer.account, "Second")
    update_user(actor=cast.installer, user_id=cast.installer.pk, **changes)


def test_mobotix_may_take_the_last_admin(cast: Cast) -> None:
    """U7: MOBOTIX may at its partners, not at itself."""
    update_user(actor=cast.mobotix, user_id=cast.installer.pk, role=Role.PORTAL_USER)
    with pytest.raises(ValidationError):
        update_user(actor=cast.mobotix, user_id=cast.mobotix.pk, role=Role.PORTAL_USER)


def test_new_address_new_credentials(cast: Cast) -> None:
    """U4: a new user ID starts with a temporary password that reaches the new address."""
    user = update_user(
        actor=cast.installer, user_id=cast.installer_viewer.pk, email="moved@installer.example"
    )
    assert (user.login, user.must_change_password) == ("moved@installer.example", True)
    assert user.mails.get().recipient_email == "moved@installer.example"


def test_contact_becomes_user(cast: Cast) -> None:
    """U4: a contact who may log in gets credentials; a change of the phone alone sends nothing."""
    person = make_contact(cast.installer.account)
    update_user(actor=cast.installer, user_id=person.pk, phone="1")
    assert not person.mails.exists()
    update_user(actor=cast.installer, user_id=person.pk, can_log_in=True, role=Role.PORTAL_USER)
    assert person.mails.get().kind == "accounts.credentials"


def test_role_belongs_to_a_login(cast: Cast) -> None:
    """U1: the database holds no contact with a role, and no login without one."""
    for changes in ({"can_log_in": False, "login": None}, {"role": ""}):
        with pytest.raises(IntegrityError), transaction.atomic():
            User.objects.filter(pk=cast.installer.pk).update(**changes)
