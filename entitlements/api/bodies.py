"""Read JSON bodies strictly: JSON that two readers could understand differently is refused."""

import json
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja.parser import Parser

from entitlements.api.problems import Problem
from mxportal.shared.numbers import refuse_number

MAX_DEPTH = 20


class StrictParser(Parser):
    """JSON without duplicate keys, NaN, and values that no database stores. ApiMiddleware checks the size before."""

    def parse_body(self, request: HttpRequest) -> Any:
        """Return the body. Raises Problem."""
        if request.content_type != "application/json":
            detail = _("Send the body as JSON, with the header “Content-Type: application/json”.")
            raise Problem(415, "unsupported-media-type", detail)
        return read_json(request.body)

    def parse_querydict(self, data: Any, list_fields: list[str], request: HttpRequest) -> Any:
        """Return the parameters. Raises Problem."""
        if any("\0" in value for values in data.lists() for value in values[1]):
            raise unreadable()
        return super().parse_querydict(data, list_fields, request)


def read_json(body: bytes) -> Any:
    """Return the value of a JSON text. Raises Problem."""
    try:
        found = json.loads(body.decode("utf-8"), object_pairs_hook=_once, parse_constant=refuse_number)
        _check(found, MAX_DEPTH)
    except (ValueError, RecursionError) as error:
        raise unreadable() from error
    return found


def unreadable() -> Problem:
    """Return the same problem for all faults of a body."""
    detail = _("The body is not valid JSON, has duplicate keys or invalid numbers, or is nested too deeply.")
    return Problem(400, "unreadable", detail)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _check(value: Any, depth: int) -> None:
    """Check the depth, and refuse texts that PostgreSQL cannot store: NUL, and halves of surrogate pairs."""
    if depth == 0:
        raise ValueError("nested too deeply")
    if isinstance(value, str):
        value.encode()  # UnicodeEncodeError is a ValueError
        if "\0" in value:
            raise ValueError("NUL")
    children = [*value.keys(), *value.values()] if isinstance(value, dict) else value
    for child in children if isinstance(children, list) else []:
        _check(child, depth - 1)
