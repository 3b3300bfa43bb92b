"""Every view says who may call it, and every row comes through ``visible_to``: structure, not habit."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.permissions import Permission

pytestmark = pytest.mark.once

# Methods that bind rows to the actor, or to a row that came through such a method
GATES = {
    "visible_to",
    "visible_to_as",
    "managed_by",
    "name_visible_to",
    "related_to",
    "bought_from",
    "targets_of",
    "about",
    "none",
}
# Reads elsewhere that need no gate, each with its reason. A stale entry fails.
WITHIN = "only narrows line items that are read through visible_to"
UNGATED = {
    ("entitlements/bulk/pages.py", "Mail"): "mails of items that are visible_to",
    ("entitlements/overview/forms.py", "Product"): "what MOBOTIX sells is no secret of one account",
    ("entitlements/orders/forms/issue.py", "Product"): "what MOBOTIX sells is no secret of one account",
    ("entitlements/orders/views/products.py", "Product"): "what MOBOTIX sells is no secret of one account",
    ("entitlements/api/items.py", "Product"): "what MOBOTIX sells is no secret of one account",
    ("entitlements/api/products.py", "Product"): "what MOBOTIX sells is no secret of one account",
    ("entitlements/api/orders.py", "Product"): "what MOBOTIX sells is no secret of one account",
    ("entitlements/api/licenses.py", "License"): "what has ended, for everybody, without a name (L6)",
    ("entitlements/api/activations.py", "Activation"): "what a service has just changed",
    ("entitlements/activation/offline/pages.py", "License"): "a link that the portal signed names them",
    (
        "entitlements/ledger/health.py",
        "LedgerHead",
    ): "machines are told whether there is one, and nothing of it",
    ("entitlements/items/search.py", "Product"): WITHIN,
    ("entitlements/items/search.py", "Entitlement"): WITHIN,
    ("entitlements/items/listing.py", "LineItem"): "its next line reads through visible_to_as",
    ("entitlements/items/history.py", "Movement"): "movements of items that are visible_to",
    (
        "entitlements/mailing/pages/mail_list.py",
        "Mail",
    ): "MOBOTIX reads all, and a page of mails that were read through its rows",
    (
        "entitlements/mailing/pages/mail_list.py",
        "MailEntry",
    ): "of items that are visible_to and users that are managed_by",
    ("entitlements/overview/pages/home.py", "SellingRelation"): "requests to the actor's own account (A2)",
}


def patterns(resolver: URLResolver | None = None) -> Iterator[URLPattern]:
    """Every route of the portal."""
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLResolver):
            yield from patterns(entry)
        else:
            yield entry


@pytest.mark.parametrize("pattern", list(patterns()), ids=lambda pattern: pattern.name)
def test_every_view_is_stamped(pattern: URLPattern) -> None:
    """U3: with the permission that it needs, or with the reason why it needs no login."""
    view = pattern.callback
    permission = getattr(view, "permission", None)
    reason = getattr(view, "public_reason", "")
    assert (permission in set(Permission)) != bool(reason), (
        f"{pattern.name}: stamp it once, @requires or @public"
    )
    assert getattr(view, "login_required", True) is (not reason), f"{pattern.name}: only @public opens a view"


def ungated_reads(path: Path) -> Iterator[tuple[str, int]]:
    """``Model.objects`` in a module where no method of the same chain is a gate."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in ("objects", "_default_manager", "_base_manager"):
            chain, link = [], parents.get(node)
            while isinstance(link, ast.Attribute | ast.Call):
                chain += [link.attr] if isinstance(link, ast.Attribute) else []
                link = parents.get(link)
            if not GATES & set(chain[:1]):
                yield ast.unparse(node.value), node.lineno


# What works for services and commands, which are handed rows that a view has read through a gate.
BELOW_THE_GATE = {"services", "models", "migrations", "management", "ledger"}
NO_PAGE = {
    "entitlements/activation/offline/services.py",
    "entitlements/items/checks.py",
    "entitlements/items/locks.py",
    "entitlements/mailing/letters.py",  # written for their recipients, at delivery
    "entitlements/tasks.py",
}


def modules() -> list[Path]:
    """Views and forms, and what presents rows to templates: in `entitlements` everything that is not named above."""
    root = settings.BASE_DIR
    places = ("accounts/views/*.py", "accounts/forms/*.py", "accounts/presentation.py", "mxportal/mailbox.py")
    inside = [
        path for path in root.glob("entitlements/**/*.py") if str(path.relative_to(root)) not in NO_PAGE
    ]
    found = [path for path in inside if not BELOW_THE_GATE & set(path.relative_to(root).parts)]
    found.append(root / "entitlements/ledger/health.py")
    return sorted(found + [path for place in places for path in root.glob(place)])


@pytest.mark.slow
def test_views_and_forms_read_through_visible_to() -> None:
    """E12, A4: no view or form reaches a manager but through ``visible_to`` or ``managed_by``."""
    found = {
        (str(path.relative_to(settings.BASE_DIR)), model): line
        for path in modules()
        for model, line in ungated_reads(path)
    }
    assert {place: line for place, line in found.items() if place not in UNGATED} == {}
    assert set(UNGATED) <= set(found), "stale entries in UNGATED"
    assert [path for path in NO_PAGE if not (settings.BASE_DIR / path).exists()] == []


def test_the_net_finds_an_ungated_read(tmp_path: Path) -> None:
    """The net above is no check that cannot fail."""
    module = tmp_path / "views.py"
    module.write_text(
        "def v(r, pk):\n    a = Item.objects.filter(pk=pk).visible_to(r.user)\n    return Item.objects.get(pk=pk)\n"
    )
    assert {line for _, line in ungated_reads(module)} == {2, 3}
    module.write_text("def v(r, pk):\n    return Item.objects.visible_to(r.user).get(pk=pk)\n")
    assert list(ungated_reads(module)) == []


def test_templates_name_nobody_directly() -> None:
    """A4, E12: a template reads names and Activation IDs from rows that are masked already, never from a line item."""
    leaks = ("owner.name", "seller.name", "end_customer.name", "installer.name", "distributor.name")
    folders = ("entitlements", "components")
    found = [
        f"{path.name}: {leak}"
        for folder in folders
        for path in (settings.BASE_DIR / "templates" / folder).rglob("*.html")
        for leak in leaks
        if leak in path.read_text(encoding="utf-8")
    ]
    assert found == []
