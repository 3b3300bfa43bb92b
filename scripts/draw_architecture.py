"""Draws docs/architecture/*.svg from the source code (`make architecture`).

With ``--check`` it writes nothing, and ends with 1 where a picture is not what the source code gives now.
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # grimp finds the packages there

from scripts.architecture import arrows, graph, rooms, split  # noqa: E402

PICTURES = ROOT / "docs" / "architecture"


def drawn(root: Path = ROOT) -> dict[str, str]:
    """The pictures by the names of their files."""
    house = graph.read_house(root)
    print(
        f"{len(house.rooms)} rooms, {len(house.imports)} arrows, {len(house.upward)} of them upward",
        file=sys.stderr,
    )
    return {
        "arrows.svg": arrows.draw(house),
        "rooms.svg": rooms.draw(house),
        "split.svg": split.draw(root),
    }


def main() -> int:
    """Write the pictures, or compare them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a picture differs")
    is_check = parser.parse_args().check
    wrong = 0
    try:
        pictures = drawn()
    except LookupError as error:
        sys.exit(f"{error}: correct scripts/architecture/split.py and docs/architecture.md.")
    for name, picture in pictures.items():
        path = PICTURES / name
        if is_check and (not path.exists() or path.read_text(encoding="utf-8") != picture):
            print(f"{path.relative_to(ROOT)} is not what the source code gives now: run `make architecture`.")
            wrong = 1
        if not is_check:
            PICTURES.mkdir(exist_ok=True)
            path.write_text(picture, encoding="utf-8")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
