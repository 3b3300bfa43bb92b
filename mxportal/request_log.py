"""One line a request, with its ID, its user's number, its status and how long it took."""

import re
import time
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django_structlog.middlewares.request import RequestMiddleware
from django_structlog.signals import bind_extra_request_finished_metadata

from mxportal import health
from mxportal.shared.request_id import current_request_id

WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,64}")
UNLOGGED = (*health.PATHS, settings.STATIC_URL)


class RequestLogMiddleware(RequestMiddleware):
    """Gives each request its ID, and the answer as well (X-Request-ID).

    A proxy's ID is taken over only where a proxy of ours stands in front, and only where it is one.
    """

    def __call__(self, request: HttpRequest) -> Any:
        """Style sheets and probes are let through: they would be most of the log, and tell nothing."""
        return (
            self.get_response(request)
            if request.path_info.startswith(UNLOGGED)
            else super().__call__(request)
        )

    def prepare(self, request: HttpRequest) -> None:
        """Bind the ID to all that is logged from here on."""
        request.started_at = time.monotonic()  # type: ignore[attr-defined]
        if not WELL_FORMED.fullmatch(request.META.get("HTTP_X_REQUEST_ID", "")):
            request.META.pop("HTTP_X_REQUEST_ID", None)
        super().prepare(request)

    def handle_response(self, request: HttpRequest, response: HttpResponse) -> None:
        """Before the ID is let go of."""
        response["X-Request-ID"] = current_request_id()
        super().handle_response(request, response)

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        """Without the query: a search is its user's own affair."""
        return f"{request.method} {request.path}"


def add_duration(request: HttpRequest, log_kwargs: dict[str, Any], **kwargs: Any) -> None:
    """How long the request took, to its line."""
    log_kwargs["duration_ms"] = round((time.monotonic() - request.started_at) * 1000)  # type: ignore[attr-defined]


bind_extra_request_finished_metadata.connect(add_duration)
