"""Which room imports which: the rooms on a stair, every arrow down and to the right."""

from scripts.architecture.graph import House
from scripts.architecture.svg import INK, MUTED, WRONG, box, color_of, dot, path, picture, text

STEP_X, STEP_Y, WIDTH, HEIGHT, MARGIN, TOP = 66, 38, 124, 26, 16, 64
BANDS = ((20, 9.0, "20 imports or more"), (5, 6.0, "5 to 19"), (1, 3.5, "1 to 4"))


def draw(house: House) -> str:
    """The picture of all rooms."""
    count = len(house.rooms)
    width = 2 * MARGIN + (count - 1) * STEP_X + WIDTH
    elements = [*_legend(), *_lines(house), *(_room(number, house) for number in range(count)), *_dots(house)]
    title = "Which room of the portal imports which"
    return picture(width, TOP + count * STEP_Y + MARGIN, title, elements)


def _left(number: int) -> float:
    return MARGIN + number * STEP_X


def _center(number: int) -> float:
    return _left(number) + WIDTH / 2


def _middle(number: int) -> float:
    return TOP + number * STEP_Y + HEIGHT / 2


def _room(number: int, house: House) -> str:
    room = house.rooms[number]
    name = "urls, tasks, apps" if room == "entitlements" else room.removeprefix("entitlements.")
    label = text(_center(number), _middle(number), name, anchor="middle", bold=True)
    return box(_left(number), _middle(number) - HEIGHT / 2, WIDTH, HEIGHT, fill=color_of(room)) + label


def _arrows(house: House) -> list[tuple[int, int, int]]:
    """From which room to which, by their numbers, and how many imports."""
    order = {room: number for number, room in enumerate(house.rooms)}
    return sorted((order[one], order[other], count) for (one, other), count in house.imports.items())


def _lines(house: House) -> list[str]:
    """For each room one line to the right, over what it imports, and one down to it; upward arrows each by itself."""
    arrows = _arrows(house)
    lines = []
    for room in range(len(house.rooms)):
        right = [there for here, there, _count in arrows if here == room and there > room]
        above = [here for here, there, _count in arrows if there == room and here < room]
        if right:
            lines.append(path([(_left(room) + WIDTH, _middle(room)), (_center(max(right)), _middle(room))]))
        if above:
            start, end = _middle(min(above)), _middle(room) - HEIGHT / 2
            lines.append(path([(_center(room), start), (_center(room), end)], arrow=True))
    for here, there, _count in arrows:
        if there < here:
            corner, end = (_center(there), _middle(here)), (_center(there), _middle(there) + HEIGHT / 2)
            lines.append(path([(_left(here), _middle(here)), corner, end], color=WRONG, arrow=True))
    return lines


def _dots(house: House) -> list[str]:
    dots = []
    for here, there, count in _arrows(house):
        radius = next(size for least, size, _label in BANDS if count >= least)
        tip = f"{house.rooms[here]} imports {house.rooms[there]}"
        color = MUTED if there > here else WRONG
        dots.append(dot(_center(there), _middle(here), radius, color=color, tip=tip))
    return dots


def _legend() -> list[str]:
    legend = [text(MARGIN, 22, "A dot: the room at the left of its row imports the room below it.", fill=INK)]
    x = MARGIN + 8
    for _least, radius, label in reversed(BANDS):
        legend += [dot(x, 44, radius, color=MUTED, tip=label), text(x + 14, 44, label, fill=MUTED)]
        x += 40 + 7 * len(label)
    return [*legend, text(x, 44, "Red: upward, which import-linter forbids.", fill=WRONG)]
