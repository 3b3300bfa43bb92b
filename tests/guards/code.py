"""Finds in the sources what the tables have to name."""

import ast
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

APPS = ("accounts", "entitlements", "notifications", "mxportal")


def functions() -> Iterator[tuple[str, Path, ast.FunctionDef]]:
    """Every function of our own apps: ``module.function``, its file, its code."""
    for app in APPS:
        for path in sorted((settings.BASE_DIR / app).rglob("*.py")):
            module = ".".join(path.relative_to(settings.BASE_DIR).with_suffix("").parts)
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.FunctionDef):
                    yield f"{module.removesuffix('.__init__')}.{node.name}", path, node


def calls(function: ast.FunctionDef, method: str) -> list[ast.Call]:
    """The calls of a method in it, in their order."""
    found = [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == method
    ]
    return sorted(found, key=lambda node: (node.lineno, node.col_offset))


def writing_services(*, keyed: bool) -> set[str]:
    """The names of the functions that open a transaction, with a parameter ``key`` or without."""
    return {
        name
        for name, _path, function in functions()
        if any("transaction.atomic" in ast.unparse(decorator) for decorator in function.decorator_list)
        and keyed == any(argument.arg == "key" for argument in function.args.kwonlyargs)
    }
