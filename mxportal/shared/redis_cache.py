"""Django's cache in Redis, for what may be lost: without Redis it is empty, and nothing is refused."""

from collections.abc import Callable
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

from mxportal.shared.breaker import REDIS_SECONDS, redis_breaker


class ForgivingRedisCache(RedisCache):
    """A cache for which a Redis that is dead, full or silent is empty, and every write succeeds.

    So a rate limit allows what it cannot count. Wrong logins, which must be counted, are counted in the database.
    """

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        patience = {"socket_timeout": REDIS_SECONDS, "socket_connect_timeout": REDIS_SECONDS}
        super().__init__(server, params | {"OPTIONS": patience | params.get("OPTIONS", {})})

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> bool:
        """Return True if Redis does not answer: nobody else has the key."""
        return bool(_ask(lambda: super(ForgivingRedisCache, self).add(key, value, timeout, version), True))

    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        """Return the default if Redis does not answer."""
        return _ask(lambda: super(ForgivingRedisCache, self).get(key, default, version), default)

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> None:
        """Do nothing if Redis does not answer."""
        _ask(lambda: super(ForgivingRedisCache, self).set(key, value, timeout, version), None)

    def touch(self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> bool:
        """Return False if Redis does not answer, as for an unknown key."""
        return bool(_ask(lambda: super(ForgivingRedisCache, self).touch(key, timeout, version), False))

    def delete(self, key: Any, version: Any = None) -> bool:
        """Return False if Redis does not answer, as for an unknown key."""
        return bool(_ask(lambda: super(ForgivingRedisCache, self).delete(key, version), False))

    def incr(self, key: Any, delta: int = 1, version: Any = None) -> int:
        """Raise ValueError if Redis does not answer, as for an unknown key."""
        counted = _ask(lambda: super(ForgivingRedisCache, self).incr(key, delta, version), None)
        if counted is None:
            raise ValueError(f"Key {key!r} not found")
        return int(counted)


def _ask(call: Callable[[], Any], without: Any) -> Any:
    """Return what Redis answers, or ``without`` if it does not."""
    if not redis_breaker.allows():
        return without
    try:
        answer = call()
    except (RedisError, OSError) as error:
        redis_breaker.failed("cache", error)
        return without
    redis_breaker.worked()
    return answer
