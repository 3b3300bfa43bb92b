"""Which pages the handbook has, in which order, who may read them, and what a PDF holds."""

from django.contrib.auth.models import AnonymousUser
from django.urls import reverse

from accounts.models import User
from accounts.permissions import Permission

FIRST_PAGE = "index"
# The order of the menu, of "Previous" and "Next", and of the files in docs/handbook.
PAGES = ("index", "installers", "distributors", "mobotix", "operators", "questions", "glossary")
MOBOTIX_PAGES = ("mobotix", "operators")
OPEN_PAGES = tuple(page for page in PAGES if page not in MOBOTIX_PAGES)

Reader = User | AnonymousUser


# A PDF for each audience: its own pages, then what everybody needs.
VOLUMES = {
    "installers": ("installers", "questions", "glossary"),
    "distributors": ("distributors", "installers", "questions", "glossary"),
    "mobotix": ("installers", "distributors", "mobotix", "questions", "glossary"),
    "operators": ("operators", "glossary"),
}


def may_read(reader: Reader, page: str) -> bool:
    """Whether the menu shows the page; the stamps of the views refuse the others."""
    return page in OPEN_PAGES or (isinstance(reader, User) and reader.may(Permission.READ_MOBOTIX_HELP))


def pages_for(reader: Reader) -> list[str]:
    """The pages that this reader may open, in their order."""
    return [page for page in PAGES if may_read(reader, page)]


def page_url(page: str, anchor: str = "") -> str:
    """The address of a page, or of a section of it."""
    fragment = f"#{anchor}" if anchor else ""
    if page == FIRST_PAGE:
        return reverse("handbook_index") + fragment
    name = "handbook_mobotix_page" if page in MOBOTIX_PAGES else "handbook_page"
    return reverse(name, args=[page]) + fragment


def pdf_url(page: str) -> str:
    """The address of the PDF for this page's audience; empty where the page has none."""
    if page not in VOLUMES:
        return ""
    return reverse("handbook_mobotix_pdf" if page in MOBOTIX_PAGES else "handbook_pdf", args=[page])
