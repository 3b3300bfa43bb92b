"""L6: the signing keys as they stand in the database."""

from collections.abc import Iterator

from entitlements.services.findings import Finding
from entitlements.services.signing import current_key_problem


def key_findings() -> Iterator[Finding]:
    """What is wrong with the keys."""
    if problem := current_key_problem():
        yield Finding("signing key", "a private half that opens", problem)
