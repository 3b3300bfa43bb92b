"""Forms of "Split Entitlement Line Item", for all of its steps, and of "Undo split"."""

from collections.abc import Callable
from typing import Any, TypeVar

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, User
from entitlements.items.checks import check_copies
from entitlements.items.fields import ChosenField, CopiesField, ReasonMixin
from entitlements.items.predicates import needs_reason
from entitlements.models import LineItem
from entitlements.splits.services.split import find_contact, find_target
from mxportal.shared.drafts import Sent
from mxportal.shared.forms import KeyedForm
from mxportal.shared.numbers import typed_number
from mxportal.shared.text import only_what_is_seen

T = TypeVar("T")
TICKS = ("send_mail", "attach_certificate")
CARRIED_FIELDS = ("key", "copies", "order_number", *TICKS)


class SplitForm(KeyedForm):
    """Target, contact and number of copies; also the summary's ticks, so that going back and forth keeps them.

    The form checks only the types of its values. The service judges them under its lock, after it has looked whether
    this request was already carried out (E7).
    """

    target = ChosenField(_("Choose the account that the copies go to."))
    contact = ChosenField(_("Choose a contact of the target account."))
    copies = CopiesField()
    order_number = forms.CharField(
        label=_("Order number of the buyer"),
        max_length=60,
        required=False,
        validators=[only_what_is_seen],
        help_text=_("Line items of the same order share one entitlement and one certificate."),
    )
    send_mail = forms.BooleanField(label=_("Send e-mail"), required=False, initial=True)
    attach_certificate = forms.BooleanField(label=_("Attach certificate"), required=False)

    def __init__(self, *args: Any, actor: User, item: LineItem, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor, self.item = actor, item
        self.show_available()

    def show_available(self) -> None:
        """Write the copies that are available now into the label of the amount."""
        label = _("Split Amount (of %(available)s available)")
        self.fields["copies"].label = label % {"available": self.item.available}

    @cached_property
    def chosen_account(self) -> Account | None:
        """Return the account to show; None if no account is chosen or the chosen one is not allowed."""
        return _find_or_none(lambda: find_target(self.actor, self._chosen("target")))

    @cached_property
    def chosen_contact(self) -> User | None:
        """Return the contact to show; None if no contact is chosen or the chosen one is not allowed."""
        account = self.chosen_account
        return _find_or_none(lambda: find_contact(account, self._chosen("contact"))) if account else None

    def _chosen(self, name: str) -> int:
        return typed_number(str(self[name].value() or "")) or 0

    def service_arguments(self) -> dict[str, Any]:
        """Return the arguments of the service."""
        data = self.service_data()
        return {"target_id": data.pop("target"), "contact_id": data.pop("contact"), **data}


class CheckedSplitForm(SplitForm):
    """The form of the summary, which reports every mistake at its field (E6)."""

    def clean(self) -> dict[str, Any]:
        """Check the target, its contact, and the copies against what is available now."""
        data, account = self.cleaned_data, self.chosen_account
        if "target" in data:
            self._report_refusal(lambda: find_target(self.actor, data["target"]))
        if account is not None and "contact" in data:
            self._report_refusal(lambda: find_contact(account, data["contact"]))
        if "copies" in data:
            self._report_refusal(lambda: check_copies(data["copies"], self.item.available))
        return self.cleaned_data

    def _report_refusal(self, check: Callable[[], object]) -> None:
        try:
            check()
        except ValidationError as error:
            self.add_service_error(error)


def _find_or_none(find: Callable[[], T]) -> T | None:
    try:
        return find()
    except ValidationError:
        return None


def prefilled(query: QueryDict, typed: Sent | None) -> dict[str, str]:
    """Return the values from the query: account and contact from the dialog, and what was typed before it opened."""
    values = {name: str(query[name]) for name in CARRIED_FIELDS if name in query}
    if "account" in query:
        values |= {"target": str(query["account"]), "contact": query.get("contact", "")}
    return values if typed else {"send_mail": "true", **values}


class UndoForm(ReasonMixin, KeyedForm):
    """Number of copies that come back, prefilled with all that are available, and the reason (E8)."""

    copies = CopiesField()

    def __init__(self, *args: Any, actor: User, item: LineItem, **kwargs: Any) -> None:
        super().__init__(*args, needs_reason=needs_reason(actor, item), **kwargs)
        self.fields["copies"].initial = item.available
        self.fields["copies"].label = _("Copies to take back (of %(available)s available)") % {
            "available": item.available
        }
