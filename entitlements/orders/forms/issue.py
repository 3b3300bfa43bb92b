"""Create Entitlement: the order, its lines, and deploying them."""

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
from entitlements.orders.services.issue import NewLine, check_line
from mxportal.shared.drafts import PARAMETER, Sent
from mxportal.shared.forms import KeyedForm
from mxportal.shared.numbers import typed_number
from mxportal.shared.text import only_what_is_seen

MOST_LINES = 100
PREFIX = "lines"
LINE_FIELDS = ("product", "quantity", "starts_on", "expires_on", "permanent")


class EntitlementForm(KeyedForm):
    """The head of an order. Account and contact come from the magnifier's dialog."""

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
        """The account to show."""
        return Account.objects.visible_to(self.actor).filter(pk=_number(self["owner"].value())).first()

    @cached_property
    def chosen_contact(self) -> User | None:
        """The contact to show, of that account."""
        persons = User.objects.visible_to(self.actor).filter(account=self.chosen_account)
        return persons.filter(pk=_number(self["contact"].value())).first()

    def order(self) -> dict[str, Any]:
        """The service's arguments."""
        data = self.service_data()
        return {"owner_id": data.pop("owner"), "contact_id": data.pop("contact"), **data}


def _number(value: Any) -> int:
    return typed_number(str(value or "")) or 0


class MoreLinesForm(KeyedForm):
    """Lines that are added later, with the contact who gets them."""

    contact: forms.ModelChoiceField = forms.ModelChoiceField(label=_("Contact"), queryset=None)

    def __init__(self, *args: Any, persons: QuerySet[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["contact"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = persons.order_by("last_name", "pk")

    def order(self) -> dict[str, Any]:
        """The service's arguments."""
        return {"contact_id": self.cleaned_data["contact"].pk}


class ProductField(forms.ModelChoiceField):
    """Products by part number, which is what an order names."""

    def label_from_instance(self, product: Product) -> str:
        """Part number and name."""
        return f"{product.part_number} – {product.name}"


class LineForm(forms.Form):
    """E1: product, quantity, start date, and expiration date or permanent."""

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
        """The service's own rules, each at its field."""
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
        """For the service."""
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
    max_num=MOST_LINES,
    validate_max=True,
    absolute_max=MOST_LINES,
)


NO_EMPTY_LINES = {"empty_permitted": False}


def new_row() -> dict[str, Any]:
    """An empty line."""
    return {"starts_on": today()}


def typed_rows(query: QueryDict) -> list[dict[str, Any]]:
    """The lines as they were typed, right or wrong, so that one can be added or taken out and nothing is lost."""
    total = min(_number(query.get(f"{PREFIX}-TOTAL_FORMS")), MOST_LINES)
    return [{name: query.get(f"{PREFIX}-{row}-{name}", "") for name in LINE_FIELDS} for row in range(total)]


def posted_lines(data: QueryDict) -> BaseFormSet:
    """The lines to be judged and saved."""
    return LineFormSet(data, prefix=PREFIX, form_kwargs=NO_EMPTY_LINES)


def lines_of(rows: list[dict[str, Any]]) -> BaseFormSet:
    """A form for each row, without judging it."""
    return LineFormSet(prefix=PREFIX, initial=rows or [new_row()], form_kwargs=NO_EMPTY_LINES)


def filled(query: QueryDict, typed: Sent | None) -> dict[str, str]:
    """What an address fills in: account and contact from the dialog, and what had been typed before it opened."""
    values = {name: str(query[name]) for name in query if name not in ("account", PARAMETER)}
    if "account" in query:
        values["owner"] = str(query["account"])
    return values


class DeployForm(KeyedForm):
    """E1: "Deploy" with "Send e-mail" ticked."""

    send_mail = forms.BooleanField(label=_("Send e-mail"), required=False, initial=True)
