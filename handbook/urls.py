"""The addresses of the handbook. Pages of MOBOTIX have addresses of their own, so that their views have a stamp."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from handbook import views
from handbook.contents import FIRST_PAGE, MOBOTIX_PAGES, OPEN_PAGES, VOLUMES


class OpenPage(StringConverter):
    """A page for everybody."""

    regex = "|".join(page for page in OPEN_PAGES if page != FIRST_PAGE)


class MobotixPage(StringConverter):
    """A page for MOBOTIX."""

    regex = "|".join(MOBOTIX_PAGES)


class OpenVolume(StringConverter):
    """A PDF for everybody."""

    regex = "|".join(audience for audience in VOLUMES if audience in OPEN_PAGES)


register_converter(OpenPage, "open_page")
register_converter(MobotixPage, "mobotix_page")
register_converter(OpenVolume, "open_volume")

urlpatterns = [
    path("help/", views.handbook_index, name="handbook_index"),
    path("help/<open_page:page>/", views.handbook_page, name="handbook_page"),
    path("help/<mobotix_page:page>/", views.handbook_mobotix_page, name="handbook_mobotix_page"),
    path("help/<open_volume:audience>.pdf", views.handbook_pdf, name="handbook_pdf"),
    path("help/<mobotix_page:audience>.pdf", views.handbook_mobotix_pdf, name="handbook_mobotix_pdf"),
]
