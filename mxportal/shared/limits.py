"""Counting what somebody does in a stretch of time, in the cache: Redis for all processes, or the one's memory."""

import hashlib
import ipaddress
import time
from dataclasses import dataclass

from django.core.cache import cache


@dataclass(frozen=True)
class Left:
    """``used`` of ``most``; after ``seconds`` the count begins anew."""

    most: int
    used: int
    seconds: int

    @property
    def remaining(self) -> int:
        """How often more."""
        return max(0, self.most - self.used)

    @property
    def is_exceeded(self) -> bool:
        """It was once too often."""
        return self.used > self.most

    @property
    def is_used_up(self) -> bool:
        """Once more would be too often."""
        return self.used >= self.most


def count_up(name: str, who: str, *, most: int, seconds: int) -> Left:
    """Count one more of ``name`` by ``who`` in the present stretch of ``seconds``. Of many at once each is counted.

    Stretches begin by the clock, so that a count needs no time of its own beside it. Without Redis nobody is counted,
    and nobody is kept out (mxportal.shared.redis_cache).
    """
    key, ends = _stretch(name, who, seconds)
    return Left(most=most, used=_one_more(key, seconds), seconds=ends)


def _one_more(key: str, seconds: int) -> int:
    try:
        return cache.incr(key)
    except ValueError:  # the first one, or it ended just now
        return 1 if cache.add(key, 1, seconds) else _beside_another(key)


def _beside_another(key: str) -> int:
    """Another was the first one just now; where Redis failed in between, nobody is counted."""
    try:
        return cache.incr(key)
    except ValueError:
        return 0


def counted(name: str, who: str, *, most: int, seconds: int) -> Left:
    """How it stands, without counting."""
    key, ends = _stretch(name, who, seconds)
    return Left(most=most, used=cache.get(key, 0), seconds=ends)


def network_of(address: str | None) -> str:
    """Whom an address stands for: of IPv6 the /64, in which one machine has as many addresses as it likes.

    A server that listens on IPv6 writes ``::ffff:192.0.2.7``: the whole of IPv4 is no one machine.
    """
    if not address:
        return ""
    ip = ipaddress.ip_address(address)
    ip = getattr(ip, "ipv4_mapped", None) or ip
    if ip.version == 6:
        return str(ipaddress.ip_network((ip.packed[:8] + bytes(8), 64)))
    return str(ip)


def _stretch(name: str, who: str, seconds: int) -> tuple[str, int]:
    """The key of the present stretch, and how long it goes on. Who it is stands in no key as it is."""
    now = int(time.time())
    digest = hashlib.sha256(who.encode()).hexdigest()[:32]
    return f"limit-{name}-{seconds}-{digest}-{now // seconds}", seconds - now % seconds
