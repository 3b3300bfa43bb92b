"""The lineage of a line item as a tree: from the item that MOBOTIX issued down to the last split (A4, E5, E12).

Everything in it comes through ``visible_to``. What the reader does not see, or what would make the picture too big, is
one node that says how many copies it holds. So the copies split off a node are always those of the nodes below it (E4).
"""

from dataclasses import dataclass, field
from unicodedata import east_asian_width

from django.urls import reverse

from accounts.models import User
from accounts.visibility import visible_names
from entitlements.items.listing import for_rows
from entitlements.items.rows import ItemRow, item_row
from entitlements.models import LineItem

SHOWN_OF_A_LEVEL = 25
WIDTH, HEIGHT, GAP, MARGIN = 300, 100, 36, 4  # of a node, and between two, in CSS pixels (the template's too)
ROW_HEIGHT = HEIGHT + 16
MAX_NAME_WIDTH = 32  # in letters; longer names are cut


@dataclass
class Node:
    """A line item, or with ``row`` None the copies of further splits, which its address lists."""

    row: ItemRow | None
    copies: int
    url: str
    is_current: bool = False
    column: int = 0
    line: int = 0
    children: "list[Node]" = field(default_factory=list)

    @property
    def x(self) -> int:
        """Return the left edge."""
        return MARGIN + self.column * (WIDTH + GAP)

    @property
    def y(self) -> int:
        """Return the upper edge."""
        return MARGIN + self.line * ROW_HEIGHT

    @property
    def short_name(self) -> str:
        """Return as much of the owner's name as fits; some scripts have letters of double width."""
        name, room = self.row.owner if self.row else "", MAX_NAME_WIDTH
        for index, letter in enumerate(name):
            room -= 2 if east_asian_width(letter) in "FW" else 1
            if room < 0:
                return f"{name[: index - 1]}…"
        return name

    @property
    def lines(self) -> list[str]:
        """Return the lines from this node to each node below it, as SVG paths."""
        start, bend = self.x + WIDTH, self.x + WIDTH + GAP // 2
        middle = HEIGHT // 2
        return [f"M{start} {self.y + middle}H{bend}V{child.y + middle}H{child.x}" for child in self.children]


@dataclass(frozen=True)
class Lineage:
    """The tree, its nodes in reading order, and the size of the picture."""

    root: Node
    nodes: list[Node]
    width: int
    height: int


def lineage(actor: User, item: LineItem) -> Lineage:
    """Return the tree of a visible item, as far as the reader sees it, in seven queries at most."""
    above, below = _above(actor, item), _below(actor, item)
    path = [*above, item]
    splits = below | {parent.pk: [child] for parent, child in zip(path, path[1:], strict=False)}
    everything = [*path, *(split for level in below.values() for split in level)]
    names = visible_names(actor, [one.owner_id for one in everything])
    root = _node(actor, path[0], splits, names, current=item)
    height = _place(root, column=0, line=0)
    nodes = list(_in_order(root))
    columns = 1 + max(node.column for node in nodes)
    return Lineage(
        root,
        nodes,
        2 * MARGIN + columns * (WIDTH + GAP) - GAP,
        2 * MARGIN + height * ROW_HEIGHT - (ROW_HEIGHT - HEIGHT),
    )


def _above(actor: User, item: LineItem) -> list[LineItem]:
    """Return the visible items that it was split from, the issued one first; the chain has three levels."""
    visible = LineItem.objects.visible_to(actor)
    ids = visible.filter(pk=item.pk).values_list("parent", "parent__parent").get()
    return list(for_rows(visible).filter(pk__in=[pk for pk in ids if pk]).order_by("pk"))


def _below(actor: User, item: LineItem) -> dict[int, list[LineItem]]:
    """Return the splits of each level that hold most copies, by the item that they were split from."""
    found: dict[int, list[LineItem]] = {}
    level = [item.pk]
    while level:
        splits = (
            for_rows(LineItem.objects.visible_to(actor)).filter(parent__in=level).order_by("-quantity", "-id")
        )
        level = []
        for split in splits[:SHOWN_OF_A_LEVEL]:
            found.setdefault(split.parent_id or 0, []).append(split)
            level.append(split.pk)
    return found


def _node(
    actor: User,
    item: LineItem,
    splits: dict[int, list[LineItem]],
    names: dict[int, str],
    *,
    current: LineItem,
) -> Node:
    node = Node(
        row=item_row(actor, item, names),
        copies=item.quantity,
        url=reverse("line_item_detail", args=[item.pk]),
        is_current=item.pk == current.pk,
    )
    shown = splits.get(item.pk, [])
    node.children = [_node(actor, split, splits, names, current=current) for split in shown]
    if rest := item.split - sum(split.quantity for split in shown):
        node.children.append(Node(row=None, copies=rest, url=f"{node.url}#item-splits"))
    return node


def _place(node: Node, *, column: int, line: int) -> int:
    """Place a node beside its first split, so that a long tree is read from its top. Return the next free line."""
    node.column, node.line = column, line
    free = line
    for child in node.children:
        free = _place(child, column=column + 1, line=free)
    return max(free, line + 1)


def _in_order(node: Node) -> "list[Node]":
    return [node, *(below for child in node.children for below in _in_order(child))]
