"""The portal's addresses, and Django's admin to compare its lists with."""

from django.urls import include, path

from tests.bench.admin_site import site

urlpatterns = [path("admin/", site.urls), path("", include("mxportal.urls"))]
