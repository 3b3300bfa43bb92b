"""The page "My profile" (U3)."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.forms.users import ProfileForm
from accounts.http import PortalRequest
from accounts.permissions import Permission, requires
from accounts.services.users import update_profile
from mxportal.shared.drafts import keeps_draft
from mxportal.shared.views import posted, submit


@requires(Permission.EDIT_PROFILE)
@keeps_draft()
def profile_edit(request: PortalRequest) -> HttpResponse:
    """Change the reader's own profile; the next page has the language that was chosen (U3)."""
    form = ProfileForm(posted(request), user=request.user)
    user = submit(form, update_profile, actor=request.user)
    if user is None:
        return render(request, "accounts/profile_edit.html", {"form": form})
    with translation.override(user.language):
        messages.success(request, _("Your profile is saved."))
    return redirect("profile_edit")
