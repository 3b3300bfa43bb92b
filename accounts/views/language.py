"""The choice of the language, before the login and after it (U8)."""

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from accounts.models import User
from accounts.permissions import public
from accounts.services.users import update_profile


@public("the language is chosen on the log-in page")
@require_POST
def language_set(request: HttpRequest) -> HttpResponseBase:
    """Keep the choice with the user, if there is one, and in the cookie for the pages before the login."""
    language = request.POST.get("language", "")
    if isinstance(request.user, User) and language in dict(settings.LANGUAGES):
        update_profile(actor=request.user, language=language)
    return set_language(request)
