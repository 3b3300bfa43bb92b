"""What is written about a request once its answer is on its way: reading must not depend on it."""

import logging
from collections.abc import Callable

from django.db import Error
from django.http.response import HttpResponseBase
from prometheus_client import Counter
from structlog.contextvars import bound_contextvars

from mxportal.shared.request_id import current_request_id

logger = logging.getLogger(__name__)

LOST = Counter("portal_lost_notes", "Notes about requests that the database did not take, by kind.", ["kind"])


def write_afterwards(response: HttpResponseBase, kind: str, write: Callable[[], None]) -> None:
    """Call ``write`` when the server has sent the answer and closes it.

    What the database does not take is logged and counted; the request stays as it was answered. For notes that may be
    lost (the API's log, the last use of a token), never for what somebody asked for.
    """
    request_id = current_request_id()

    def written() -> None:
        with bound_contextvars(request_id=request_id):
            try:
                write()
            except Error as error:
                LOST.labels(kind).inc()
                logger.warning("Not written down: %s (%s)", kind, type(error).__name__)

    # Django closes the answer's resources before it gives the database connection back.
    response._resource_closers.append(written)  # type: ignore[attr-defined]
