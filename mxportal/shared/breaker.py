"""A circuit breaker for Redis: nothing in the portal fails with Redis, and nobody waits for it more than once."""

import logging
import time
from threading import Lock

logger = logging.getLogger(__name__)

REDIS_SECONDS = 0.25  # seconds for each answer of Redis while somebody waits for a page
PAUSE = 5.0  # seconds without calls after a failure


class Breaker:
    """Blocks the calls of this process for a pause after a failure; then one call tries alone.

    So a server that accepts connections and never answers delays one request in each pause, not every one.
    """

    def __init__(self, pause: float = PAUSE) -> None:
        self._pause, self._lock = pause, Lock()
        self._until = 0.0

    def allows(self) -> bool:
        """Return whether to ask. The call that tries after a pause keeps the others away until it has an answer."""
        if not self._until:
            return True
        with self._lock:
            now = time.monotonic()
            if now < self._until:
                return False
            self._until = now + self._pause
            return True

    def worked(self) -> None:
        """Note that there was an answer, whatever it says."""
        if self._until:
            self.reset()
            logger.warning("Redis answers again")

    def reset(self) -> None:
        """Ask again at once."""
        self._until = 0.0

    def failed(self, what: str, error: BaseException) -> None:
        """Note that there was no answer in time, or that a full server refused."""
        self._until = time.monotonic() + self._pause
        logger.warning(
            "Redis fails (%s, %s): limits are not counted and workers are not woken for %s s",
            what,
            type(error).__name__,
            f"{self._pause:g}",
        )


redis_breaker = Breaker()
