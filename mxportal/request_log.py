"""One log line for each request, with its ID, its user's number, its status and its duration."""

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
    """Gives each request and its answer an ID (X-Request-ID).

    A proxy's ID is used only behind a proxy of ours, and only if it has the right form.
    """

    def __call__(self, request: HttpRequest) -> Any:
        """Leave style sheets and probes out: they would be most of the log, and say nothing."""
        return (
            self.get_response(request)
            if request.path_info.startswith(UNLOGGED)
            else super().__call__(request)
        )

    def prepare(self, request: HttpRequest) -> None:
        """Bind the ID to everything that is logged from here on."""
        request.started_at = time.monotonic()  # type: ignore[attr-defined]
        if not WELL_FORMED.fullmatch(request.META.get("HTTP_X_REQUEST_ID", "")):
            request.META.pop("HTTP_X_REQUEST_ID", None)
        super().prepare(request)

    def handle_response(self, request: HttpRequest, response: HttpResponse) -> None:
        """Put the ID on the answer before it is unbound."""
        response["X-Request-ID"] = current_request_id()
        super().handle_response(request, response)

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        """Return the request without its query, because searches are private."""
        return f"{request.method} {request.path}"


def add_duration(request: HttpRequest, log_kwargs: dict[str, Any], **kwargs: Any) -> None:
    """Add the duration to the request's line."""
    log_kwargs["duration_ms"] = round((time.monotonic() - request.started_at) * 1000)  # type: ignore[attr-defined]


bind_extra_request_finished_metadata.connect(add_duration)
