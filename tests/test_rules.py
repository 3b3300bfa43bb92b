"""docs/rules.md against what code, tests and texts cite."""

import re
import subprocess
from collections import Counter

import pytest

from tests.test_documents import ROOT, text

pytestmark = pytest.mark.once

DEFINED = re.findall(r"^- ([A-Z]\d{1,2}) ", text("docs/rules.md"), re.MULTILINE)
LETTERS = "".join(sorted({number[0] for number in DEFINED}))
CITED = re.compile(rf"(?<![\w.\-#&/])([{LETTERS}]\d{{1,2}})(?![\w-])")
SOURCES = ("*.py", "*.html", "*.sql", "*.md")


def citations(source: str) -> set[str]:
    """The rule numbers that a text cites."""
    return set(CITED.findall(source))


def test_each_rule_stands_once() -> None:
    assert len(DEFINED) > 60
    assert [number for number, times in Counter(DEFINED).items() if times > 1] == []


def test_a_cited_rule_has_its_text() -> None:
    """A number without a text is a riddle for whoever reads the code."""
    listed = subprocess.run(
        ["git", "ls-files", *SOURCES], cwd=ROOT, check=True, capture_output=True, text=True
    )
    cited = {name: citations(text(name)) for name in listed.stdout.split()}
    assert len(cited) > 300
    assert {name: numbers - set(DEFINED) for name, numbers in cited.items() if numbers - set(DEFINED)} == {}


def test_the_search_finds_a_citation() -> None:
    assert citations('"""E7: one transaction (A4, L2)."""') == {"E7", "A4", "L2"}
    assert citations("U+0041, sha-256, E501, PDF/A-3") == set()
