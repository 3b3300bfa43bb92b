"""A few SVG elements. The same calls give the same text, so that pictures can be compared."""

from html import escape

PAPER, INK, MUTED, LINE, WRONG = "#ffffff", "#1d2733", "#5b6875", "#9aa7b4", "#c62828"
ROOMS = {
    "mxportal": "#eceff1",
    "notifications": "#fff3d6",
    "accounts": "#e3f2e1",
    "entitlements": "#dbeafc",
    "handbook": "#f3e5f5",
}
WIDTH_OF_A_LETTER = 0.56  # of the font's size, on average


def color_of(module: str) -> str:
    """The fill of the app that the module belongs to."""
    return ROOMS.get(module.partition(".")[0], PAPER)


def text(
    x: float,
    y: float,
    words: str,
    *,
    size: int = 12,
    anchor: str = "start",
    fill: str = INK,
    bold: bool = False,
    rim: bool = False,
) -> str:
    """A line of text; ``y`` is its middle. ``rim``: in white, so that lines do not cross the letters."""
    weight = ' font-weight="600"' if bold else ""
    stroke = f' stroke="{PAPER}" stroke-width="4" paint-order="stroke"' if rim else ""
    return (
        f'<text x="{x:g}" y="{y + size * 0.36:g}" font-size="{size}" text-anchor="{anchor}" fill="{fill}"'
        f"{weight}{stroke}>{escape(words)}</text>"
    )


def box(x: float, y: float, width: float, height: float, *, fill: str, stroke: str = LINE) -> str:
    """A rectangle with round corners."""
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="4" fill="{fill}" stroke="{stroke}"/>'


def path(
    points: list[tuple[float, float]], *, color: str = LINE, arrow: bool = False, dashed: bool = False
) -> str:
    """A line through the points, with an arrowhead at its end if wanted."""
    way = " ".join(f"{x:g},{y:g}" for x, y in points)
    marker = ' marker-end="url(#arrow)"' if arrow else ""
    dashes = ' stroke-dasharray="4 3"' if dashed else ""
    return f'<polyline points="{way}" fill="none" stroke="{color}" stroke-width="1.2"{marker}{dashes}/>'


def dot(x: float, y: float, radius: float, *, color: str, tip: str) -> str:
    """A filled circle with a text for the pointer."""
    return (
        f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" fill="{color}"><title>{escape(tip)}</title></circle>'
    )


def picture(width: float, height: float, title: str, elements: list[str]) -> str:
    """The whole file, one element a line."""
    arrow = (
        '<marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        f'<polygon points="0,0 8,4 0,8" fill="{MUTED}"/></marker>'
    )
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img"'
        ' font-family="Barlow, Segoe UI, Helvetica, Arial, sans-serif">',
        f"<title>{escape(title)}</title>",
        f"<defs>{arrow}</defs>",
        f'<rect width="{width:g}" height="{height:g}" fill="{PAPER}"/>',
    ]
    return "\n".join([*head, *elements, "</svg>", ""])


def wrapped(words: list[str], width: float, size: int) -> list[str]:
    """The words with commas between, in lines of at most this width."""
    lines: list[str] = []
    for number, word in enumerate(words):
        piece = word + ("," if number < len(words) - 1 else "")
        longer = f"{lines[-1]} {piece}" if lines else piece
        if lines and len(longer) * size * WIDTH_OF_A_LETTER <= width:
            lines[-1] = longer
        else:
            lines.append(piece)
    return lines
