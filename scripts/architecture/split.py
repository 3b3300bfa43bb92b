"""How one split travels: the functions that it passes, from the form to ledger, mail and seal.

Every step is looked up in the source code: the function must exist, and the one before must call it.
"""

import ast
from dataclasses import dataclass
from pathlib import Path

from scripts.architecture.svg import LINE, MUTED, box, color_of, path, picture, text

# The columns of the picture, and what lies in each.
LIFELINES = {
    "browser": ("browser",),
    "splits.views": ("entitlements.splits.views",),
    "splits.forms": ("entitlements.splits.forms",),
    "splits.services": ("entitlements.splits.services",),
    "ledger": ("entitlements.ledger",),
    "triggers (SQL)": ("entitlements/ledger/postgresql.sql",),
    "mailing": ("entitlements.mailing",),
    "notifications": ("notifications",),
    "worker": ("entitlements.tasks", "notifications.tasks"),
}
VIEW, FORM, SPLIT = (
    "entitlements.splits.views",
    "entitlements.splits.forms",
    "entitlements.splits.services.split",
)
MOVEMENTS, SQL = "entitlements.ledger.movements", "entitlements/ledger/postgresql.sql"
QUEUE, LETTERS = "entitlements.mailing.services.queue", "entitlements.mailing.letters"
SEAL, TREE = "entitlements.ledger.sealing.seal", "entitlements.ledger.sealing.tree"


@dataclass(frozen=True)
class Step:
    """One function calls another; ``by`` is the name that stands in the caller, where it is not the callee's own."""

    caller: str
    callee: str
    by: str = ""


JOURNEY: dict[str, list[Step]] = {
    "The request, in one transaction": [
        Step("browser", f"{VIEW}:line_item_split"),
        Step(f"{VIEW}:_complete", f"{FORM}:SplitForm"),
        Step(f"{VIEW}:_complete", f"{SPLIT}:split_line_item"),
        Step(f"{SPLIT}:split_line_item", f"{SPLIT}:check_split"),
        Step(f"{SPLIT}:split_line_item", f"{SPLIT}:entitlement_for"),
        Step(f"{SPLIT}:split_line_item", f"{SPLIT}:new_item"),
        Step(f"{SPLIT}:split_line_item", f"{MOVEMENTS}:record_movement"),
        Step(f"{MOVEMENTS}:record_movements", f"{SQL}:ledger_movement_applies"),
        Step(f"{MOVEMENTS}:record_movements", f"{SQL}:ledger_movement_waits"),
        Step(f"{MOVEMENTS}:record_movements", f"{MOVEMENTS}:_check_effect"),
        Step(f"{SPLIT}:split_line_item", f"{QUEUE}:queue_activation_mail"),
        Step(f"{QUEUE}:queue_activation_mail", "notifications.services:queue_mails"),
        Step(f"{QUEUE}:queue_activation_mail", f"{QUEUE}:keep_mails"),
        Step("browser", f"{VIEW}:line_item_split_done"),
    ],
    "After the commit: the mail": [
        Step("notifications.tasks:deliver_mails", "notifications.services:deliver_mails"),
        Step("notifications.services:_deliver_safely", "notifications.delivery:deliver"),
        Step("notifications.delivery:_attempt", f"{LETTERS}:render_activation", by="render"),
        Step("notifications.delivery:deliver", "notifications.delivery:_settle"),
    ],
    "Every minute: the seal": [
        Step("entitlements.tasks:seal_ledger", f"{SEAL}:seal_ledger"),
        Step(f"{SEAL}:_seal_batch", f"{TREE}:growing_tree"),
        Step(f"{SEAL}:_seal_batch", f"{TREE}:GrowingTree.save"),
    ],
}

COLUMN, FIRST, HEAD, ROW, MARGIN = 148, 76, 54, 34, 16


def draw(root: Path) -> str:
    """The picture. Raises LookupError where a step is not in the source code."""
    number, y, elements = 0, float(HEAD), []
    for title, steps in JOURNEY.items():
        elements += [text(MARGIN, y + 12, title, fill=MUTED, bold=True, rim=True)]
        y += ROW
        for step in steps:
            check(step, root)
            number += 1
            elements += _arrow(number, step, y)
            y += ROW
    width = FIRST + len(LIFELINES) * COLUMN
    return picture(width, y + MARGIN, "How one split travels through the portal", [*_lifelines(y), *elements])


def check(step: Step, root: Path) -> None:
    """Find the callee in the source code, and its name in the caller."""
    name = step.by or step.callee.rpartition(":")[2].rpartition(".")[2]
    if "/" in step.callee:
        sql, _, trigger = step.callee.partition(":")
        if f"CREATE TRIGGER {trigger} " not in (root / sql).read_text(encoding="utf-8"):
            raise LookupError(f"{sql} makes no trigger {trigger}")
        return
    _function(step.callee, root)
    if ":" in step.caller and name not in _names(_function(step.caller, root)):
        raise LookupError(f"{step.caller} does not name {name}")


def _function(reference: str, root: Path) -> ast.AST:
    """The class or function behind `module:name` or `module:Class.name`."""
    module, _, names = reference.partition(":")
    place = root / module.replace(".", "/")
    files = [file for file in (place.with_suffix(".py"), place / "__init__.py") if file.exists()]
    node: ast.AST = ast.parse(files[0].read_text("utf-8")) if files else ast.Module([], [])
    for name in names.split("."):
        body = [one for one in ast.iter_child_nodes(node) if getattr(one, "name", "") == name]
        if not body:
            raise LookupError(f"There is no {reference}")
        node = body[0]
    return node


def _names(node: ast.AST) -> set[str]:
    return {
        one.id if isinstance(one, ast.Name) else one.attr
        for one in ast.walk(node)
        if isinstance(one, ast.Name | ast.Attribute)
    }


def _column(reference: str) -> int:
    """The column with the longest name of a module that the reference begins with."""
    homes = [(home, n) for n, names in enumerate(LIFELINES.values()) for home in names]
    return max((len(home), n) for home, n in homes if reference.startswith(home))[1]


def _x(column: int) -> float:
    return FIRST + column * COLUMN


def _lifelines(bottom: float) -> list[str]:
    elements = []
    for n, (name, homes) in enumerate(LIFELINES.items()):
        app = homes[0].partition(".")[0].partition("/")[0]
        fill = color_of("mxportal" if name in ("browser", "worker") else app)
        elements.append(path([(_x(n), HEAD - 12), (_x(n), bottom)], color=LINE, dashed=True))
        elements.append(box(_x(n) - 58, MARGIN, 116, 26, fill=fill))
        elements.append(text(_x(n), MARGIN + 13, name, anchor="middle", bold=True))
    return elements


def _arrow(number: int, step: Step, y: float) -> list[str]:
    start, end = _x(_column(step.caller)), _x(_column(step.callee))
    label = f"{number}  {step.callee.rpartition(':')[2]}"
    if start == end:
        points = [(end, y), (end + 16, y), (end + 16, y + 14), (end + 2, y + 14)]
        return [path(points, color=MUTED, arrow=True), text(end + 22, y + 7, label, size=11, rim=True)]
    side, anchor = (1, "start") if end > start else (-1, "end")
    line = path([(start, y + 12), (end - 2 * side, y + 12)], color=MUTED, arrow=True)
    return [line, text(start + 6 * side, y + 2, label, size=11, anchor=anchor, rim=True)]
