"""A document of the handbook as HTML: for the screen, and for paper."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol
from urllib.parse import urljoin

from django.conf import settings
from django.templatetags.static import static
from django.utils.safestring import SafeString, mark_safe
from markdown_it.token import Token
from PIL import Image

from handbook.contents import page_url
from handbook.documents import ROOT, Document, document, parser

PICTURES = "pictures/"  # of the addresses in the files, which are relative to docs/handbook/<language>/


class Medium(Protocol):
    """Where the HTML is shown: decides on the addresses in it."""

    def anchor(self, page: str, anchor: str) -> str:
        """The ID of a heading."""

    def page(self, page: str, anchor: str) -> str:
        """The address of another page of the handbook; empty where there is no way to it."""

    def site(self, path: str) -> str:
        """The address of a page of the portal that is none of the handbook."""

    def picture(self, language: str, name: str) -> str:
        """The address of a picture."""


@dataclass(frozen=True)
class Screen:
    """A page of the portal. Pages that the reader may not open are named, but no link leads to them."""

    readable: frozenset[str]

    def anchor(self, page: str, anchor: str) -> str:
        return anchor

    def page(self, page: str, anchor: str) -> str:
        return page_url(page, anchor) if page in self.readable else ""

    def site(self, path: str) -> str:
        return path

    def picture(self, language: str, name: str) -> str:
        return static(f"handbook/{language}/{name}")


@dataclass(frozen=True)
class Paper:
    """A PDF of several pages: links lead within it, or to the portal."""

    bound: frozenset[str]

    def anchor(self, page: str, anchor: str) -> str:
        return f"{page}-{anchor}" if anchor else page

    def page(self, page: str, anchor: str) -> str:
        if page in self.bound:
            return f"#{self.anchor(page, anchor)}"
        return self.site(page_url(page, anchor))

    def site(self, path: str) -> str:
        return urljoin(settings.SITE_URL, path)

    def picture(self, language: str, name: str) -> str:
        return f"picture:{language}/{name}"


@cache
def rendered(page: str, language: str, medium: Medium) -> SafeString:
    """What stands below the title, as HTML."""
    return render(document(page, language), medium)


def render(text: Document, medium: Medium) -> SafeString:
    """The document for this medium."""
    tokens = list(_placed(deepcopy(list(text.tokens)), text, medium))
    # markdown-it escapes all text, and raw HTML is text to it
    return mark_safe(parser().renderer.render(tokens, parser().options, {}))


def split_address(address: str, page: str) -> tuple[str, str]:
    """`installers.md#split` as page and anchor; `#split` is a section of the page itself."""
    name, _hash, anchor = address.partition("#")
    return name.removesuffix(".md") or page, anchor


def is_external(address: str) -> bool:
    """Whether a link leaves the handbook."""
    return ":" in address.partition("#")[0]


def picture_file(language: str, name: str) -> Path:
    """Where a picture lies."""
    return ROOT / language / PICTURES / name


def _placed(tokens: list[Token], text: Document, medium: Medium) -> Iterator[Token]:
    """The tokens with the medium's addresses. A picture that stands alone is a figure."""
    for index, token in enumerate(tokens):
        if token.type == "heading_open":
            token.attrSet("id", medium.anchor(text.page, str(token.attrGet("id") or "")))
        elif token.type == "inline":
            children = token.children or []
            if len(children) == 1 and children[0].type == "image":
                tokens[index - 1].tag = tokens[index + 1].tag = "figure"
            token.children = list(_placed_inline(children, text, medium))
        yield token


def _placed_inline(tokens: list[Token], text: Document, medium: Medium) -> Iterator[Token]:
    is_link = True
    for token in tokens:
        if token.type == "link_open":
            is_link = _place_link(token, text, medium)
        elif token.type == "link_close" and not is_link:
            token.tag = "span"
        if token.type == "image":
            yield from _placed_picture(token, text, medium)
        else:
            yield token


def _place_link(token: Token, text: Document, medium: Medium) -> bool:
    """Give the link the medium's address; False where there is none, and it is no link then."""
    address = str(token.attrGet("href") or "")
    if is_external(address):
        return True
    of_portal = address.startswith("/")
    found = medium.site(address) if of_portal else medium.page(*split_address(address, text.page))
    if not found:
        token.tag, token.attrs = "span", {}
        return False
    token.attrSet("href", found)
    return True


def _placed_picture(token: Token, text: Document, medium: Medium) -> Iterator[Token]:
    """The picture with its size, as a link to itself, since a phone shows it small; its text where it is missing."""
    name = str(token.attrGet("src") or "").removeprefix(PICTURES)
    file = picture_file(text.language, name)
    if not file.is_file():
        yield Token("text", "", 0, content=token.content)
        return
    address = medium.picture(text.language, name)
    width, height = _size(file)
    token.attrs |= {"src": address, "width": width, "height": height, "loading": "lazy"}
    yield Token("link_open", "a", 1, attrs={"href": address})
    yield token
    yield Token("link_close", "a", -1)


@cache
def _size(file: Path) -> tuple[int, int]:
    with Image.open(file) as picture:
        return picture.size
