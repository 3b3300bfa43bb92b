"""The request's ID, which runs through its log lines, its tasks and its mails."""

import structlog


def current_request_id() -> str:
    """That of the request in hand, also in a task which it caused; "" where there is none."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))
