"""Time-stamps of RFC 3161, by which an authority confirms that content existed at a time."""

import urllib.request
from datetime import datetime
from pathlib import Path

from cryptography.x509 import Certificate, load_pem_x509_certificates
from django.conf import settings
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

TIMEOUT_SECONDS = 20
MAX_ANSWER_BYTES = 100_000  # answers usually have a few thousand


class TimeStampError(Exception):
    """There is no time-stamp, or it is not valid; the text says why."""


def time_stamp(content: bytes) -> bytes:
    """Return the answer of the server at TIMESTAMP_URL for this content, a ``.tsr`` file of OpenSSL.

    Raises TimeStampError.
    """
    query = TimestampRequestBuilder().data(content).hash_algorithm(HashAlgorithm.SHA256).build()
    request = urllib.request.Request(
        settings.TIMESTAMP_URL,
        data=query.as_bytes(),
        headers={"Content-Type": "application/timestamp-query"},
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
            stamp = answer.read(MAX_ANSWER_BYTES)
    except OSError as error:
        raise TimeStampError(f"the time-stamp server does not answer: {error}") from error
    stamped_at(stamp, content, nonce=query.nonce)
    return stamp


def stamped_at(stamp: bytes, content: bytes, *, nonce: int | None = None) -> datetime:
    """Return when the content existed, by a time-stamp that leads to TIMESTAMP_CA.

    Raises TimeStampError where it does not.
    """
    verifier = VerifierBuilder(roots=_roots(), nonce=nonce).build()
    try:
        response = decode_timestamp_response(stamp)
        verifier.verify_message(response, content)
        return response.tst_info.gen_time
    except (ValueError, VerificationError) as error:
        raise TimeStampError(f"the time-stamp does not hold: {error}") from error


def _roots() -> list[Certificate]:
    try:
        return load_pem_x509_certificates(Path(settings.TIMESTAMP_CA).read_bytes())
    except (OSError, ValueError) as error:
        raise TimeStampError(f"TIMESTAMP_CA cannot be read: {error}") from error
