"""Every text of the sources can be gathered for translation."""

import ast
from pathlib import Path

import pytest
from django.conf import settings

pytestmark = pytest.mark.once

SOURCES = sorted(
    path
    for place in ("accounts", "entitlements", "mxportal", "notifications")
    for path in (settings.BASE_DIR / place).rglob("*.py")
)
TRANSLATE = {
    "_",
    "gettext",
    "gettext_lazy",
    "ngettext",
    "ngettext_lazy",
    "pgettext",
    "pgettext_lazy",
    "npgettext",
}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(settings.BASE_DIR)))
def test_no_text_is_translated_within_an_f_string(path: Path) -> None:
    """``makemessages`` does not look into f-strings: such a text stays English, and no check misses it."""
    within = [
        ast.unparse(call)
        for string in ast.walk(ast.parse(path.read_text()))
        if isinstance(string, ast.JoinedStr)
        for call in ast.walk(string)
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") in TRANSLATE
    ]
    assert within == []
