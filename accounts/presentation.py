"""What the pages of accounts and users show: states of logins, mails, tokens, and the audit trail in sentences."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.db.models import Q, QuerySet
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Account, ApiToken, AuditEntry, Scope, User, UserStatus
from accounts.services.credentials import mails_to
from accounts.visibility import visible_names
from notifications.bounces import refusals_of
from notifications.models import RefusedAddress, Status
from notifications.registry import kind_label

ENTRIES_SHOWN = 30
SENTENCES = {
    "account_created": gettext_lazy("%(who)s created the account."),
    "account_changed": gettext_lazy("%(who)s changed: %(fields)s."),
    "account_active": gettext_lazy("%(who)s set the account active."),
    "account_inactive": gettext_lazy("%(who)s set the account inactive."),
    "relation_requested": gettext_lazy("%(who)s asked to sell to this account (seller: %(seller)s)."),
    "relation_accepted": gettext_lazy("%(who)s accepted the seller %(seller)s."),
    "relation_moved": gettext_lazy("%(who)s transferred the account to the seller %(seller)s."),
    "relation_declined": gettext_lazy("%(who)s declined the seller %(seller)s."),
    "user_created": gettext_lazy("%(who)s created this person."),
    "user_changed": gettext_lazy("%(who)s changed: %(fields)s."),
    "credentials_sent": gettext_lazy("%(who)s sent new credentials."),
    "api_token_created": gettext_lazy("%(who)s created the API token “%(token)s”."),
    "api_token_revoked": gettext_lazy("%(who)s revoked the API token “%(token)s”."),
    "api_token_taken_over": gettext_lazy("%(who)s took over the API token “%(token)s”."),
    "profile_changed": gettext_lazy("%(who)s changed the profile."),
}


@dataclass(frozen=True)
class HistoryLine:
    """One entry of the audit trail as a sentence."""

    at: datetime
    text: str
    reason: str


def history(actor: User, about: Account | User) -> list[HistoryLine]:
    """Return the newest entries about an account or a person, as far as the actor may know who did what."""
    entries = AuditEntry.objects.visible_to(actor).about(about).select_related("actor__account")
    shown = list(entries[:ENTRIES_SHOWN])
    names = _names_of_people(actor, {entry.actor for entry in shown if entry.actor})
    return [
        HistoryLine(entry.created_at, _sentence(entry, names, type(about)), entry.reason) for entry in shown
    ]


def _names_of_people(actor: User, people: set[User]) -> dict[int, str]:
    """Return a person's name if the actor may see it, otherwise the account's; MOBOTIX's is visible to everybody."""
    visible = set(
        User.objects.visible_to(actor).filter(pk__in=[p.pk for p in people]).values_list("pk", flat=True)
    )
    accounts = visible_names(actor, [person.account_id for person in people if person.pk not in visible])
    accounts |= {person.account_id: person.account.name for person in people if person.account.is_mobotix}
    return {
        person.pk: str(person) if person.pk in visible else str(accounts[person.account_id])
        for person in people
    }


def _sentence(entry: AuditEntry, names: dict[int, str], model: type[models.Model]) -> str:
    who = names[entry.actor_id] if entry.actor_id else _("The portal")
    fields = ", ".join(_labels(model, entry.details)) or _("nothing")
    values: dict[str, Any] = {"seller": "–", **entry.details, "who": who, "fields": fields}
    return str(SENTENCES.get(entry.action, entry.action)) % values


def _labels(model: type[models.Model], names: Iterable[str]) -> Iterable[str]:
    for name in names:
        try:
            yield str(getattr(model._meta.get_field(name), "verbose_name", name))
        except FieldDoesNotExist:
            continue


def login_state(user: User) -> str:
    """Say in a few words whether and when this person last logged in (U6)."""
    if not user.can_log_in:
        return _("Contact, no login")
    if user.status != UserStatus.ACTIVE:
        return _("Cannot log in")
    if user.temporary_password_expired:
        return _("Temporary password expired")
    if user.must_change_password:
        return _("Has not set a password yet")
    if user.shared_login:
        return _("Shared login, not recorded")
    return date_format(localtime(user.last_login), "SHORT_DATETIME_FORMAT") if user.last_login else _("Never")


@dataclass(frozen=True)
class PersonRow:
    """A person of a list: the last login, and whether mails reach the person."""

    user: User
    login_state: str
    refusal: RefusedAddress | None


def person_rows(people: Iterable[User]) -> list[PersonRow]:
    """Return the rows, with one query for refused addresses."""
    people = list(people)
    refused = refusals_of(person.email for person in people)
    return [PersonRow(person, login_state(person), refused.get(person.email)) for person in people]


@dataclass(frozen=True)
class UserMail:
    """A mail to a person, with its subject."""

    user_id: int
    mail: Any
    subject: str


def _user_mails(rows: Iterable[Any]) -> list[UserMail]:
    rows = list(rows)
    for row in rows:
        row.mail.addressee, row.mail.may_correct = row.user, True  # the reader manages the person
    return [UserMail(row.user_id, row.mail, kind_label(row.mail.kind)) for row in rows]


def mails_of(people: "QuerySet[User]") -> list[UserMail]:
    """Return the newest mails to these people, with their status (N2)."""
    return _user_mails(mails_to(people)[:10])


def unsent_mails(people: "QuerySet[User]") -> list[UserMail]:
    """Return mails to these people that failed, or wait after a failure (N2)."""
    waiting = Q(mail__status=Status.FAILED) | Q(mail__status=Status.QUEUED) & ~Q(mail__failure="")
    return _user_mails(mails_to(people).filter(waiting)[:10])


@dataclass(frozen=True)
class TokenRow:
    """A token of the list. ``state`` is active, revoked, expired, suspended, or inactive if its person may not act.

    ``goes_on`` says that it has not ended and can be taken over.
    """

    token: ApiToken
    state: str
    scopes: list[str]
    goes_on: bool


def token_rows(tokens: Iterable[ApiToken]) -> list[TokenRow]:
    """Return the rows of tokens with user, account and maker selected, without a query."""
    return [
        TokenRow(
            token,
            _token_state(token),
            [Scope(scope).short_label for scope in token.scopes],
            not token.is_ended,
        )
        for token in tokens
    ]


def _token_state(token: ApiToken) -> str:
    if token.revoked_at:
        return "revoked"
    if token.is_ended:
        return "expired"
    if token.is_suspended:
        return "suspended"
    return "active" if token.has_person else "inactive"
