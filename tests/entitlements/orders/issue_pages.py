"""Short ways through "Create Entitlement"."""

from typing import Any

from django.urls import reverse

from entitlements.models import today
from mxportal.shared.forms import new_key
from tests.entitlements.pages import client_of
from tests.factories import Cast


def line(number: int, product: int | str, /, **changes: Any) -> dict[str, Any]:
    """One line as the browser sends it."""
    fields = {
        "product": product,
        "quantity": "5",
        "starts_on": str(today()),
        "expires_on": "",
        "permanent": "on",
    }
    return {
        f"lines-{number}-{name}": value for name, value in (fields | changes).items() if value is not None
    }


def typed(cast: Cast, *lines: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The whole form, with one good line unless said otherwise."""
    rows = lines or (line(0, cast.product.pk),)
    data = {
        "step": "save",
        "key": new_key(),
        "owner": cast.distributor.account_id,
        "contact": cast.distributor.pk,
        "order_number": "SO-9",
        "order_date": "2026-11-02",
        "lines-TOTAL_FORMS": str(len(rows)),
        "lines-INITIAL_FORMS": str(len(rows)),
    }
    for row in rows:
        data |= row
    return data | changes


def create(cast: Cast, data: dict[str, Any]) -> Any:
    return client_of(cast.mobotix).post(reverse("entitlement_create"), data)


def line_errors(response: Any) -> list[dict[str, list[str]]]:
    return [{name: list(found) for name, found in form.errors.items()} for form in response.context["lines"]]
