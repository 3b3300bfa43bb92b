"""The form of "Replace Activation ID"."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import UserStatus
from entitlements.items.fields import ReasonMixin
from entitlements.models import LineItem
from mxportal.shared.forms import KeyedForm


class ReplaceForm(ReasonMixin, KeyedForm):
    """The reason, and whether the contact gets the new ID at once (E5)."""

    send_mail = forms.BooleanField(required=False, initial=True)
    attach_certificate = forms.BooleanField(label=_("Attach certificate"), required=False)
    field_order = ("key", "reason")

    def __init__(self, *args: Any, item: LineItem, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].error_messages["required"] = _(
            "Enter why the ID is replaced. The reason is kept in the history."
        )
        label = _("Send the new Activation ID to %(contact)s <%(email)s>")
        self.fields["send_mail"].label = label % {"contact": item.contact, "email": item.contact.email}
        if item.contact.status != UserStatus.ACTIVE or not item.is_usable:
            del self.fields["send_mail"], self.fields["attach_certificate"]
