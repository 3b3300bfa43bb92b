"""The form with which MOBOTIX changes a state."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from entitlements.items.fields import ReasonMixin
from entitlements.items.predicates import needs_reason
from entitlements.models import LineItem, State
from entitlements.orders.services.states import ALLOWED_CHANGES
from mxportal.shared.forms import KeyedForm

STATE_MEANINGS = {
    State.DEPLOYED: _("Deployed – can be split, e-mailed and activated"),
    State.INACTIVE: _(
        "Inactive – nothing can be done with it until it is deployed again; licenses keep running"
    ),
    State.OBSOLETE: _("Obsolete – final: it cannot be changed back, and its licenses are revoked"),
}


class StateForm(ReasonMixin, KeyedForm):
    """The states that the item can get next (E3)."""

    state = forms.TypedChoiceField(
        label=_("New state"),
        choices=State.choices,
        coerce=State,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose the new state.")},
    )
    with_splits = forms.BooleanField(required=False)
    final = forms.BooleanField(label=_("I know that Obsolete is final."), required=False)
    field_order = ("key", "state", "with_splits", "reason")

    def __init__(self, *args: Any, actor: User, item: LineItem, below: int, **kwargs: Any) -> None:
        super().__init__(*args, needs_reason=needs_reason(actor, item), **kwargs)
        # The service judges what was sent: the request may already be carried out (E7).
        self.fields["state"].widget.choices = [
            (state.value, STATE_MEANINGS[state]) for state in ALLOWED_CHANGES[State(item.state)]
        ]
        self.fields["with_splits"].label = _("Including everything split from it (line items: %(count)s)") % {
            "count": below
        }
        if not below:
            del self.fields["with_splits"]

    def clean(self) -> dict[str, Any]:
        """Ask for a confirmation of Obsolete, which is final."""
        if self.cleaned_data.get("state") == State.OBSOLETE and not self.cleaned_data.get("final"):
            self.add_error("final", _("Tick this box to make the line item obsolete. This is final."))
        return self.cleaned_data

    def service_data(self) -> dict[str, Any]:
        """Return the service's arguments, without the confirmation."""
        return {name: value for name, value in super().service_data().items() if name != "final"}
