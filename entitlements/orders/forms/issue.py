"""Forms that create an entitlement, edit its lines and deploy them."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms import BaseFormSet, formset_factory
from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, User
from entitlements.items.fields import ChosenField, CopiesField, DayField
from entitlements.models import Product, today
from entitlements.orders.services.issue import MAX_LINES_PER_ORDER, NewLine, check_line
from mxportal.shared.drafts import PARAMETER, Sent
from mxportal.shared.forms import KeyedForm
from mxportal.shared.numbers import typed_number
from mxportal.shared.rows import changed_rows, typed_rows
from mxportal.shared.text import only_what_is_seen

LINES_PREFIX = "lines"


class EntitlementForm(KeyedForm):
    """The order without its lines. Account and contact come from the magnifier's dialog."""

    owner = ChosenField(_("Choose the account that the entitlement is sold to."))
    contact = ChosenField(_("Choose a contact of the account."))
    order_number = forms.CharField(
        label=_("Order number"), max_length=60, required=False, validators=[only_what_is_seen]
    )
    order_date = DayField(label=_("Order date"), required=False)

    def __init__(self, *args: Any, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor = actor

    @cached_property
    def chosen_account(self) -> Account | None:
        """Return the account to show; None if none is chosen or it is not visible."""
        return Account.objects.visible_to(self.actor).filter(pk=_number(self["owner"].value())).first()

    @cached_property
    def chosen_contact(self) -> User | None:
        """Return the contact to show; None if none is chosen or it is not of that account."""
        persons = User.objects.visible_to(self.actor).filter(account=self.chosen_account)
        return persons.filter(pk=_number(self["contact"].value())).first()

    def service_arguments(self) -> dict[str, Any]:
        """Return the arguments of the service."""
        data = self.service_data()
        return {"owner_id": data.pop("owner"), "contact_id": data.pop("contact"), **data}


def _number(value: Any) -> int:
    return typed_number(str(value or "")) or 0


class MoreLinesForm(KeyedForm):
    """The contact of lines that are added later."""

    contact: forms.ModelChoiceField = forms.ModelChoiceField(label=_("Contact"), queryset=None)

    def __init__(self, *args: Any, persons: QuerySet[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["contact"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = persons.order_by("last_name", "pk")

    def service_arguments(self) -> dict[str, Any]:
        """Return the arguments of the service."""
        return {"contact_id": self.cleaned_data["contact"].pk}


class ProductField(forms.ModelChoiceField):
    """A choice of products by part number, as orders name them."""

    def label_from_instance(self, product: Product) -> str:
        """Return part number and name."""
        return f"{product.part_number} – {product.name}"


class LineForm(forms.Form):
    """One line: product, quantity, start date, and expiration date or permanent (E1)."""

    product = ProductField(
        label=_("Product"),
        queryset=Product.objects.active().order_by("part_number"),
        empty_label=_("Choose a product"),
        error_messages={"required": _("Choose a product."), "invalid_choice": _("Choose an active product.")},
    )
    quantity = CopiesField(label=_("Quantity"))
    starts_on = DayField(label=_("Start date"), error_messages={"required": _("Enter the start date.")})
    expires_on = DayField(label=_("Expiration date"), required=False)
    permanent = forms.BooleanField(label=_("Permanent"), required=False)

    def clean(self) -> dict[str, Any]:
        """Apply the service's rules, each at its field."""
        data = self.cleaned_data
        self._check_end(data.get("expires_on"), data.get("permanent"))
        if not self.errors:
            self._check_line()
        return data

    def _check_end(self, expires_on: Any, permanent: Any) -> None:
        if expires_on and permanent:
            self.add_error("expires_on", _("Enter an expiration date or tick “Permanent”, not both."))
        if not expires_on and not permanent and "expires_on" not in self.errors:
            self.add_error("expires_on", _("Enter an expiration date, or tick “Permanent”."))

    def _check_line(self) -> None:
        try:
            check_line(self.line())
        except ValidationError as error:
            for field, problems in error.error_dict.items():
                self.add_error(field, problems)

    def line(self) -> NewLine:
        """Return the line for the service."""
        data = self.cleaned_data
        return NewLine(
            product_id=data["product"].pk,
            quantity=data["quantity"],
            starts_on=data["starts_on"],
            expires_on=data["expires_on"],
        )


LineFormSet = formset_factory(
    LineForm,
    formset=BaseFormSet,
    extra=0,
    min_num=1,
    validate_min=True,
    max_num=MAX_LINES_PER_ORDER,
    validate_max=True,
    absolute_max=MAX_LINES_PER_ORDER,
)


NO_EMPTY_LINES = {"empty_permitted": False}


def new_row() -> dict[str, Any]:
    """Return the initial values of an empty line."""
    return {"starts_on": today()}


def changed_lines(sent: Sent) -> BaseFormSet:
    """Return the lines as typed, with one more line, or without the line whose "Remove" was pressed."""
    rows: list[dict[str, Any]] = [
        *typed_rows(sent, LINES_PREFIX, LineForm.base_fields, most=MAX_LINES_PER_ORDER)
    ]
    return line_forms(changed_rows(rows, sent, new_row))


def posted_lines(data: QueryDict) -> BaseFormSet:
    """Return the lines to check and save."""
    return LineFormSet(data, prefix=LINES_PREFIX, form_kwargs=NO_EMPTY_LINES)


def line_forms(rows: list[dict[str, Any]]) -> BaseFormSet:
    """Return a form for each row, without checking it."""
    return LineFormSet(prefix=LINES_PREFIX, initial=rows or [new_row()], form_kwargs=NO_EMPTY_LINES)


def prefilled(query: QueryDict, typed: Sent | None) -> dict[str, str]:
    """Return the values from the query: account and contact from the dialog, and what was typed before it opened."""
    values = {name: str(query[name]) for name in query if name not in ("account", PARAMETER)}
    if "account" in query:
        values["owner"] = str(query["account"])
    return values


class DeployForm(KeyedForm):
    """ "Deploy" with "Send e-mail" ticked (E1)."""

    send_mail = forms.BooleanField(label=_("Send e-mail"), required=False, initial=True)
