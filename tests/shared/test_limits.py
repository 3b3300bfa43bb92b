"""Counting in the cache."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from mxportal.shared.limits import count_up, current_usage, network_of
from scripts.services import free_port


def test_the_last_one_that_is_allowed_and_the_next() -> None:
    """``most`` are allowed, and one more is once too often."""
    counts = [count_up("knocks", "a", most=2, seconds=3600) for _ in range(3)]
    assert [count.remaining for count in counts] == [1, 0, 0]
    assert [count.is_exceeded for count in counts] == [False, False, True]
    assert [count.is_used_up for count in counts] == [False, True, True]


def test_each_counts_for_itself() -> None:
    """Another's count, and another thing's, are their own; looking at it does not count."""
    count_up("knocks", "a", most=2, seconds=3600)
    assert current_usage("knocks", "a", most=2, seconds=3600).used == 1
    assert current_usage("knocks", "a", most=2, seconds=3600).used == 1
    assert current_usage("knocks", "b", most=2, seconds=3600).used == 0
    assert current_usage("rings", "a", most=2, seconds=3600).used == 0


def test_it_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """After as many seconds as it says."""
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    first = count_up("knocks", "a", most=1, seconds=3600)
    assert 0 < first.seconds <= 3600
    monkeypatch.setattr(time, "time", lambda: now + first.seconds)
    assert count_up("knocks", "a", most=1, seconds=3600).used == 1


def test_without_redis_nobody_is_kept_out(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    """P4: the portal goes on while Redis restarts; the log says that nobody was counted."""
    address = f"redis://127.0.0.1:{free_port()}/0"
    backend = "mxportal.shared.redis_cache.ForgivingRedisCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": address}}
    for _ in range(3):
        assert not count_up("knocks", "a", most=1, seconds=3600).is_exceeded
        assert not current_usage("knocks", "a", most=1, seconds=3600).is_used_up
    assert "limits are not counted" in caplog.text


def test_of_many_at_once_each_is_counted() -> None:
    """None slips through beside another."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: count_up("knocks", "a", most=5, seconds=3600), range(200)))
    assert current_usage("knocks", "a", most=5, seconds=3600).used == 200


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", ""),
        (None, ""),
    ],
)
def test_whom_an_address_stands_for(address: str | None, network: str) -> None:
    """One machine has a whole /64 of IPv6."""
    assert network_of(address) == network
