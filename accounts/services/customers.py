"""Create many End customers at once, each with contacts, for a bulk split (A2, A3)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models.functions import Upper
from django.utils import timezone
from django.utils.translation import gettext as _
from django_countries import countries

from accounts.models import Account, AuditEntry, RelationStatus, SellingRelation, Tier, User
from accounts.models.account import AccountQuerySet, account_id_characters, propose_account_id
from accounts.permissions import Permission, check_permission
from accounts.services.accounts import NAME_KEY_LENGTH, name_in_use, name_too_long
from mxportal.shared.fields import fold
from mxportal.shared.refusals import Coded, coded, refusal

ROWS_PER_QUERY = 500
MAX_LENGTHS = {"account_id": 30, "name": 200}
MAX_PERSON_NAME_LENGTH, MAX_EMAIL_LENGTH = 100, 254


@dataclass(frozen=True)
class NewContact:
    """A person of a new customer."""

    email: str
    first_name: str
    last_name: str


@dataclass
class NewCustomer:
    """A future End customer; without an Account ID it gets a free one. ``contacts`` are by folded address."""

    account_id: str
    name: str
    country: str
    contacts: dict[str, NewContact] = field(default_factory=dict)


CreatedCustomer = tuple[Account, dict[str, User]]


def lock_seller(actor: User) -> None:
    """Lock the seller's row, the lock for the names of its buyers, before locks on line items (A3)."""
    Account.objects.for_update().get(pk=actor.account_id)


def check_contact(contact: NewContact) -> dict[str, str]:
    """Return what is wrong with a person, by field; {} if nothing is."""
    errors: dict[str, str] = {}
    for name in ("first_name", "last_name"):
        text = getattr(contact, name)
        if not text:
            errors[name] = Coded("name-needed", _("A new contact needs a first and a last name."))
        elif len(text) > MAX_PERSON_NAME_LENGTH:
            errors[name] = Coded("name-too-long", name_too_long().messages[0])
    try:
        if len(contact.email) > MAX_EMAIL_LENGTH or not contact.email.isprintable():
            raise ValidationError("")
        validate_email(contact.email)
    except ValidationError:
        errors["email"] = Coded("wrong-address", _("Enter the contact’s e-mail address."))
    return errors


def check_customers(*, actor: User, customers: Sequence[NewCustomer]) -> list[dict[str, str]]:
    """Return what is wrong with each customer, by field (A2, A3). Takes a fixed number of queries for each 500.

    Raises PermissionDenied if the actor may not create accounts.
    """
    check_permission(actor, Permission.CREATE_ACCOUNTS)
    check_permission(actor, Permission.MANAGE_USERS)
    known = _ids_among(Account.objects.visible_to(actor), customers)
    names = _names_of_buyers(actor, {fold(customer.name) for customer in customers})
    errors = []
    for customer in customers:
        errors.append(_check_customer(customer, known, names))
        names.add(fold(customer.name))
    return errors


def _check_customer(customer: NewCustomer, known: set[str], names: set[str]) -> dict[str, str]:
    checks = {
        "account_id": lambda: _check_account_id(customer.account_id, known),
        "name": lambda: _check_name(customer.name, names),
        "country": lambda: _check_country(customer.country),
    }
    errors: dict[str, str] = {}
    for name, check in checks.items():
        try:
            check()
        except ValidationError as error:
            errors[name] = coded(error)
    return errors


def _check_account_id(account_id: str, known: set[str]) -> None:
    """Check an Account ID only against accounts that the actor sees: an error would tell that others exist."""
    if not account_id:
        return
    account_id_characters(account_id)
    if len(account_id) > MAX_LENGTHS["account_id"]:
        raise refusal("too-long", _("This is too long. Please shorten it."))
    if account_id.upper() in known:
        raise refusal(
            "wrong-account",
            _("You cannot split to the account with this ID: it is inactive, or you do not sell to it."),
        )


def _check_name(name: str, names: set[str]) -> None:
    if not name:
        raise refusal("name-needed", _("A new end customer needs an account name."))
    if len(name) > MAX_LENGTHS["name"] or len(fold(name)) > NAME_KEY_LENGTH:
        raise name_too_long()
    if fold(name) in names:
        raise name_in_use()


def _check_country(country: str) -> None:
    if country not in countries:
        raise refusal("wrong-country", _("Enter the country, for example DE or Germany."))


def _ids_among(accounts: AccountQuerySet, customers: Iterable[NewCustomer]) -> set[str]:
    """Return the customers' Account IDs, in upper case, that these accounts have."""
    by_id = accounts.annotate(upper=Upper("account_id"))
    found: set[str] = set()
    for chunk in chunks({customer.account_id.upper() for customer in customers if customer.account_id}):
        found.update(by_id.filter(upper__in=chunk).values_list("upper", flat=True))
    return found


def _names_of_buyers(actor: User, names: set[str]) -> set[str]:
    bought = SellingRelation.objects.accepted().filter(seller=actor.account)
    found: set[str] = set()
    for chunk in chunks(names):
        found.update(bought.filter(buyer__name_key__in=chunk).values_list("buyer__name_key", flat=True))
    return found


def chunks(values: Iterable[str]) -> Iterable[list[str]]:
    """Yield parts that fit into one query."""
    ordered = sorted(values)
    return (ordered[start : start + ROWS_PER_QUERY] for start in range(0, len(ordered), ROWS_PER_QUERY))


def create_customers(*, actor: User, customers: Sequence[NewCustomer]) -> list[CreatedCustomer]:
    """Create what ``check_customers`` found correct, in the caller's transaction after ``lock_seller``.

    If another account has the Account ID, the customer gets a free one (A3).
    """
    taken = _ids_among(Account.objects.all(), customers)
    accounts = Account.objects.bulk_create(
        Account(
            account_id=_free_id(customer.account_id, taken),
            name=customer.name,
            country=customer.country,
            tier=Tier.END_CUSTOMER,
        )
        for customer in customers
    )
    _relate(actor, accounts)
    people = [_persons(account, customer) for account, customer in zip(accounts, customers, strict=True)]
    everybody = User.objects.bulk_create(person for persons in people for person in persons.values())
    _audit(actor, "account_created", accounts)
    _audit(actor, "user_created", everybody)
    return list(zip(accounts, people, strict=True))


def _free_id(asked: str, taken: set[str]) -> str:
    return asked if asked and asked.upper() not in taken else propose_account_id()


def _relate(actor: User, accounts: Sequence[Account]) -> None:
    SellingRelation.objects.bulk_create(
        SellingRelation(
            seller_id=actor.account_id,
            buyer=account,
            status=RelationStatus.ACCEPTED,
            requested_by=actor,
            decided_by=actor,
            decided_at=timezone.now(),
        )
        for account in accounts
    )


def _persons(account: Account, customer: NewCustomer) -> dict[str, User]:
    """Return contacts, who never log in; their language is unknown, so it is the portal's (U5)."""
    persons = {}
    for key, contact in customer.contacts.items():
        person = User(
            account=account,
            email=contact.email,
            first_name=contact.first_name,
            last_name=contact.last_name,
            country=customer.country,
        )
        person.set_unusable_password()
        persons[key] = person
    return persons


def _audit(actor: User, action: str, made: Iterable[Account | User]) -> None:
    AuditEntry.objects.bulk_create(
        AuditEntry(actor=actor, action=action, object_type=one._meta.label_lower, object_id=one.pk)
        for one in made
    )
