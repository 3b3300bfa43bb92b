"""U11: the handbook in the portal: who reads which page, in which language, and where each "?" leads."""

import io
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pypdf
import pytest
from django.test import Client
from django.urls import get_resolver, resolve, reverse

from accounts.models import User
from handbook import paper
from handbook.contents import MOBOTIX_PAGES, OPEN_PAGES, PAGES, VOLUMES, page_url, pdf_url
from handbook.documents import LANGUAGES, document, parse
from handbook.rendering import Paper, Screen, render, rendered
from handbook.sections import HELP, OF_TIER, section_of, section_url
from tests.architecture.test_stamps import patterns
from tests.entitlements.pages import client_of, html_of
from tests.factories import Cast

pytestmark = pytest.mark.django_db
# Pages that the handbook does not explain, each with its reason. A stale or missing entry fails.
NO_HELP = {
    "handbook_index": "the handbook itself",
    "handbook_page": "the handbook itself",
    "handbook_mobotix_page": "the handbook itself",
    "handbook_pdf": "a PDF",
    "handbook_mobotix_pdf": "a PDF",
    "old_login": "leads on to the log-in page",
    "set_language": "a POST, then the page that it came from",
    "relation_decide": "a POST, then the account's page",
    "api_token_take_over": "a POST, then the list",
    "user_mail_send_again": "a POST, then the user's page",
    "mail_send_again": "a POST, then the page that it came from",
    "line_item_go": "leads on to the step of the ticked line item",
    "line_item_search": "a POST, then the list",
    "jwks": "keys for programs",
    "license_download": "a download",
    "device_export": "a download",
    "line_item_licenses": "a download",
    "bulk_split_template": "a download",
    "bulk_split_download": "a download",
    "bulk_split_correct": "a POST, then the bulk split's page",
    "bulk_split_carry_out": "a POST, then the bulk split's page",
    "bulk_split_email": "a POST, then the bulk split's page",
    "mailbox": "the demo's",
    "mailbox_message": "the demo's",
    "mailbox_html": "the demo's",
    "mailbox_attachment": "the demo's",
    "api_docs": "describes itself",
    "healthz": "JSON for machines",
    "readyz": "JSON for machines",
}


def readers(cast: Cast) -> Iterator[tuple[Client, tuple[str, ...]]]:
    """Who reads, and what."""
    yield Client(), OPEN_PAGES
    for partner in (cast.distributor, cast.installer_viewer):
        yield client_of(partner), OPEN_PAGES
    for of_mobotix in (cast.mobotix, cast.mobotix_viewer):
        yield client_of(of_mobotix), PAGES


@pytest.mark.slow
def test_the_menu_shows_what_the_reader_may_open(cast: Cast) -> None:
    """Pages of MOBOTIX are refused to others, and not shown to them."""
    for client, readable in readers(cast):
        menu = html_of(client.get(reverse("handbook_index")))
        for page in PAGES:
            assert (f'href="{page_url(page)}"' in menu) is (page in readable)
            assert (client.get(page_url(page)).status_code == 200) is (page in readable)


def test_links_to_pages_that_the_reader_may_not_open_are_text(cast: Cast) -> None:
    """What the text calls by name stays readable; no link leads to a refusal."""
    text = parse("index", "en", "# Help\n\n[For MOBOTIX](mobotix.md) and [split](installers.md#split)")
    html = render(text, Screen(readable=frozenset(OPEN_PAGES)))
    assert "<span>For MOBOTIX</span>" in html
    assert f'<a href="{page_url("installers", "split")}">split</a>' in html
    assert f'href="{page_url("mobotix")}"' in render(text, Screen(readable=frozenset(PAGES)))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("page", OPEN_PAGES)
def test_no_section_takes_an_id_of_the_frame(client: Client, page: str, language: str) -> None:
    """The dialog and the menus are found by their IDs: a heading with the same one would be taken for them."""
    client.post(reverse("set_language"), {"language": language})
    ids = re.findall(r' id="([^"]+)"', html_of(client.get(page_url(page))))
    assert sorted(set(ids)) == sorted(ids)


def test_raw_html_is_text() -> None:
    """By construction no file of the handbook can put markup, or a script, into a page."""
    text = parse("index", "en", "# Help\n\n<script>alert(1)</script> [a](javascript:alert(1))\n\n<b>bold</b>")
    html = render(text, Screen(readable=frozenset(PAGES)))
    assert "<script" not in html
    assert "<b>" not in html
    assert "href" not in html


def test_the_reader_s_language(cast: Cast, client: Client) -> None:
    """U8: of the person, or before the login as chosen."""
    User.objects.filter(pk=cast.installer.pk).update(language="de")
    cast.installer.refresh_from_db()
    page = html_of(client_of(cast.installer).get(reverse("handbook_index")))
    assert document("index", "de").title in page
    client.post(reverse("set_language"), {"language": "de"})
    assert document("index", "de").title in html_of(client.get(reverse("handbook_index")))


def test_previous_and_next_lead_through_the_readable_pages() -> None:
    """Whoever turns the pages meets each that is open, and no other."""
    client, page, met = Client(), page_url("index"), []
    while page:
        response = client.get(page)
        met.append(response.context["text"].page)
        page = (response.context["next"] or {}).get("url", "")
    assert tuple(met) == OPEN_PAGES


def test_help_is_in_the_menu(cast: Cast, client: Client) -> None:
    """On every page of who is logged in; and on the log-in page."""
    link = f'href="{reverse("handbook_index")}"'
    assert link in html_of(client_of(cast.installer_viewer).get(reverse("line_item_list")))
    assert link in html_of(client.get(reverse("account_login")))


def test_each_page_has_its_section() -> None:
    """Each route of the portal has an entry, or a reason why it has none."""
    routes = {pattern.name for pattern in patterns() if not hasattr(pattern.callback, "of_api")}
    assert routes - set(HELP) == set(NO_HELP)
    assert set(HELP) - routes == set(), "stale entries"


@pytest.mark.parametrize("language", LANGUAGES)
def test_sections_exist(language: str) -> None:
    """Each entry names a page and an anchor that the handbook has."""
    missing = []
    for place in (*HELP.values(), *(place for own in OF_TIER.values() for place in own.values())):
        page, _hash, anchor = place.partition("#")
        if not document(page, language).has(anchor):
            missing.append(place)
    assert missing == []


def test_sections_of_tiers_are_of_routes_that_all_have() -> None:
    """No stale entry."""
    assert {route for own in OF_TIER.values() for route in own} <= set(HELP)


def test_the_question_mark_leads_to_the_section(cast: Cast, client: Client) -> None:
    """On a page, for who reads it; where the reader's own page has the section, to that one."""
    page = html_of(client_of(cast.installer).get(reverse("line_item_list")))
    assert f'href="{section_url("line_item_list", cast.installer)}" target="mx-help"' in page
    assert "mx-help" not in html_of(client.get(reverse("handbook_index")))
    assert section_url("account_login", cast.installer) in html_of(client.get(reverse("account_login")))


def test_a_tier_s_own_section_comes_first(cast: Cast) -> None:
    """A distributor who creates an installer reads how to do that, and not how an installer creates a customer."""
    asked = {person: section_of("account_create", person) for person in (cast.installer, cast.distributor)}
    assert asked == {
        cast.installer: ("installers", "customers"),
        cast.distributor: ("distributors", "create-partner"),
    }


def test_visitors_get_no_link_to_pages_of_mobotix() -> None:
    """The "?" never leads to a refusal."""
    for route, place in HELP.items():
        if place.partition("#")[0] in MOBOTIX_PAGES:
            assert section_of(route, Client().get(reverse("handbook_index")).wsgi_request.user) is None


@pytest.mark.slow
@pytest.mark.parametrize(("audience", "language"), [("operators", "de"), ("installers", "en")])
def test_pdf(cast: Cast, audience: str, language: str) -> None:
    """In the reader's language: all pages of the audience, its pictures, and the number of each sheet."""
    User.objects.update(language=language)
    cast.mobotix.refresh_from_db()
    response = client_of(cast.mobotix).get(pdf_url(audience))
    assert response.headers["Content-Type"] == "application/pdf"
    reader = pypdf.PdfReader(io.BytesIO(response.content))
    text = [page.extract_text() for page in reader.pages]
    assert document(audience, language).title in text[0].replace("\n", " ")
    for number, page in enumerate(text, 1):
        assert f"{number} / {len(text)}" in page
    bookmarks = [entry.title for entry in reader.outline if not isinstance(entry, list)]
    assert bookmarks == [document(page, language).title for page in VOLUMES[audience]]
    drawn = {image.indirect_reference.idnum for page in reader.pages for image in page.images}
    assert len(drawn) == sum(
        "picture:" in line for part in html_of_volume(audience, language) for line in part
    )


def html_of_volume(audience: str, language: str) -> list[list[str]]:
    """What stands on the sheets, line by line."""
    medium = Paper(bound=frozenset(VOLUMES[audience]))
    return [rendered(page, language, medium).splitlines() for page in VOLUMES[audience]]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("audience", VOLUMES)
def test_links_within_a_pdf_lead_somewhere(audience: str, language: str) -> None:
    """Whatever it calls one of its own sections is there, once."""
    html = "\n".join(line for part in html_of_volume(audience, language) for line in part)
    anchors = re.findall(r'id="([^"]+)"', html) + list(VOLUMES[audience])
    assert len(anchors) == len(set(anchors))
    assert set(re.findall(r'href="#([^"]+)"', html)) <= set(anchors)


def test_links_on_paper() -> None:
    """Within the PDF to its own pages; else to the portal."""
    text = parse(
        "index", "en", "# Help\n\n[a](installers.md#split) [b](mobotix.md) [c](#own)\n\n## Own {#own}"
    )
    html = render(text, Paper(bound=frozenset({"index", "installers"})))
    assert 'href="#installers-split"' in html
    assert 'href="http' in html
    assert 'href="#index-own"' in html
    assert 'id="index-own"' in html


def test_pdf_files_are_open_where_their_page_is() -> None:
    """The addresses of PDFs follow those of the pages."""
    names = {name for name in get_resolver().reverse_dict if isinstance(name, str)}
    assert {"handbook_pdf", "handbook_mobotix_pdf"} <= names
    for audience in VOLUMES:
        name = resolve(pdf_url(audience)).url_name
        assert (name == "handbook_mobotix_pdf") is (audience in MOBOTIX_PAGES)


def test_many_who_ask_at_once_have_a_pdf_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """It needs no login, and takes seconds of CPU."""
    drawn: list[str] = []

    def draw_slowly(**asked: Any) -> bytes:
        drawn.append(asked["language"])
        time.sleep(0.1)
        return b"%PDF"

    monkeypatch.setattr(paper, "render_pdf", draw_slowly)
    paper._drawn.cache_clear()
    try:
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _number: paper.volume_pdf("operators", "en"), range(4)))
    finally:
        paper._drawn.cache_clear()
    assert (answers, drawn) == ([b"%PDF"] * 4, ["en"])
