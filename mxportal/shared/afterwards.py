"""Write notes about a request after its answer, so that reading never depends on a write (O1)."""

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

    If the database does not take it, that is logged and counted; the answer stays. Only for notes that may be lost (the
    API's log, the last use of a token), never for what somebody asked for.
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
