"""The rooms of the portal and the imports between them, as grimp reads them from the source code.

A room is a wing of `entitlements`, an app, or a part of the project's package. The order of the rooms is the one that
import-linter checks (pyproject.toml).
"""

import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grimp


@dataclass(frozen=True)
class House:
    """The rooms from the top to the bottom, their modules, and how many imports lead from one to another."""

    rooms: list[str]
    modules: dict[str, list[str]]
    imports: dict[tuple[str, str], int]

    @property
    def upward(self) -> list[tuple[str, str]]:
        """Arrows from a room to one above it: import-linter fails where there are any."""
        order = {room: number for number, room in enumerate(self.rooms)}
        return sorted(arrow for arrow in self.imports if order[arrow[0]] > order[arrow[1]])


def read_house(root: Path) -> House:
    """Build the import graph of the packages below ``root``, which stands first on the path."""
    config = read_config(root)
    graph = grimp.build_graph(*config["root_packages"], cache_dir=None)
    rooms = rooms_in_order(root, config)
    modules: dict[str, list[str]] = {room: [] for room in rooms}
    imports: Counter[tuple[str, str]] = Counter()
    for module in sorted(graph.modules):
        if is_left_out(module):
            continue
        here = room_of(module, rooms)
        modules[here].append(module)
        for imported in graph.find_modules_directly_imported_by(module):
            there = room_of(imported, rooms)
            if here != there and not is_left_out(imported):
                imports[here, there] += 1
    return House(rooms, modules, dict(imports))


def is_left_out(module: str) -> bool:
    """Migrations are history and no structure."""
    return "migrations" in module.split(".")


def room_of(module: str, rooms: list[str]) -> str:
    """The room with the longest name that the module lies in."""
    return max((room for room in rooms if f"{module}.".startswith(f"{room}.")), key=len)


def read_config(root: Path) -> dict[str, Any]:
    """What import-linter is told."""
    return dict(tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"])


def rooms_in_order(root: Path, config: dict[str, Any]) -> list[str]:
    """The apps and the wings of `entitlements`, as the contracts of import-linter order them.

    Above the wings stand the single modules of `entitlements` (urls, tasks, apps) as one room; `mxportal.shared` stands
    below the project's own modules (settings, health, log).
    """
    contracts = {contract["id"]: contract["layers"] for contract in config["contracts"]}
    wings = [f"entitlements.{name}" for layer in contracts["wings"] for name in names_in(layer)]
    wings = [wing for wing in wings if (root / wing.replace(".", "/")).is_dir()]
    rooms = {"entitlements": ["entitlements", *wings], "mxportal": ["mxportal", "mxportal.shared"]}
    apps = [name for layer in contracts["apps"] for name in names_in(layer)]
    return [room for app in apps for room in rooms.get(app, [app])]


def names_in(layer: str) -> list[str]:
    """The modules of one layer; import-linter puts optional ones in brackets and several on one line."""
    return [name.strip(" ()").removeprefix("entitlements.") for name in layer.replace(":", "|").split("|")]
