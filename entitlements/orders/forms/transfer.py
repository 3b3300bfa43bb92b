"""Forms with which MOBOTIX transfers an account."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.forms.pickers import search_field
from accounts.models import Account
from accounts.models.account import AccountQuerySet
from entitlements.items.fields import ReasonMixin
from mxportal.shared.forms import KeyedForm, NumberField


class SellerSearchForm(forms.Form):
    """Search for the new seller; bound to the query of the address (A7)."""

    q = search_field()

    def filter(self, accounts: AccountQuerySet) -> AccountQuerySet:
        """Return the accounts whose name or Account ID contains the text."""
        if not self.is_valid():
            return accounts.none()
        return accounts.named_like(self.cleaned_data["q"]) if self.cleaned_data["q"] else accounts


class TransferForm(ReasonMixin, KeyedForm):
    """The seller that the account leaves, the new seller, and the reason (A7)."""

    former_id = forms.TypedChoiceField(
        label=_("From the seller"),
        coerce=int,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose the seller that the account leaves.")},
    )
    seller_id = NumberField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, sellers: list[Account], seller: Account, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["seller_id"].initial = seller.pk
        choices = [(one.pk, f"{one.name} ({one.account_id})") for one in sellers]
        self.fields["former_id"].choices = choices  # type: ignore[attr-defined]
        self.fields["former_id"].initial = choices[0][0] if len(choices) == 1 else None
        self.fields["reason"].help_text = _(
            "The account and its new seller can read the reason in the history."
        )
