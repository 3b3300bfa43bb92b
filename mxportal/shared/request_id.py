"""The request's ID, which its log lines, tasks and mails have."""

import structlog


def current_request_id() -> str:
    """Return the ID of the present request, also in a task that it started; "" without one."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))
