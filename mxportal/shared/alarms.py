"""Waking the workers (N1): a row says what is to be done, and a sweep finds it where nobody could be woken."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from celery import current_app
from celery.exceptions import OperationalError as CeleryOperationalError
from django.conf import settings
from django.db import transaction
from kombu.connection import Connection
from kombu.exceptions import OperationalError
from kombu.pools import ProducerPool
from redis.exceptions import RedisError

from mxportal.shared.breaker import PATIENCE, redis_breaker

FAILURES = (OperationalError, CeleryOperationalError, RedisError, OSError)
PRODUCERS = 16  # more than threads in a web process
# Of its own: the connections on which a worker waits for tasks must have more patience.
PATIENT_ONCE = {
    "socket_timeout": PATIENCE,
    "socket_connect_timeout": PATIENCE,
    "max_retries": 0,
    "health_check_interval": 0,
}


def wake(task: str, args: Sequence[Any] = (), **options: Any) -> None:
    """Send a task to the workers, now. Where Redis does not take it, the log says so, and nothing fails.

    ``options`` are those of Celery's ``send_task``.
    """
    if settings.EMBEDDED_WORKER:
        current_app.send_task(task, args, **options)
    elif redis_breaker.allows():
        _publish(task, args, options)


def wake_on_commit(task: str, args: Sequence[Any] = (), **options: Any) -> None:
    """Send a task to the workers once the caller's transaction is committed."""

    def ring() -> None:  # no partial: Django names the function when it fails, and a partial has no name
        wake(task, args, **options)

    transaction.on_commit(ring, robust=True)


def _publish(task: str, args: Sequence[Any], options: dict[str, Any]) -> None:
    try:
        with _producers(settings.CELERY_BROKER_URL).acquire(block=True, timeout=PATIENCE) as producer:
            current_app.send_task(task, args, producer=producer, retry=False, **options)
    except FAILURES as error:
        redis_breaker.failed(task, error.__cause__ or error)
        return
    redis_breaker.worked()


@cache
def _producers(url: str) -> ProducerPool:
    """The connections of this process to publish on, made at the first use, so after any fork."""
    options = settings.CELERY_BROKER_TRANSPORT_OPTIONS | PATIENT_ONCE
    return ProducerPool(Connection(url, transport_options=options).Pool(PRODUCERS), limit=PRODUCERS)
