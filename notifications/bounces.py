"""Addresses that the mail server refused for good, for the people who manage them (N2)."""

from collections.abc import Iterable
from datetime import datetime

from mxportal.shared.fields import fold
from notifications.models import Mail, RefusedAddress, Status


def record_fate(mail: Mail, status: str, reply: str, at: datetime) -> None:
    """Record what a mail's result says about its address (N2).

    A permanent refusal counts until a later mail is delivered.
    """
    address = RefusedAddress.objects.filter(address_key=fold(mail.recipient_email))
    if status == Status.SENT:
        address.delete()
    elif status == Status.FAILED:
        RefusedAddress.objects.update_or_create(
            address_key=fold(mail.recipient_email), defaults={"refused_at": at, "reply": reply}
        )


def refusals_of(addresses: Iterable[str]) -> dict[str, RefusedAddress]:
    """Return the present refusals by address, as it was given. One query."""
    keys = {address: fold(address) for address in addresses}
    refused = RefusedAddress.objects.in_bulk(list(set(keys.values())), field_name="address_key")
    return {address: refused[key] for address, key in keys.items() if key in refused}
