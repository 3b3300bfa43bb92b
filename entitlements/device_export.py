"""The list of devices as CSV: written while it is read, whatever its length."""

import csv
import io
from collections.abc import Iterator, Sequence

from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from accounts.models import User
from entitlements.bulk_export import disarm
from entitlements.device_list import NEWEST, device_rows
from entitlements.models import Device
from mxportal.shared.pagination import Arm, first_rows

AT_ONCE = 1000


def device_csv(actor: User, arms: Sequence[Arm[Device]]) -> Iterator[bytes]:
    """A BOM and the language's delimiter, as Excel wants them; newest first, in portions of a fixed cost."""
    language = get_language() or "en"  # the request is over when the portions are asked for
    yield "".encode("utf-8-sig") + _lines([_header()], language)
    last: tuple[int] | None = None
    while True:
        portion = first_rows(arms, order=NEWEST, size=AT_ONCE, beyond=last)
        if not portion:
            return
        last = (portion[-1].pk,)
        with override(language):
            rows = [_row(row) for row in device_rows(actor, portion)]
        yield _lines(rows, language)


def _header() -> list[str]:
    return [
        _("Host ID"),
        _("Type of host ID"),
        _("Name"),
        _("Model"),
        _("Account"),
        _("Site"),
        _("Copies"),
    ]


def _row(row: object) -> list[str]:
    names = ("host_id", "type", "name", "model", "account", "site", "copies")
    return [str(getattr(row, name)) for name in names]


def _lines(rows: Sequence[Sequence[str]], language: str) -> bytes:
    text = io.StringIO()
    delimiter = ";" if language == "de" else ","
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    writer.writerows([disarm(cell) for cell in row] for row in rows)
    return text.getvalue().encode()
