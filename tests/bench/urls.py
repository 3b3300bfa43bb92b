"""The portal's addresses, Django's admin to compare its lists with, and a view that does nothing."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from tests.bench.admin_site import site


@login_not_required
def hello(request: HttpRequest) -> HttpResponse:
    return HttpResponse("hello")


urlpatterns = [path("admin/", site.urls), path("hello/", hello), path("", include("mxportal.urls"))]
