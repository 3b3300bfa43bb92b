"""U8: whether the time of an answer tells which addresses exist: Welch's t between kinds of persons."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import sqrt
from statistics import mean, quantiles, variance
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.test import Client, override_settings
from django.urls import reverse

from accounts.models import Attempts, Tier, User
from accounts.models.attempt import key_of
from accounts.services.attempts import LOGIN
from tests.bench.clock import IS_TRIAL, seconds
from tests.bench.people import admin_of
from tests.factories import make_user

ROUNDS = 20 if IS_TRIAL else 1000
KEPT = 90  # per cent: what took longer was disturbed by other work of the machine
FOR_EVER = 2**40
BROWSER = Client(headers={"host": "127.0.0.1:8000"})
UNKNOWN, LOCKED_UNKNOWN = "unknown", "locked_unknown"


class QuickHasher(Argon2PasswordHasher):
    """The same steps as ever, but the hash itself, whose time would hide a difference, is small."""

    time_cost, memory_cost, parallelism = 1, 8, 1


def logins_welch_t() -> dict[str, float]:
    """|t| of each kind against an address that does not exist, where the password is wrong."""
    with _prepared() as addresses:
        times = _interleaved(lambda email: _post("account_login", login=email, password="wrong"), addresses)
    return {
        kind: _welch_t(times[kind], times[LOCKED_UNKNOWN if kind == "locked" else UNKNOWN])
        for kind in ("contact", "inactive", "active", "locked")
    }


def resets_welch_t() -> dict[str, float]:
    """|t| of each kind against an address that does not exist, where a link for a new password is asked for."""
    with _prepared() as addresses:
        times = _interleaved(lambda email: _post("account_reset_password", email=email), addresses)
    return {
        kind: _welch_t(times[kind], times[UNKNOWN]) for kind in ("contact", "inactive", "active", "locked")
    }


@contextmanager
def _prepared() -> Iterator[dict[str, str]]:
    """An address of each kind, all of one length, and limits that nobody reaches but who is locked."""
    changed = {
        "ACCOUNT_RATE_LIMITS": False,
        "ATTEMPTS": dict.fromkeys(settings.ATTEMPTS, (10**9, 3600)),
        "PASSWORD_HASHERS": [f"{__name__}.QuickHasher", *settings.PASSWORD_HASHERS],
    }
    with override_settings(**changed):
        yield _make_people()


def _make_people() -> dict[str, str]:
    """The addresses by kind."""
    kinds = (UNKNOWN, LOCKED_UNKNOWN, "contact", "inactive", "active", "locked")
    addresses = {kind: f"{kind:x<14}.{random.getrandbits(32):08x}@bench.example" for kind in kinds}
    account = admin_of(Tier.INSTALLER).account
    for kind in ("contact", "inactive", "active", "locked"):
        _make(account, kind, addresses[kind])
    for kind in ("locked", LOCKED_UNKNOWN):
        key = key_of(LOGIN, addresses[kind])
        Attempts.objects.create(key=key, used=10**9 + 1, ends_at=FOR_EVER)
    return addresses


def _make(account: Any, kind: str, email: str) -> None:
    user: User = make_user(account, email=email)
    if kind == "contact":
        user.can_log_in, user.role = False, ""
    if kind == "inactive":
        user.status = "inactive"
    user.set_password("a right one 4711")
    user.save()


def _post(name: str, **fields: str) -> None:
    answer = BROWSER.post(reverse(name), fields)
    assert answer.status_code in (200, 302), answer.status_code


def _interleaved(ask: Callable[[str], None], addresses: dict[str, str]) -> dict[str, list[float]]:
    """The times by kind, in random order, so that nothing else differs between the kinds."""
    times: dict[str, list[float]] = {kind: [] for kind in addresses}
    for address in addresses.values():
        ask(address)  # warms up
    order = [kind for kind in addresses for _ in range(ROUNDS)]
    random.shuffle(order)
    for kind in order:
        times[kind].append(seconds(lambda kind=kind: ask(addresses[kind])))
    return times


def _welch_t(one: list[float], other: list[float]) -> float:
    most = quantiles(one + other, n=100)[KEPT - 1]
    a, b = ([time for time in times if time <= most] for times in (one, other))
    return abs(mean(a) - mean(b)) / sqrt(variance(a) / len(a) + variance(b) / len(b))
