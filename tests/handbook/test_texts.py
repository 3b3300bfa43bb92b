"""The texts of the handbook: both languages alike, no dead link, and in bold only what the portal is labelled with."""

import re
from collections.abc import Iterator

import pytest
from django.test import Client
from markdown_it.token import Token

from handbook.contents import PAGES
from handbook.documents import LANGUAGES, ROOT, Document, document, parse
from handbook.rendering import is_external, split_address
from scripts.handbook_pictures.labels import label
from scripts.handbook_pictures.pictures import PICTURES

EXTERNAL = re.compile(
    r"https://[a-z0-9.-]+\.[a-z]{2,}(/[^\s]*)?"
)  # by form only: no test asks another's server
each_language = pytest.mark.parametrize("language", LANGUAGES)
each_page = pytest.mark.parametrize("page", PAGES)


def inline(text: Document) -> Iterator[Token]:
    """Everything inside paragraphs, cells and headings."""
    for token in text.tokens:
        yield from token.children or []


def links(text: Document) -> list[str]:
    return [str(token.attrGet("href")) for token in inline(text) if token.type == "link_open"]


def pictures(text: Document) -> list[str]:
    return [str(token.attrGet("src")) for token in inline(text) if token.type == "image"]


def bold(text: Document) -> Iterator[str]:
    """Each text in bold; a menu's path is the labels on it."""
    for token in text.tokens:
        children = token.children or []
        starts = [place for place, child in enumerate(children) if child.type == "strong_open"]
        ends = [place for place, child in enumerate(children) if child.type == "strong_close"]
        for start, end in zip(starts, ends, strict=True):
            words = " ".join(child.content for child in children[start + 1 : end]).split()
            yield from " ".join(words).split(" → ")


def unknown_labels(text: Document) -> list[str]:
    """What stands in bold, and nowhere in the portal."""
    return [words for words in bold(text) if label(words, text.language) is None]


def dead_links(text: Document) -> list[str]:
    """Links that lead nowhere."""
    return [address for address in links(text) if not leads_somewhere(address, text)]


def leads_somewhere(address: str, text: Document) -> bool:
    if is_external(address):
        return bool(EXTERNAL.fullmatch(address))
    if address.startswith("/"):
        return Client().get(address).status_code in (200, 302)
    page, anchor = split_address(address, text.page)
    return page in PAGES and (not anchor or document(page, text.language).has(anchor))


@each_language
@each_page
def test_bold_is_what_the_portal_is_labelled_with(page: str, language: str) -> None:
    """A button, menu, field, column or state that is renamed is renamed in the handbook, too."""
    assert unknown_labels(document(page, language)) == []


@pytest.mark.django_db
@each_language
@each_page
def test_no_link_is_dead(page: str, language: str) -> None:
    """Within the handbook, to the portal, and by form to elsewhere."""
    assert dead_links(document(page, language)) == []


@pytest.mark.django_db
def test_the_checks_find_what_is_wrong() -> None:
    """The two checks above are none that cannot fail."""
    wrong = "# T\n\n**Split**, **Splitt**, **Action → Splitt** [a](#nothing) [b](nothing.md) [c](http://a.example)"
    text = parse("index", "en", f"{wrong} [d](/nothing/here/) [e](installers.md#split) **Aufteilen**")
    assert unknown_labels(text) == ["Splitt", "Splitt", "Aufteilen"]
    assert dead_links(text) == ["#nothing", "nothing.md", "http://a.example", "/nothing/here/"]


@each_page
def test_both_languages_have_the_same_sections_and_pictures(page: str) -> None:
    """A reader who changes the language finds the same things in the same order."""
    english, german = document(page, "en"), document(page, "de")
    sections = [[(one.anchor, one.level) for one in text.sections] for text in (english, german)]
    assert sections[0] == sections[1]
    assert pictures(english) == pictures(german)
    assert links(english) == links(german)


@each_language
@each_page
def test_each_section_has_an_anchor_of_its_own(page: str, language: str) -> None:
    """The "?" of a page, and a link that somebody sends, lead to the place."""
    anchors = [section.anchor for section in document(page, language).sections]
    assert "" not in anchors
    assert len(anchors) == len(set(anchors))


@each_language
def test_the_files_are_the_pages(language: str) -> None:
    """No file is forgotten in the menu."""
    assert {file.stem for file in (ROOT / language).glob("*.md")} == set(PAGES)


@each_language
def test_the_pictures_are_those_that_are_taken(language: str) -> None:
    """`make handbook` takes each picture that the text shows, and no other; each has a text for who does not see it."""
    shown = [name for page in PAGES for name in pictures(document(page, language))]
    taken = {picture.name for picture in PICTURES}
    assert set(shown) == {f"pictures/{name}.png" for name in taken}
    assert {file.stem for file in (ROOT / language / "pictures").iterdir()} == taken
    images = [token for page in PAGES for token in inline(document(page, language)) if token.type == "image"]
    assert all(image.content.strip() for image in images)
