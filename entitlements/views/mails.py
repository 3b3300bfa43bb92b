"""N2: "Send again"."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.http import PortalRequest
from accounts.permissions import Permission, requires
from entitlements.services.mailing import send_again
from notifications.models import Mail


@requires(Permission.SEND_MAIL)
@require_POST
def mail_send_again(request: PortalRequest, pk: int) -> HttpResponse:
    """Makes a failed or waiting mail due now, and goes back to where its fate was shown."""
    try:
        mail = send_again(actor=request.user, mail_id=pk)
    except Mail.DoesNotExist as error:
        raise Http404 from error
    except ValidationError as error:
        messages.error(request, error.messages[0])
    else:
        messages.success(
            request, _("The e-mail to %(address)s is on its way again.") % {"address": mail.recipient_email}
        )
    return redirect(_origin(request))


def _origin(request: PortalRequest) -> str:
    """The page of ours that the button stood on."""
    page = request.META.get("HTTP_REFERER", "")
    ours = url_has_allowed_host_and_scheme(page, {request.get_host()}, require_https=request.is_secure())
    return page if ours else reverse("home")
