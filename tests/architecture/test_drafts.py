"""Every view that takes a form keeps what was typed."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

pytestmark = pytest.mark.once

VIEWS = sorted(
    path
    for app in ("accounts", "entitlements")
    for place in ("views/*.py", "views.py")
    for path in (settings.BASE_DIR / app).rglob(place)
)
# Buttons without fields, whose answer is always a redirect
BUTTONS = {"language_set", "relation_decide", "bulk_split_carry_out", "bulk_split_email"}


def functions(path: Path) -> Iterator[ast.FunctionDef]:
    yield from (node for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("path", VIEWS, ids=lambda path: str(path.relative_to(settings.BASE_DIR)))
def test_forms_are_bound_to_what_can_be_kept(path: Path) -> None:
    """``request.POST`` is no draft: a view reads ``posted(request)``, and its stamp is ``keeps_draft``."""
    for function in functions(path):
        source = ast.unparse(function)
        is_view = any(
            "requires(" in ast.unparse(one) or "public(" in ast.unparse(one)
            for one in function.decorator_list
        )
        if function.name in BUTTONS:
            continue
        assert "request.POST" not in source, function.name
        if is_view and "posted(request)" in source:
            assert "keeps_draft" in source, function.name
