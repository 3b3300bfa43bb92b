"""Counters of requests in a window of time, kept in the cache: in Redis for all processes, or in the process's
memory.
"""

import hashlib
import ipaddress
import time
from dataclasses import dataclass

from django.core.cache import cache


@dataclass(frozen=True)
class Usage:
    """How much of a limit is used: ``used`` of ``most``; the next window begins after ``seconds``."""

    most: int
    used: int
    seconds: int

    @property
    def remaining(self) -> int:
        """Remaining requests in this window."""
        return max(0, self.most - self.used)

    @property
    def is_exceeded(self) -> bool:
        """Whether there were more requests than the limit allows."""
        return self.used > self.most

    @property
    def is_used_up(self) -> bool:
        """Whether the next request would exceed the limit."""
        return self.used >= self.most


def count_up(name: str, who: str, *, most: int, seconds: int) -> Usage:
    """Count one request of ``name`` by ``who`` in the present window of ``seconds``; concurrent ones are all counted.

    Windows begin by the clock, so that a count needs no time of its own. Without Redis nobody is counted, and nobody is
    refused (mxportal.shared.redis_cache).
    """
    key, ends = _window(name, who, seconds)
    return Usage(most=most, used=_one_more(key, seconds), seconds=ends)


def _one_more(key: str, seconds: int) -> int:
    try:
        return cache.incr(key)
    except ValueError:  # the first request of the window, or the window has just ended
        return 1 if cache.add(key, 1, seconds) else _beside_another(key)


def _beside_another(key: str) -> int:
    """Count after another process created the counter; where Redis failed in between, nobody is counted."""
    try:
        return cache.incr(key)
    except ValueError:
        return 0


def current_usage(name: str, who: str, *, most: int, seconds: int) -> Usage:
    """Return the usage of the present window without counting a request."""
    key, ends = _window(name, who, seconds)
    return Usage(most=most, used=cache.get(key, 0), seconds=ends)


def network_of(address: str | None) -> str:
    """Return whom an address stands for: an IPv4 address, or the /64 network of an IPv6 address.

    One machine can use all addresses of a /64. A server that listens on IPv6 writes ``::ffff:192.0.2.7`` for an IPv4
    address; that network is all of IPv4 and not one machine, so the IPv4 address counts.
    """
    if not address:
        return ""
    ip = ipaddress.ip_address(address)
    ip = getattr(ip, "ipv4_mapped", None) or ip
    if ip.version == 6:
        return str(ipaddress.ip_network((ip.packed[:8] + bytes(8), 64)))
    return str(ip)


def _window(name: str, who: str, seconds: int) -> tuple[str, int]:
    """Return the key of the present window, and in how many seconds it ends.

    The key has only a hash of ``who``.
    """
    now = int(time.time())
    digest = hashlib.sha256(who.encode()).hexdigest()[:32]
    return f"limit-{name}-{seconds}-{digest}-{now // seconds}", seconds - now % seconds
