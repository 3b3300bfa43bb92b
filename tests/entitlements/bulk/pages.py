"""Short ways through the pages of a bulk split."""

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from entitlements.models import BulkSplit, LineItem
from mxportal.shared.forms import new_key
from tests.entitlements.pages import errors_of, html_of
from tests.factories import Cast


def address(*items: LineItem) -> str:
    return reverse("bulk_split_create", query={"item": [item.pk for item in items]})


def table(*rows: dict[str, Any]) -> dict[str, Any]:
    """The table on the screen, as the browser sends it."""
    fields = {f"lines-{n}-{name}": value for n, row in enumerate(rows) for name, value in row.items()}
    return {"way": "table", "key": new_key(), "lines-total": len(rows), **fields}


def row_for(cast: Cast, amount: Any = 2, **fields: Any) -> dict[str, Any]:
    return {
        "account_id": cast.installer.account.account_id,
        "email": cast.installer.email,
        "amount": amount,
    } | fields


def upload(content: bytes, name: str = "lines.csv") -> dict[str, Any]:
    return {"way": "file", "key": new_key(), "file": SimpleUploadedFile(name, content)}


def started(client: Client, where: str, data: dict[str, Any]) -> BulkSplit:
    """Send it, and the bulk split that its answer leads to."""
    response = client.post(where, data)
    assert response.status_code == 302, errors_of(response)
    return BulkSplit.objects.get(pk=response["Location"].rstrip("/").rpartition("/")[2])


def seen(bulk: BulkSplit) -> dict[str, str]:
    """The hidden fields of a form that stands on the present page of a draft."""
    return {"key": new_key(), "seen": BulkSplit.objects.get(pk=bulk.pk).version}


def page_of(client: Client, bulk: BulkSplit, **query: Any) -> str:
    return html_of(client.get(reverse("bulk_split_detail", args=[bulk.pk]), query))
