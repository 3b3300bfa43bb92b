"""Forms that create, change and find accounts (A2, A3)."""

from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Div, Field, Fieldset, Layout
from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.forms.fields import ADDRESS_FIELDS, model_fields
from accounts.models import Account, AccountStatus, Tier, User
from accounts.models.account import AccountQuerySet, propose_account_id
from accounts.services.accounts import EDITABLE_FIELDS
from mxportal.shared.forms import KeyedForm

INLINE = {"wrapper_class": "mx-inline"}


def plain_helper(layout: Layout) -> FormHelper:
    """Return a helper that leaves the form element and its buttons to the page."""
    helper = FormHelper()
    helper.form_tag = False
    helper.render_hidden_fields = True  # the key
    helper.layout = layout
    return helper


class AccountForm(KeyedForm):
    """The fields of an account that can be changed (A3)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields.update(model_fields(Account, EDITABLE_FIELDS))
        self.fields["visible_to_partners"].help_text = _(
            "Yes: partners further up the channel, such as your distributor, see this account's name "
            "and details although they did not create it. No: they see “Name withheld”."
        )

    @property
    def helper(self) -> FormHelper:
        """Lay the fields out in the manual's order."""
        identity = [name for name in ("account_id", "name", "description", "tier") if name in self.fields]
        return plain_helper(
            Layout(
                Fieldset(_("Account"), *identity, Field("visible_to_partners", **INLINE)),
                Fieldset(_("Address"), Div(*ADDRESS_FIELDS, css_class="mx-form-grid")),
                Fieldset(_("Telephone and web"), Div("phone", "fax", "website", css_class="mx-form-grid")),
            )
        )


class NewAccountForm(AccountForm):
    """An account of a lower tier; ``tiers`` are the choices (A2)."""

    def __init__(self, *args: Any, actor: User, tiers: list[Tier], **kwargs: Any) -> None:
        initial = {
            "account_id": propose_account_id(),
            "country": str(actor.account.country),
            "tier": tiers[0],
        }
        super().__init__(*args, initial=initial, **kwargs)
        self.fields.update(model_fields(Account, ["account_id"]))
        if len(tiers) > 1 or tiers[0] != Tier.END_CUSTOMER:
            choices = [(tier.value, tier.label) for tier in tiers]
            self.fields["tier"] = forms.TypedChoiceField(label=_("Tier"), choices=choices, coerce=Tier)


class EditAccountForm(AccountForm):
    """An account whose Account ID is shown, because it is fixed once saved (A3)."""

    def __init__(self, *args: Any, account: Account, **kwargs: Any) -> None:
        initial = {name: getattr(account, name) for name in (*EDITABLE_FIELDS, "account_id")}
        super().__init__(*args, initial=initial | {"country": str(account.country)}, **kwargs)
        self.fields.update(model_fields(Account, ["account_id"]))
        self.fields["account_id"].disabled = True
        self.fields["account_id"].help_text = _("Cannot be changed after the account is created.")

    def service_data(self) -> dict[str, Any]:
        """Return the service's arguments, without what is fixed."""
        return {name: value for name, value in super().service_data().items() if name != "account_id"}


class AccountStatusForm(KeyedForm):
    """The new status; a second click does not change it back (A5)."""

    status = forms.TypedChoiceField(
        choices=AccountStatus.choices, coerce=AccountStatus, widget=forms.HiddenInput
    )


class RelationRequestForm(KeyedForm):
    """The Account ID of a partner whom a further seller asks (A2)."""

    account_id = forms.CharField(
        label=_("Account ID"),
        max_length=30,
        help_text=_(
            "Ask the partner for its Account ID. One of its Portal Admins then accepts or declines your "
            "request."
        ),
    )

    @property
    def helper(self) -> FormHelper:
        """Lay out one field."""
        return plain_helper(Layout("account_id"))


class AccountSearchForm(forms.Form):
    """Search and filters of a list of accounts; bound to the query of the address."""

    q = forms.CharField(
        label=_("Search"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"class": "form-control", "type": "search"}),
    )
    tier = forms.ChoiceField(
        label=_("Tier"), required=False, widget=forms.Select(attrs={"class": "form-select"})
    )
    status = forms.ChoiceField(
        label=_("Status"),
        required=False,
        choices=[("", _("All")), *AccountStatus.choices],
        widget=forms.Select(attrs={"class": "form-select"}),
    )

    def __init__(self, *args: Any, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tiers = [(tier.value, tier.label) for tier in actor.account.lower_tiers()]
        self.fields["tier"].choices = [("", _("All")), *tiers]  # type: ignore[attr-defined]

    def filter(self, accounts: AccountQuerySet) -> AccountQuerySet:
        """Return the accounts that match; none if the query is invalid."""
        if not self.is_valid():
            return accounts.none()
        if text := self.cleaned_data["q"]:
            accounts = accounts.named_like(text)
        chosen = {name: self.cleaned_data[name] for name in ("tier", "status") if self.cleaned_data[name]}
        return accounts.filter(**chosen)

    @property
    def is_narrowed(self) -> bool:
        """Return whether a filter was set."""
        return any(self.data.get(name) for name in self.fields)
