"""Redis may fail: nothing of the portal fails with it, and nobody waits for it more than once."""

import logging
import time
from threading import Lock

logger = logging.getLogger(__name__)

PATIENCE = 0.25  # seconds that Redis has for each answer while somebody waits for a page
PAUSE = 5.0  # seconds in which nobody asks after a failure


class Breaker:
    """After a failure the calls of this process do without, for a pause; then one call tries, alone.

    So a server that accepts connections and never answers costs one request in each pause its patience, not every one.
    """

    def __init__(self, pause: float = PAUSE) -> None:
        self._pause, self._lock = pause, Lock()
        self._until = 0.0

    def allows(self) -> bool:
        """Whether to ask. The one that tries after a pause keeps the others away until it has an answer."""
        if not self._until:
            return True
        with self._lock:
            now = time.monotonic()
            if now < self._until:
                return False
            self._until = now + self._pause
            return True

    def worked(self) -> None:
        """There was an answer, whatever it says."""
        if self._until:
            self.reset()
            logger.warning("Redis answers again")

    def reset(self) -> None:
        """Ask again at once."""
        self._until = 0.0

    def failed(self, what: str, error: BaseException) -> None:
        """Nobody answered, or too late, or a full one takes nothing more."""
        self._until = time.monotonic() + self._pause
        logger.warning(
            "Redis fails (%s, %s): limits are not counted and workers are not woken for %s s",
            what,
            type(error).__name__,
            f"{self._pause:g}",
        )


redis_breaker = Breaker()
