"""JSON bodies, read strictly: what two readers could read in two ways is refused."""

import json
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja.parser import Parser

from entitlements.api.problems import Problem
from mxportal.shared.numbers import refuse_number

DEEPEST = 20


class StrictParser(Parser):
    """JSON without doubled keys, NaN, and what no database keeps. Its size is looked at before (ApiMiddleware)."""

    def parse_body(self, request: HttpRequest) -> Any:
        """Raises Problem."""
        if request.content_type != "application/json":
            detail = _("Send the body as JSON, with the header “Content-Type: application/json”.")
            raise Problem(415, "unsupported-media-type", detail)
        return read_json(request.body)

    def parse_querydict(self, data: Any, list_fields: list[str], request: HttpRequest) -> Any:
        """Raises Problem."""
        if any("\0" in value for values in data.lists() for value in values[1]):
            raise unreadable()
        return super().parse_querydict(data, list_fields, request)


def read_json(body: bytes) -> Any:
    """Raises Problem."""
    try:
        found = json.loads(body.decode("utf-8"), object_pairs_hook=_once, parse_constant=refuse_number)
        _check(found, DEEPEST)
    except (ValueError, RecursionError) as error:
        raise unreadable() from error
    return found


def unreadable() -> Problem:
    """Whatever is wrong with it."""
    detail = _("The body is not valid JSON, has duplicate keys or invalid numbers, or is nested too deeply.")
    return Problem(400, "unreadable", detail)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _check(value: Any, depth: int) -> None:
    """Depth, and texts that PostgreSQL cannot keep: NUL, and halves of characters."""
    if depth == 0:
        raise ValueError("nested too deeply")
    if isinstance(value, str):
        value.encode()  # UnicodeEncodeError is a ValueError
        if "\0" in value:
            raise ValueError("NUL")
    children = [*value.keys(), *value.values()] if isinstance(value, dict) else value
    for child in children if isinstance(children, list) else []:
        _check(child, depth - 1)
