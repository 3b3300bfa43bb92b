"""Wake the workers: a row says what to do, and a sweep finds it if no worker could be woken (N1)."""

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

from mxportal.shared.breaker import REDIS_SECONDS, redis_breaker

FAILURES = (OperationalError, CeleryOperationalError, RedisError, OSError)
PRODUCERS = 16  # more than threads in a web process
# Not Celery's own pool: connections on which a worker waits for tasks must have longer time-outs.
PATIENT_ONCE = {
    "socket_timeout": REDIS_SECONDS,
    "socket_connect_timeout": REDIS_SECONDS,
    "max_retries": 0,
    "health_check_interval": 0,
}


def wake(task: str, args: Sequence[Any] = (), **options: Any) -> None:
    """Send a task to the workers now. If Redis does not take it, that is logged, and nothing fails.

    ``options`` are those of Celery's ``send_task``.
    """
    if settings.EMBEDDED_WORKER:
        current_app.send_task(task, args, **options)
    elif redis_breaker.allows():
        _publish(task, args, options)


def wake_on_commit(task: str, args: Sequence[Any] = (), **options: Any) -> None:
    """Send a task to the workers once the caller's transaction is committed."""

    def ring() -> None:  # no partial, because Django logs the name of a function that fails
        wake(task, args, **options)

    transaction.on_commit(ring, robust=True)


def _publish(task: str, args: Sequence[Any], options: dict[str, Any]) -> None:
    try:
        with _producers(settings.CELERY_BROKER_URL).acquire(block=True, timeout=REDIS_SECONDS) as producer:
            current_app.send_task(task, args, producer=producer, retry=False, **options)
    except FAILURES as error:
        redis_breaker.failed(task, error.__cause__ or error)
        return
    redis_breaker.worked()


@cache
def _producers(url: str) -> ProducerPool:
    """Return this process's connections for publishing, made at the first use, and so after any fork."""
    options = settings.CELERY_BROKER_TRANSPORT_OPTIONS | PATIENT_ONCE
    return ProducerPool(Connection(url, transport_options=options).Pool(PRODUCERS), limit=PRODUCERS)
