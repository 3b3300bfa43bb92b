"""Forms that create and change users and contacts, and the user's own profile (U1–U5)."""

from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Div, Field, Fieldset, Layout
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.forms.accounts import INLINE, plain_helper
from accounts.forms.fields import ADDRESS_FIELDS, TimeZoneField, YesNoField, model_fields
from accounts.models import Account, Role, Tier, User, UserStatus
from accounts.services.users import PROFILE_FIELDS
from mxportal.shared.forms import KeyedForm

NAME_FIELDS = ("first_name", "last_name", "display_name")
PHONE_FIELDS = ("phone", "mobile", "fax")
LOGIN_ONLY = "mx-login-only"  # hidden by the style sheet while "Can this user log in?" says No


class PersonForm(KeyedForm):
    """The fields of all persons, with a login or without."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields.update(model_fields(User, ("status", "email", *PROFILE_FIELDS)))
        self.fields["time_zone"] = TimeZoneField(present=self.initial.get("time_zone"))

    def details(self, *more: Any) -> Fieldset:
        """Return name, address, numbers and language as one part of the page."""
        return Fieldset(
            _("Contact details"),
            Div(*NAME_FIELDS, "email", css_class="mx-form-grid"),
            Div(*PHONE_FIELDS, css_class="mx-form-grid"),
            Div(*ADDRESS_FIELDS, css_class="mx-form-grid"),
            Div("language", *more, css_class="mx-form-grid"),
        )


class UserForm(PersonForm):
    """A user or a contact at an account (U1)."""

    can_log_in = YesNoField(
        label=_("Can this user log in?"),
        help_text=_("Yes: a user of the portal, who gets a user ID and a password. No: a contact only."),
    )
    role = forms.MultipleChoiceField(
        label=_("Roles"),
        choices=Role.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_(
            "Portal Admin User Role: may add other users and split entitlements (view and edit). "
            "Portal User Role: may not (view only). If both are ticked, the Portal Admin User Role "
            "applies."
        ),
    )

    def __init__(self, *args: Any, account: Account, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields.update(model_fields(User, ["shared_login"]))
        self.account = account
        self.never_logs_in = account.tier == Tier.END_CUSTOMER
        if self.never_logs_in:
            self._refuse_login()

    def _refuse_login(self) -> None:
        """Fix the answer "No" with its reason, and remove the fields that only a login needs (U5)."""
        question = self.fields["can_log_in"]
        question.disabled = True
        self.initial["can_log_in"] = False
        question.help_text = _("People of an End customer never get access to the portal; they are contacts.")
        for name in ("role", "shared_login", "time_zone"):
            del self.fields[name]

    @property
    def helper(self) -> FormHelper:
        """Lay the fields out in the manual's order: access, notices, contact details, roles."""
        options = ["can_log_in", "status", "opt_in", "expiring_email"]
        access = [name if name == "expiring_email" else Field(name, **INLINE) for name in options]
        if self.never_logs_in:
            return plain_helper(Layout(Fieldset(_("Access and notices"), *access), self.details()))
        access.insert(1, Field("shared_login", wrapper_class=f"mx-inline {LOGIN_ONLY}"))
        return plain_helper(
            Layout(
                Fieldset(_("Access and notices"), *access),
                self.details(Field("time_zone", wrapper_class=LOGIN_ONLY)),
                Field("role", wrapper_class=LOGIN_ONLY),
            )
        )

    def clean_role(self) -> str:
        """Return exactly one of the two roles; Admin includes the other (U3)."""
        ticked = self.cleaned_data["role"]
        return Role.PORTAL_ADMIN.value if Role.PORTAL_ADMIN in ticked else "".join(ticked[:1])

    def clean(self) -> dict[str, Any]:
        """Check what only a login needs with a login, and leave it out without one."""
        cleaned = super().clean() or self.cleaned_data
        if not cleaned.get("can_log_in"):
            for name in ("role", "time_zone", "shared_login"):
                self.errors.pop(name, None)
                cleaned.pop(name, None)
            cleaned |= {"role": "", "shared_login": False}
        elif not cleaned.get("role") and "role" not in self.errors:
            self.add_error("role", _("Tick at least one role."))
        return cleaned


class NewUserForm(UserForm):
    """A new person, with the account's country and the actor's language."""

    def __init__(self, *args: Any, account: Account, actor: User, can_log_in: bool, **kwargs: Any) -> None:
        initial = {
            "can_log_in": can_log_in,
            "country": str(account.country),
            "language": actor.language,
            "time_zone": actor.time_zone,
        }
        super().__init__(*args, account=account, initial=initial, **kwargs)


class EditUserForm(UserForm):
    """A person as stored; taking an access away needs a tick."""

    confirm = forms.BooleanField(label=_("Yes, remove the access"), required=False)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        names = ("can_log_in", "shared_login", "status", "email", *PROFILE_FIELDS)
        initial = {name: getattr(user, name) for name in names}
        initial |= {"country": str(user.country), "role": [user.role]}
        super().__init__(*args, account=user.account, initial=initial, **kwargs)
        self.user = user
        self.asks_to_confirm = False
        if not user.login:
            self.fields["confirm"].label = _("Yes, set this person inactive")
        else:
            self.fields["email"].help_text = _(
                "This is the user ID. If you change it, the portal sends a new temporary password to "
                "the new address."
            )

    @property
    def helper(self) -> FormHelper:
        """Put the tick box at the end of the first part, once it is needed."""
        helper = super().helper
        if self.asks_to_confirm:
            helper.layout[0].fields.append("confirm")
        return helper

    def clean(self) -> dict[str, Any]:
        """Ask for a confirmation before every session of the person ends (U7)."""
        cleaned = super().clean()
        field = self._loses_access_by(cleaned)
        if field:
            self.asks_to_confirm = True
            if not cleaned.get("confirm"):
                self.add_error(field, self._consequence())
        return cleaned

    def _loses_access_by(self, cleaned: dict[str, Any]) -> str:
        if self.user.status == UserStatus.ACTIVE and cleaned.get("status") == UserStatus.INACTIVE:
            return "status"
        return "can_log_in" if self.user.login and not cleaned.get("can_log_in") else ""

    def _consequence(self) -> ValidationError:
        if not self.user.login:
            message = _(
                "%(name)s will get no more e-mails and cannot be chosen as a contact. Tick the box to confirm."
            )
        else:
            message = _(
                "%(name)s will be logged out at once and cannot log in any more. Tick the box to confirm."
            )
        return ValidationError(message, params={"name": self.user}, code="confirm")

    def service_data(self) -> dict[str, Any]:
        """Return the service's arguments, without the tick."""
        return {name: value for name, value in super().service_data().items() if name != "confirm"}


class ProfileForm(PersonForm):
    """The user's own profile; user ID, status and role are for admins (U3)."""

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        initial = {name: getattr(user, name) for name in ("email", *PROFILE_FIELDS)}
        super().__init__(*args, initial=initial | {"country": str(user.country)}, **kwargs)
        del self.fields["status"]
        self.fields["email"].disabled = True
        self.fields["email"].help_text = _("Your user ID. A Portal Admin of your company can change it.")

    @property
    def helper(self) -> FormHelper:
        """Put contact details first, which people change most."""
        notices = Fieldset(_("Notices"), Field("opt_in", **INLINE), "expiring_email")
        return plain_helper(Layout(self.details("time_zone"), notices))

    def service_data(self) -> dict[str, Any]:
        """Return only what update_profile takes."""
        return {name: value for name, value in super().service_data().items() if name in PROFILE_FIELDS}
