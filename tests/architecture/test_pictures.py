"""The pictures of docs/architecture.md are what the source code gives, and show what is wrong with it."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings

from scripts.architecture import arrows, graph, split
from scripts.architecture.svg import WRONG
from scripts.draw_architecture import PICTURES, drawn

ROOT = Path(settings.BASE_DIR)


@pytest.fixture(scope="module")
def house() -> graph.House:
    return graph.read_house(ROOT)


def test_the_pictures_are_up_to_date() -> None:
    """`make architecture` draws them."""
    assert drawn() == {path.name: path.read_text(encoding="utf-8") for path in PICTURES.glob("*.svg")}


def test_no_arrow_points_upward(house: graph.House) -> None:
    """The order of the rooms is the one that import-linter checks."""
    assert house.upward == []
    assert {room for arrow in house.imports for room in arrow} <= set(house.rooms)


def test_an_upward_arrow_is_drawn_in_red(house: graph.House) -> None:
    """A planted import from the ledger into splits stands out."""
    assert arrows.draw(house).count(f'stroke="{WRONG}"') == 0
    planted = {("entitlements.ledger", "entitlements.splits"): 1}
    wrong = replace(house, imports=house.imports | planted)
    assert wrong.upward == list(planted)
    assert arrows.draw(wrong).count(f'stroke="{WRONG}"') == 1


def test_a_step_that_the_code_does_not_take_is_refused() -> None:
    """Each function of the split's journey exists and is called by the one before."""
    views, services = "entitlements.splits.views", "entitlements.splits.services.split"
    split.check(split.Step(f"{views}:_complete", f"{services}:split_line_item"), ROOT)
    for caller, callee in [
        (f"{views}:line_item_split_done", f"{services}:split_line_item"),
        (f"{views}:_complete", f"{services}:split_nothing"),
        (f"{views}:_complete", "entitlements.splits.nowhere:split_line_item"),
        (f"{services}:split_line_item", "entitlements/ledger/postgresql.sql:ledger_nothing"),
    ]:
        with pytest.raises(LookupError):
            split.check(split.Step(caller, callee), ROOT)


def test_the_page_explains_the_steps_of_the_picture() -> None:
    """docs/architecture.md has a row for each of them, in the same order."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| `([^`]+)`(?:: `(\w+)`)? \|", page, re.MULTILINE)
    steps = [step.callee for steps in split.JOURNEY.values() for step in steps]
    assert [f"{name}:{trigger}" if trigger else name for _number, name, trigger in rows] == steps
    assert [int(number) for number, _name, _trigger in rows] == list(range(1, len(steps) + 1))
