"""Verification of the stored signing keys against the pinned key IDs (L6)."""

from collections.abc import Iterator

from django.conf import settings

from entitlements.ledger.findings import Finding
from entitlements.ledger.sealing.tree import newest_head
from entitlements.ledger.signing import current_key_problem, thumbprint
from entitlements.models import SigningKey


def key_findings() -> Iterator[Finding]:
    """Yield a finding for everything that is wrong with the signing keys."""
    if problem := current_key_problem():
        yield Finding("signing key", "a private half that opens", problem)
    keys = list(SigningKey.objects.order_by("pk"))
    for key in keys:
        if thumbprint(key.public_key) != key.key_id:
            yield Finding(
                f"signing key {key.key_id}", "the thumbprint of its public half", thumbprint(key.public_key)
            )
    yield from _pin_findings({key.key_id for key in keys})
    head = newest_head()
    if head and head.key.compromised_at:
        yield Finding(
            f"head at {head.size}",
            "a newer one by a key that is not compromised",
            f"the key {head.key.key_id}, which is: run manage.py issue_anew",
        )


def _pin_findings(present: set[str]) -> Iterator[Finding]:
    """Yield differences between the keys and PINNED_SIGNING_KEYS, which names all keys if it is set (L6)."""
    pinned = set(settings.PINNED_SIGNING_KEYS)
    if not pinned:
        return
    for key_id in sorted(present - pinned):
        yield Finding(f"signing key {key_id}", "one of PINNED_SIGNING_KEYS", "another")
    for key_id in sorted(pinned - present):
        yield Finding(f"signing key {key_id}", "it, since PINNED_SIGNING_KEYS names it", "no such key")
