"""Fail on words that docs/glossary.md forbids: on screen, in mails, API texts, the handbook and the documents.

The texts of screens, mails and PDFs are those of the German catalogue: its msgids are English, its msgstrs German.
CHANGELOG.md is not checked: it says what things were called.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GLOSSARY = "docs/glossary.md"
CATALOGUE = "mxportal/locale/de/LC_MESSAGES/django.po"
HANDBOOK, GERMAN_HANDBOOK = "docs/handbook/", "docs/handbook/de/"
API = "entitlements/api/"
SCREENS_ONLY = "†"


@dataclass(frozen=True)
class Text:
    """A text of a file; ``on_screen`` is false for what only developers and operators read."""

    path: str
    line: int
    text: str
    german: bool = False
    on_screen: bool = True


@dataclass(frozen=True)
class Term:
    """A forbidden word, and the word to use in its place."""

    forbidden: str
    instead: str
    german: bool

    def applies_to(self, text: Text) -> bool:
        return self.german == text.german and (text.on_screen or not self.forbidden.endswith(SCREENS_ONLY))

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """``*`` is any ending, and ``…`` up to three words of the same sentence."""
        words = re.escape(self.forbidden.removesuffix(SCREENS_ONLY))
        for escaped, meaning in ((r"\*", r"\w*"), (r"\ …\ ", r"(?:\s+[^\s.;:!?]+){0,3}\s+"), (r"\ ", r"\s+")):
            words = words.replace(escaped, meaning)
        return re.compile(rf"(?<![\w-]){words}(?![\w-])", re.IGNORECASE)

    @cached_property
    def beginning(self) -> str:
        """What every text with the term holds: a quick test before the pattern."""
        return re.split(r"[*…†]", self.forbidden)[0].split()[0].casefold()


@dataclass(frozen=True)
class Glossary:
    terms: list[Term]
    right: list[str]  # preferred terms and allowed texts, which may contain a forbidden word

    @cached_property
    def right_pattern(self) -> re.Pattern[str]:
        longest_first = sorted(self.right, key=len, reverse=True)
        words = "|".join(re.escape(term).replace(r"\ ", r"\s+") for term in longest_first)
        return re.compile(rf"(?<![\w-])(?:{words})", re.IGNORECASE)

    def faults(self, text: Text) -> Iterator[str]:
        """A line for each forbidden term of the text."""
        left = self.right_pattern.sub(lambda right: "·" + "\n" * right[0].count("\n"), text.text)
        folded = left.casefold()
        for term in self.terms:
            if not term.applies_to(text) or term.beginning not in folded:
                continue
            if found := term.pattern.search(left):
                line = text.line + left.count("\n", 0, found.start())
                yield f"{text.path}:{line}: “{' '.join(found[0].split())}”: use “{term.instead}”"


def read_glossary(markdown: str) -> Glossary:
    """Read the rows of the tables, and the list below "Allowed"."""
    terms: list[Term] = []
    tables, _, allowed = markdown.partition("\n## Allowed\n")
    right = re.findall(r"^- (.+)$", allowed, re.MULTILINE)
    for row in re.findall(r"^\|(.+)\|$", tables, re.MULTILINE):
        english, german, _, not_english, not_german = [cell.strip() for cell in row.split("|")]
        if english == "English" or set(english) == {"-"}:
            continue
        right += [word for word in f"{english}, {german}".split(", ") if re.search("[ -]", word)]
        terms += [Term(word, english, german=False) for word in not_english.split(", ") if word]
        terms += [Term(word, german, german=True) for word in not_german.split(", ") if word]
    return Glossary(terms, right)


def catalogue_texts(path: str, source: str) -> Iterator[Text]:
    """Yield every msgid and msgstr with the line where it begins, without placeholders and tags."""
    entry = r'^(msgid|msgid_plural|msgstr(?:\[\d\])?) ((?:".*"\n?)+)'
    for found in re.finditer(entry, source, re.MULTILINE):
        text = "".join(ast.literal_eval(line) for line in found[2].splitlines())
        if not text.startswith("Project-Id-Version"):
            line = source.count("\n", 0, found.start()) + 1
            words = re.sub(r"%\(\w+\)s|\{\w+\}|<[^>]*>|\n", " · ", text)
            yield Text(path, line, words, german=found[1].startswith("msgstr"))


def markdown_texts(path: str, source: str) -> Iterator[Text]:
    """Yield each paragraph, without code, comments and addresses."""
    hidden = r"```.*?```|`[^`]*`|<!--.*?-->|\]\([^)]*\)|<https?:[^>]*>|\{#[^}]*\}"
    plain = re.sub(hidden, lambda code: "·" + "\n" * code[0].count("\n"), source, flags=re.DOTALL)
    for found in re.finditer(r"\S.*?(?=\n\s*\n|\Z)", plain, re.DOTALL):
        line = plain.count("\n", 0, found.start()) + 1
        german, on_screen = path.startswith(GERMAN_HANDBOOK), path.startswith(HANDBOOK)
        yield Text(path, line, found[0], german, on_screen)


def api_texts(path: str, source: str) -> Iterator[Text]:
    """Yield docstrings and sentences of the API's modules: its public description shows them."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield Text(path, node.lineno, re.sub("`[^`]*`", "·", node.value))


def reader(name: str) -> Callable[[str, str], Iterator[Text]] | None:
    """Return the function that reads this file's texts, or None where nothing in it is checked."""
    if name == CATALOGUE:
        return catalogue_texts
    if name.startswith(API) and name.endswith(".py"):
        return api_texts
    is_document = name.endswith(".md") and (name.startswith("docs/") or name.endswith("README.md"))
    return markdown_texts if is_document and name != GLOSSARY else None


def tracked(root: Path) -> list[str]:
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=root, check=True, capture_output=True, text=True).stdout.split("\0")
    return sorted(name for name in set(names) if name and (root / name).is_file())


def faults(root: Path, names: list[str]) -> list[str]:
    """Return a line for each forbidden word in these files below ``root``."""
    glossary = read_glossary((root / GLOSSARY).read_text())
    return [
        fault
        for name in names
        if (read := reader(name))
        for text in read(name, (root / name).read_text())
        for fault in glossary.faults(text)
    ]


if __name__ == "__main__":
    sys.exit("\n".join(faults(ROOT, tracked(ROOT))) or 0)
