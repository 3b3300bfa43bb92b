"""Maintenance mode: pages and API answer 503, and tasks do nothing, until an operator ends it (O3).

The flag is a row, because web servers and workers on several machines share only the database. It is in a table of its
own, which can be read while `migrate` changes others.
"""

import logging
import time
from collections.abc import Callable

from django.db import Error, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from mxportal import health
from mxportal.models import Maintenance
from mxportal.outages import is_outage, unavailable

NO_TABLE = "no such table"  # of SQLite, before the migration that makes it
logger = logging.getLogger(__name__)


class Mode:
    """The flag as this process knows it: read once a second, or the last value while the database does not answer."""

    def __init__(self) -> None:
        self.fresh = 1.0  # seconds
        self._asked_at = -float("inf")
        self._message: str | None = None

    def message(self) -> str | None:
        """Return the operator's text, which may be empty, during maintenance; otherwise None.

        Raises django.db.Error if the database is away and there was no maintenance before.
        """
        if time.monotonic() - self._asked_at >= self.fresh:
            self._asked_at = time.monotonic()
            try:
                self._message = Maintenance.objects.values_list("message", flat=True).first()
            except Error as error:
                if self._message is None and is_outage(error) and NO_TABLE not in str(error):
                    raise
        return self._message

    def assume(self, message: str | None) -> None:
        """Set what this process knows, after it has changed the flag itself."""
        self._asked_at, self._message = time.monotonic(), message


mode = Mode()


@transaction.atomic(durable=True)
def begin(message: str = "") -> None:
    """Begin maintenance: at once here, and in every process within a second."""
    Maintenance.objects.all().delete()
    Maintenance.objects.create(message=message)
    mode.assume(message)


def end() -> None:
    """End maintenance for people, programs and tasks."""
    Maintenance.objects.all().delete()
    mode.assume(None)


class MaintenanceMiddleware:
    """Lets only probes pass during maintenance, and asks nothing else of the database, which may be changing."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info in health.PATHS:
            return self.get_response(request)
        with translation.override(translation.get_language_from_request(request)):
            try:
                message = mode.message()
            except Error as error:  # so that nobody waits for the same database again
                logger.warning("The database does not answer: %s", type(error).__name__)
                return unavailable(request)
            if message is not None:
                return unavailable(request, maintenance=True, message=message)
        return self.get_response(request)
