"""What each room holds: a floor for each room, a column for each layer."""

from scripts.architecture.graph import House
from scripts.architecture.svg import MUTED, box, color_of, picture, text, wrapped

LAYERS = ("views", "forms", "pages", "services")
MARGIN, NAME, COLUMN, OTHERS, HEAD, LINE, SIZE, PAD = 16, 124, 172, 210, 30, 15, 11, 8


def draw(house: House) -> str:
    """The picture of the wings and apps with their modules."""
    y, elements = MARGIN + HEAD, _heads()
    for room in house.rooms:
        cells = _cells(room, house.modules[room])
        height = max(len(lines) for _x, _width, lines in cells) * LINE + PAD
        elements.append(_name(room, y, height))
        for x, width, lines in cells:
            if lines:
                elements.append(box(x, y, width, height, fill=color_of(room)))
            elements += [
                text(x + 8, y + PAD / 2 + (n + 0.5) * LINE, line, size=SIZE) for n, line in enumerate(lines)
            ]
        y += height + 6
    width = 2 * MARGIN + NAME + len(LAYERS) * COLUMN + OTHERS
    return picture(width, y + MARGIN - 6, "The modules of each room by layer", elements)


def _heads() -> list[str]:
    names = [*LAYERS, "besides"]
    return [text(_x(n) + 8, MARGIN + 10, name, fill=MUTED, bold=True) for n, name in enumerate(names)]


def _x(column: int) -> float:
    return MARGIN + NAME + column * COLUMN


def _name(room: str, y: float, height: float) -> str:
    name = "urls, tasks, apps" if room == "entitlements" else room.removeprefix("entitlements.")
    return text(MARGIN, y + height / 2, name, bold=True)


def _cells(room: str, modules: list[str]) -> list[tuple[float, float, list[str]]]:
    """x, width and lines of the cell of each layer, and of the rest. A room without layers fills its floor."""
    within = [module.removeprefix(f"{room}.") for module in modules if module != room] or [
        room.rpartition(".")[2]
    ]
    parts = {} if room.startswith("mxportal") else {layer: _names(layer, within) for layer in LAYERS}
    rest = sorted({_short(name, within) for name in within if name.partition(".")[0] not in parts})
    if not any(parts.values()):
        width = len(LAYERS) * COLUMN + OTHERS
        return [
            (_x(0), width, wrapped(sorted({_short(name, within) for name in within}), width - 2 * PAD, SIZE))
        ]
    cells = [
        (_x(n), COLUMN - 6, wrapped(parts[layer], COLUMN - 2 * PAD, SIZE)) for n, layer in enumerate(LAYERS)
    ]
    return [*cells, (_x(len(LAYERS)), OTHERS, wrapped(rest, OTHERS - 2 * PAD, SIZE))]


def _short(name: str, within: list[str]) -> str:
    """A module's name, or that of its package with a slash."""
    package = name.partition(".")[0]
    return f"{package}/" if any(other.startswith(f"{package}.") for other in within) else package


def _names(layer: str, within: list[str]) -> list[str]:
    """The modules of a layer: those of its package, or the layer itself where it is a module."""
    modules = [name.removeprefix(f"{layer}.") for name in within if name.startswith(f"{layer}.")]
    return sorted(modules) or [layer for name in within if name == layer]
