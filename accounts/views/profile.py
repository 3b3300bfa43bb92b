"""One's own profile and language (U3, U8)."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.i18n import set_language as django_set_language

from accounts.forms.users import ProfileForm
from accounts.http import PortalRequest
from accounts.models import User
from accounts.permissions import Permission, public, requires
from accounts.services.users import update_profile
from mxportal.shared.views import posted, submit


@requires(Permission.EDIT_PROFILE)
def profile_edit(request: PortalRequest) -> HttpResponseBase:
    """U3: everybody's own; the page that follows speaks the language that was chosen."""
    form = ProfileForm(posted(request), user=request.user)
    user = submit(form, update_profile, actor=request.user)
    if user is None:
        return render(request, "accounts/profile_edit.html", {"form": form})
    with translation.override(user.language):
        messages.success(request, _("Your profile is saved."))
    return redirect("profile_edit")


@public("The language is chosen before the login, too (U8).")
def set_language(request: HttpRequest) -> HttpResponseBase:
    """U8: the language menu. Who is logged in changes the own language, who is not the browser's."""
    code = request.POST.get("language", "")
    if isinstance(request.user, User) and code in dict(settings.LANGUAGES):
        update_profile(actor=request.user, language=code)
    return django_set_language(request)
