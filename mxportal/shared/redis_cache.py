"""Django's cache in Redis, for what may be lost: without Redis nothing is known, and nothing is refused."""

from collections.abc import Callable
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

from mxportal.shared.breaker import PATIENCE, redis_breaker


class ForgivingRedisCache(RedisCache):
    """Redis that is dead, full or silent is an empty cache in which every write succeeds.

    So a rate limit lets pass what it cannot count. What must be counted is counted in the database (wrong logins).
    """

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        patience = {"socket_timeout": PATIENCE, "socket_connect_timeout": PATIENCE}
        super().__init__(server, params | {"OPTIONS": patience | params.get("OPTIONS", {})})

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> bool:
        """True where it cannot be known: nobody else holds it."""
        return bool(_ask(lambda: super(ForgivingRedisCache, self).add(key, value, timeout, version), True))

    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        """The default where it cannot be known."""
        return _ask(lambda: super(ForgivingRedisCache, self).get(key, default, version), default)

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> None:
        """Nothing where it cannot be kept."""
        _ask(lambda: super(ForgivingRedisCache, self).set(key, value, timeout, version), None)

    def touch(self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> bool:
        """False where it cannot be known, as for a key that is not there."""
        return bool(_ask(lambda: super(ForgivingRedisCache, self).touch(key, timeout, version), False))

    def delete(self, key: Any, version: Any = None) -> bool:
        """False where it cannot be known, as for a key that is not there."""
        return bool(_ask(lambda: super(ForgivingRedisCache, self).delete(key, version), False))

    def incr(self, key: Any, delta: int = 1, version: Any = None) -> int:
        """Raises ValueError where it cannot be known, as for a key that is not there."""
        counted = _ask(lambda: super(ForgivingRedisCache, self).incr(key, delta, version), None)
        if counted is None:
            raise ValueError(f"Key {key!r} not found")
        return int(counted)


def _ask(call: Callable[[], Any], without: Any) -> Any:
    """What Redis answers, or what holds without it."""
    if not redis_breaker.allows():
        return without
    try:
        answer = call()
    except (RedisError, OSError) as error:
        redis_breaker.failed("cache", error)
        return without
    redis_breaker.worked()
    return answer
