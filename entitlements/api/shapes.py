"""What the forms of requests and answers have in common."""

import unicodedata
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import quote

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.forms import BaseForm
from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Header, Schema
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, PlainSerializer, StringConstraints
from pydantic_core import PydanticCustomError

from entitlements.items.checks import MAX_COPIES
from entitlements.models.line_item import PERMANENT
from mxportal.shared.numbers import typed_number
from mxportal.shared.pagination import IndexedPart, paginate

M = TypeVar("M", bound=Model)
T = TypeVar("T")
MAX_PAGE_SIZE = 100
MAX_ID = 2**63 - 1


def _one_line(text: str) -> str:
    if any(unicodedata.category(character) == "Cc" for character in text):
        raise ValueError(_("Use one line without control characters."))
    return text.strip()


def _ascii_digits(value: Any) -> Any:
    if isinstance(value, str) and typed_number(value, digits=19) is None:
        raise PydanticCustomError("int_parsing", "Enter a whole number.")
    return value


ONE_LINE = AfterValidator(_one_line)
Text20 = Annotated[str, StringConstraints(max_length=20), ONE_LINE]
Text40 = Annotated[str, StringConstraints(max_length=40), ONE_LINE]
Text60 = Annotated[str, StringConstraints(max_length=60), ONE_LINE]
Text100 = Annotated[str, StringConstraints(max_length=100), ONE_LINE]
Text200 = Annotated[str, StringConstraints(max_length=200), ONE_LINE]
Text254 = Annotated[str, StringConstraints(max_length=254), ONE_LINE]
Text500 = Annotated[str, StringConstraints(max_length=500), ONE_LINE]
Paragraphs = Annotated[str, StringConstraints(max_length=2000)]
# Only whole numbers of JSON, and in an address only ASCII digits: otherwise 2.0, true, "5" and "５" would pass (E18).
Id = Annotated[int, Field(ge=1, le=MAX_ID, strict=True)]
DIGITS = BeforeValidator(_ascii_digits)
QueryId = Annotated[int, Field(ge=1, le=MAX_ID), DIGITS]
Copies = Annotated[int, Field(ge=1, le=MAX_COPIES, strict=True)]
AccountId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,29}$")]
EntitlementId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,20}$")]
PartNumber = Text40
Email = Text254
Reason = Text500
# Permanent is null in the API, and a date in the database (E14).
LastDay = Annotated[
    date | None, PlainSerializer(lambda day: None if day == PERMANENT else day, return_type=date | None)
]
IdempotencyKey = Annotated[
    str, Header(alias="idempotency-key", min_length=1, max_length=64, pattern=r"^[\x20-\x7e]+$")
]


class In(Schema):
    """The body of a request. Unknown fields are rejected."""

    model_config = ConfigDict(extra="forbid")


class PageQuery(Schema):
    """A page of a list (P4). ``next`` in the answer leads to the next page."""

    limit: Annotated[int, Field(ge=1, le=MAX_PAGE_SIZE, description="Rows per page"), DIGITS] = 50
    after: Annotated[int | None, Field(ge=1, le=MAX_ID, description="The value from `next`"), DIGITS] = None


class Page(Schema, Generic[T]):
    """``next`` is the address of the next page; it is null on the last page."""

    items: list[T]
    next: str | None


def page_of(
    request: HttpRequest,
    queryset: QuerySet[M],
    query: PageQuery,
    *,
    order: Sequence[str] = ("-id",),
    parts: Sequence[IndexedPart[M]] = (),
) -> tuple[list[M], str | None]:
    """Return the rows, and the address of the next page."""
    page = paginate(request, queryset, order=order, size=query.limit, parts=parts)
    address = f"{settings.SITE_URL}{request.path}{page.older_url}" if page.older_url else None
    request.next_page = address  # type: ignore[attr-defined]  # for the header Link, by ApiMiddleware
    return page.items, address


def location(*parts: object) -> dict[str, str]:
    """Return the header with the address of something new (RFC 9110)."""
    path = "/".join(quote(str(part), safe="") for part in parts)
    return {"Location": f"{settings.SITE_URL}/api/v1/{path}"}


def checked(form_class: type[BaseForm], given: dict[str, Any], **known: Any) -> dict[str, Any]:
    """Return the values as a page's form cleans them, so that both refuse the same.

    Missing values get the form's initial values. Raises ValidationError at the form's fields.
    """
    fresh = form_class(**known)
    values = {name: fresh.get_initial_for_field(field, name) for name, field in fresh.fields.items()}
    form: Any = form_class(
        values | {name: value for name, value in given.items() if value is not None}, **known
    )
    if not form.is_valid():
        raise ValidationError(form.errors.as_data())
    return form.service_data()
