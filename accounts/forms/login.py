"""Forms of the login and the forgotten password (U4, U8)."""

from typing import Any

from allauth.account import forms as allauth_forms
from django import forms
from django.contrib.auth.signals import user_login_failed
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, validate_email
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.services.credentials import request_password_reset, set_password_by_link
from mxportal.shared.fields import fold

MAX_EMAIL_LENGTH = 254  # as in every table


class LoginForm(allauth_forms.LoginForm):
    """User ID and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = _("User ID (your e-mail address)")
        self.fields["login"].widget = forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True})
        self.fields["password"].widget.attrs.pop("placeholder", None)
        self.fields["password"].help_text = ""

    def clean(self) -> dict[str, Any]:
        """Say that a temporary password has expired, but only to a person who knows it (U4)."""
        cleaned = super().clean()
        if self.user and self.user.temporary_password_expired:
            user_login_failed.send(
                sender=__name__, credentials={"username": self.user.login}, request=self.request
            )
            raise ValidationError(
                _("Your temporary password has expired. Choose “Forgotten password?” to set a new one."),
                code="temporary_password_expired",
            )
        return cleaned


class ResetPasswordForm(allauth_forms.ResetPasswordForm):
    """The address for the one-time link. Nobody learns whether it exists (U8)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("User ID (your e-mail address)")
        self.fields["email"].widget.attrs.pop("placeholder", None)

    def clean_email(self) -> str:
        """Return the folded address without looking it up: allauth would accept old addresses, which must not reset.

        An address that is invalid once it is folded, or longer than the portal keeps, is a mistake at its field.
        """
        email = fold(self.cleaned_data["email"])
        validate_email(email)
        MaxLengthValidator(MAX_EMAIL_LENGTH)(email)
        return email

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        """Queue the mail; its link is made at delivery."""
        email = str(self.cleaned_data["email"])
        request_password_reset(email=email)
        return email


class ResetPasswordKeyForm(allauth_forms.ResetPasswordKeyForm):
    """The user's own password, set by the link."""

    def save(self) -> None:
        """Set the password. Raises LinkUsedError if the link was used in the meantime."""
        password = self.cleaned_data["password1"]
        user = set_password_by_link(user_id=self.user.pk, token=self.temp_key, password=password)
        self.user.password = user.password  # which allauth's signal uses


class ChangePasswordForm(allauth_forms.ChangePasswordForm):
    """The user's own password."""

    def clean(self) -> dict[str, Any]:
        """Refuse the temporary password as the lasting one (U4)."""
        cleaned: dict[str, Any] = super().clean()
        if cleaned.get("password1") and cleaned.get("password1") == cleaned.get("oldpassword"):
            self.add_error("password1", _("Choose a password that differs from your current one."))
        return cleaned
