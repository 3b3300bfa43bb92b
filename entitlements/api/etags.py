"""An ETag for each version of what can be changed, and If-Match against changes that were not seen (RFC 9110)."""

import hashlib
from collections.abc import Callable
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse
from django.utils.http import parse_etags
from django.utils.translation import gettext as _
from ninja import Schema

from entitlements.api.answers import as_json
from entitlements.api.problems import Problem

S = TypeVar("S", bound=Schema)


def etag(shown: Schema) -> dict[str, str]:
    """Return the header. It is derived from what is shown, so that every process gives the same one."""
    return {"ETag": f'"{hashlib.sha256(as_json(shown).encode()).hexdigest()[:32]}"'}


def tagged(response: HttpResponse, shown: S) -> S:
    """Return what is shown, and set its ETag on the answer."""
    for name, value in etag(shown).items():
        response[name] = value
    return shown


def unchanged(request: HttpRequest, show: Callable[[Any], Schema]) -> Callable[[Any], None]:
    """Return a check for the service, which calls it with the row that it has locked.

    The check raises Problem 412 if the request has an If-Match that is not the row's.
    """
    wanted = request.headers.get("If-Match")

    def check(row: Any) -> None:
        if (
            wanted is not None
            and wanted.strip() != "*"
            and etag(show(row))["ETag"] not in parse_etags(wanted)
        ):
            detail = _("Somebody else has changed this since you read it. Read it again.")
            raise Problem(412, "changed-meanwhile", detail)

    return check
