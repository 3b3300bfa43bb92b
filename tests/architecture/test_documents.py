"""What the documents name exists: links, files, modules and functions. A document that nobody corrects fails."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

pytestmark = pytest.mark.once

ROOT = Path(settings.BASE_DIR)
TRACKED = set(
    subprocess.run(
        ["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.splitlines()
)
FOLDERS = {name.partition("/")[0] for name in TRACKED if "/" in name}
DOCUMENTS = sorted(
    ROOT / name
    for name in TRACKED
    if name.endswith(".md") and not name.startswith(("tests/", "docs/handbook/"))
)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
FILE = re.compile(r"[\w.*-]+(?:/[\w.*-]+)*/?")
SOURCE = re.compile(r"[\w*-]+(?:/[\w.*-]+)*/[\w.*-]*\.(?:py|sql|html|txt|css|js|toml|yml|yaml|md)")
NAME = re.compile(r"(?:accounts|entitlements|mxportal|notifications|tests|scripts)(?:\.\w+)+(?::[\w.]+)?")


def prose(path: Path) -> str:
    """The text without blocks of code."""
    return re.sub(r"^ *```.*?^ *```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def anchors(path: Path) -> set[str]:
    """The addresses of a document's headings, as GitHub makes them."""
    plain = (re.sub(r"[`*]", "", heading).lower() for heading in HEADING.findall(prose(path)))
    return {re.sub(r"[^\w -]", "", heading).replace(" ", "-") for heading in plain}


def dead_links(path: Path) -> Iterator[str]:
    for link in LINK.findall(CODE.sub("", prose(path))):
        if link.startswith(("http:", "https:", "mailto:")):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            yield link


def missing_names(path: Path) -> Iterator[str]:
    for code in CODE.findall(prose(path)):
        if NAME.fullmatch(code) and not code.endswith((".py", ".md")):
            is_there = is_defined(code)
        elif SOURCE.fullmatch(code) or (FILE.fullmatch(code) and code.partition("/")[0] in FOLDERS):
            is_there = any(any(place.glob(code.rstrip("/"))) for place in (ROOT, path.parent))
        else:
            continue
        if not is_there:
            yield code


def is_defined(name: str) -> bool:
    """`package.module:Class.method`, or a module; a task's name is a string of its module."""
    module, _, names = name.partition(":")
    path = ROOT / module.replace(".", "/")
    file = path.with_suffix(".py") if path.with_suffix(".py").exists() else path / "__init__.py"
    if not file.exists():
        return False
    node: ast.AST = ast.parse(file.read_text(encoding="utf-8"))
    for part in names.split(".") if names else []:
        found = [child for child in ast.iter_child_nodes(node) if part in defined_by(child)]
        if not found:
            return False
        node = found[0]
    return True


def defined_by(node: ast.AST) -> set[str]:
    """The names that a statement defines or imports."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name for alias in node.names}
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", node)]
    return {getattr(node, "name", "")} | {getattr(target, "id", "") for target in targets} - {""}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_of_documents_lead_somewhere(path: Path) -> None:
    """Each link to a file of ours, and to a heading in it."""
    assert list(dead_links(path)) == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_documents_name_exists(path: Path) -> None:
    """Each path and each `module:function` in backticks."""
    assert list(missing_names(path)) == []


def test_the_check_finds_what_is_missing(tmp_path: Path) -> None:
    """The tests above can fail."""
    document = tmp_path / "page.md"
    document.write_text(
        "# A heading, *here*\n[a](page.md#a-heading-here) [b](page.md#b) [c](other.md)\n"
        "`tests/factories.py` `tests/nowhere.py` `views/split.py` `mxportal.settings.rules:UNDO_DAYS`\n"
        "`mxportal.settings.rules:UNDO_WEEKS` `mxportal.nowhere` `/verify/` `var/mail/` `accounts/*.py`\n"
        "`accounts.models.operation:OperationQuerySet.nothing`\n"
    )
    assert list(dead_links(document)) == ["page.md#b", "other.md"]
    assert list(missing_names(document)) == [
        "tests/nowhere.py",
        "views/split.py",
        "mxportal.settings.rules:UNDO_WEEKS",
        "mxportal.nowhere",
        "accounts.models.operation:OperationQuerySet.nothing",
    ]
