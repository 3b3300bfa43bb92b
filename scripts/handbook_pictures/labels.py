"""What a page of the portal, or the handbook in bold, calls things; and whether the portal calls anything so."""

import re
from collections.abc import Iterator
from functools import cache
from xml.etree.ElementTree import Element

import tinyhtml5
from django.utils.translation import trans_real

PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w+\}")
LABELS = {"h1", "h2", "h3", "button", "label", "legend", "th", "dt", "summary"}
PLACES_OF_LINKS = {"mx-menu-list", "mx-nav", "mx-tabs", "mx-actions", "btn"}  # elsewhere links are often data
FEWEST_LETTERS = 3  # of a text with placeholders: what has fewer would fit anything


@cache
def _known(language: str) -> tuple[frozenset[str], tuple[tuple[re.Pattern[str], str], ...]]:
    """All texts of the portal and of its libraries in this language, and those among them that have placeholders.

    The catalogue is of English to German: its left side is what English readers read.
    """
    catalogue = trans_real.translation("de")._catalog  # type: ignore[attr-defined]
    texts = set()
    for key, text in catalogue.items():
        english = key[0] if isinstance(key, tuple) else key
        texts.add(english.rpartition("\x04")[2] if language == "en" else text)
    templates = sorted((text for text in texts if PLACEHOLDER.search(text)), key=len, reverse=True)
    return frozenset(texts), tuple((_pattern(text), text) for text in templates if _is_telling(text))


def _is_telling(text: str) -> bool:
    return len(re.findall(r"\w", PLACEHOLDER.sub("", text))) >= FEWEST_LETTERS


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(".+".join(re.escape(part) for part in PLACEHOLDER.split(text)))


def label(text: str, language: str) -> str | None:
    """The text as the portal's catalogue has it, with placeholders for what differs; None where it has it not."""
    texts, templates = _known(language)
    if text in texts:
        return text
    return next((template for pattern, template in templates if pattern.fullmatch(text)), None)


def labels_of(html: str, element: str, language: str) -> list[str]:
    """Headings, buttons, menus, fields and columns of a page, in their order, each once. Data is left out."""
    inside = next(tinyhtml5.parse(html, namespace_html_elements=False).iter(element))
    found = (label(text, language) for text in _texts(inside))
    return list(dict.fromkeys(name for name in found if name))


def _texts(inside: Element, *, links: bool = False) -> Iterator[str]:
    for child in inside:
        here = links or bool(PLACES_OF_LINKS & set(child.get("class", "").split()))
        if child.tag in LABELS or (child.tag == "a" and here):
            yield " ".join("".join(child.itertext()).split()).removesuffix("*").strip()
        yield from _texts(child, links=here)
