"""All addresses of the portal."""

from django.urls import include, path

from mxportal import health, mailbox

handler429 = "mxportal.shared.views.wait_a_minute"  # django-allauth asks for it by this name
handler500 = "mxportal.outages.server_error"
urlpatterns = [
    path(
        "", include("entitlements.urls")
    ),  # first, because programs ask most often and addresses are tried in turn
    path("", include("accounts.urls")),
    path("", include("handbook.urls")),
    path("", include(health)),
    path("", include(mailbox)),
]
