"""Keys of forms: a form that is sent twice is done once (E7), and its key says for whom it was shown (U10)."""

import secrets
from contextvars import ContextVar

from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.http import urlsafe_base64_encode

READER: ContextVar[int | None] = ContextVar(
    "reader", default=None
)  # the logged-in user, set by accounts.middleware


def new_key() -> str:
    """Return a key for one form as it was shown, signed for its reader if somebody is logged in."""
    token, reader = secrets.token_urlsafe(16), READER.get()
    return token if reader is None else f"{token}.{reader}.{_signature(token, str(reader))}"


def reader_of(key: str) -> int | None:
    """Return for whom the form with this key was shown; None if the portal made no such key for anybody."""
    token, _dot, rest = key.partition(".")
    reader, _dot, signature = rest.partition(".")
    if not reader.isascii() or not reader.isdigit():
        return None
    return int(reader) if constant_time_compare(signature, _signature(token, reader)) else None


def _signature(token: str, reader: str) -> str:
    digest = salted_hmac("form key", f"{token}.{reader}", algorithm="sha256").digest()
    return urlsafe_base64_encode(digest[:16])
