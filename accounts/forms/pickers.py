"""Filters of the magnifier's lists; bound to the query of the address, and never refused."""

from typing import Any

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Tier, User
from accounts.models.account import AccountQuerySet
from accounts.models.user import UserQuerySet
from mxportal.shared.fields import fold


def search_field() -> forms.CharField:
    """Return a field with one line to search with."""
    widget = forms.TextInput(attrs={"class": "form-control", "type": "search"})
    return forms.CharField(label=_("Search"), required=False, max_length=200, widget=widget)


class AccountPickForm(forms.Form):
    """Distribution Tier Type and a search."""

    tier = forms.ChoiceField(
        label=_("Distribution Tier Type"), widget=forms.Select(attrs={"class": "form-select"})
    )
    q = search_field()

    def __init__(self, query: Any, *, actor: User) -> None:
        tiers = actor.account.lower_tiers()
        if query.get("tier") not in tiers:
            query = query.copy()
            query["tier"] = str(tiers[0]) if tiers else ""
        super().__init__(query)
        self.fields["tier"].choices = [(tier.value, tier.label) for tier in tiers]  # type: ignore[attr-defined]

    @property
    def tier_chosen(self) -> Tier:
        """Return the tier whose accounts are shown."""
        return Tier(self.data["tier"])

    def filter(self, accounts: AccountQuerySet) -> AccountQuerySet:
        """Return the accounts of the tier that match; none if the query is invalid."""
        if not self.is_valid():
            return accounts.none()
        found = accounts.filter(tier=self.cleaned_data["tier"])
        return found.named_like(self.cleaned_data["q"]) if self.cleaned_data["q"] else found


class ContactPickForm(forms.Form):
    """A search among the persons of one account. ``q`` is the previous search for the account."""

    person = search_field()

    def filter(self, people: UserQuerySet) -> UserQuerySet:
        """Return the persons whose name or address contains the text."""
        if not self.is_valid():
            return people.none()
        text = self.cleaned_data["person"]
        named = Q(first_name__icontains=text) | Q(last_name__icontains=text) | Q(display_name__icontains=text)
        return people.filter(named | Q(email_key__contains=fold(text))) if text else people
