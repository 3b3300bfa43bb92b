"""The handbook's Markdown files, parsed. Raw HTML in them is shown as text, so no page can hold foreign markup."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

ROOT: Path = settings.BASE_DIR / "docs" / "handbook"
LANGUAGES = ("en", "de")
ANCHOR = re.compile(r"\s*\{#([a-z0-9-]+)\}$")  # at the end of a heading: ## Split {#split}


@dataclass(frozen=True)
class Section:
    """A heading below the title."""

    anchor: str
    title: str
    level: int


@dataclass(frozen=True)
class Document:
    """One file: its title, its sections, and what stands below the title as tokens of markdown-it."""

    page: str
    language: str
    title: str
    sections: tuple[Section, ...]
    tokens: tuple[Token, ...]

    @property
    def chapters(self) -> list[Section]:
        """The sections that a table of contents names."""
        return [section for section in self.sections if section.level == 2]

    def has(self, anchor: str) -> bool:
        """Whether a section has this anchor."""
        return any(section.anchor == anchor for section in self.sections)


@cache
def document(page: str, language: str) -> Document:
    """The page in this language."""
    return parse(page, language, (ROOT / language / f"{page}.md").read_text(encoding="utf-8"))


def parse(page: str, language: str, text: str) -> Document:
    """The text as a document; its first line is the title."""
    tokens = parser().parse(text)
    if not tokens or tokens[0].tag != "h1":
        raise ValueError(f"{language}/{page}.md begins with a line '# Title'.")
    sections = tuple(_sections(tokens[3:]))
    return Document(page, language, _text_of(tokens[1]), sections, tuple(tokens[3:]))


@cache
def parser() -> MarkdownIt:
    """CommonMark with tables, and with anchors at headings."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.core.ruler.push("anchors", _take_anchors)
    return parser


def _take_anchors(state: StateCore) -> None:
    """The anchor of a heading becomes its ID and leaves its text."""
    for opening, inline in zip(state.tokens, state.tokens[1:], strict=False):
        last = inline.children[-1] if opening.type == "heading_open" and inline.children else None
        if last is not None and (found := ANCHOR.search(last.content)):
            opening.attrSet("id", found[1])
            last.content = ANCHOR.sub("", last.content)


def _sections(tokens: list[Token]) -> Iterator[Section]:
    for opening, inline in zip(tokens, tokens[1:], strict=False):
        if opening.type == "heading_open":
            yield Section(str(opening.attrGet("id") or ""), _text_of(inline), int(opening.tag[1:]))


def _text_of(inline: Token) -> str:
    return "".join(token.content for token in inline.children or [])
