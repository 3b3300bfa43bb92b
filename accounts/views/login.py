"""The pages for a forgotten password, where django-allauth leaves gaps (U8)."""

from typing import Any

from allauth.account import views as allauth
from allauth.core.ratelimit import respond_429
from django.http import HttpResponse

from accounts.http import client_address
from accounts.services.attempts import counts_of_reset, is_too_often
from accounts.services.credentials import LinkUsedError
from mxportal.shared.limits import network_of


class PasswordResetView(allauth.PasswordResetView):
    """Asks for the one-time link, limited to a few requests a minute."""

    def form_valid(self, form: Any) -> HttpResponse:
        """Count the folded address, which is also the one that is looked up, and queue the mail."""
        address = network_of(client_address(self.request))
        if is_too_often(counts_of_reset(key=form.cleaned_data["email"], address=address)):
            return respond_429(self.request)
        return super().form_valid(form)


class PasswordResetFromKeyView(allauth.PasswordResetFromKeyView):
    """Sets the password, once for each link."""

    def form_valid(self, form: Any) -> HttpResponse:
        """Set the password; the second user of a link reads that it was used."""
        try:
            return super().form_valid(form)
        except LinkUsedError:
            return self.render_to_response(self.get_context_data(token_fail=True))
