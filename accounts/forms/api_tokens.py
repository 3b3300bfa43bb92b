"""The form of a new API token (P1)."""

from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Layout
from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.forms.accounts import plain_helper
from accounts.forms.fields import model_fields
from accounts.models import ApiToken, User
from accounts.services.api_tokens import default_end, scopes_for
from mxportal.shared.forms import KeyedForm


class NewApiTokenForm(KeyedForm):
    """Name, scopes and last day."""

    def __init__(self, *args: Any, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields.update(model_fields(ApiToken, ["name"]))
        self.fields["name"].help_text = _("The program that uses the token, for example “ERP, orders”.")
        self.fields["scopes"] = forms.MultipleChoiceField(
            label=_("What is the token for?"),
            choices=[(scope.value, scope.label) for scope in scopes_for(actor)],
            widget=forms.CheckboxSelectMultiple,
            error_messages={"required": _("Choose what the token is for.")},
        )
        self.fields["expires_on"] = forms.DateField(
            label=_("Valid until"),
            required=False,
            initial=default_end,
            widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            help_text=_(
                "The last day on which the token works. The Portal Admins of the account get a "
                "reminder by e-mail before it ends."
            ),
        )

    @property
    def helper(self) -> FormHelper:
        """Lay the fields out below each other."""
        return plain_helper(Layout("name", "scopes", "expires_on"))
