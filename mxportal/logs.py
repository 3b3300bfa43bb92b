"""The form of the log: one line an event on standard output, JSON on a server, plain text on a developer's machine.

Every line names its request and its user by number: `mxportal.request_log` and Celery's receiver (`mxportal.celery`)
bind them. No line contains secrets: `masked` is applied to all lines.
"""

import logging
import re
from collections.abc import MutableMapping
from typing import Any

import structlog
from structlog.types import Processor

FORMATS = ("json", "line")
# One-time keys of forgotten passwords, the codes of certificates, the links of license files, tokens of programs,
# all but the last group of an Activation ID, and e-mail addresses, which a database's error may contain.
SECRETS = re.compile(
    r"(?P<address>/password/reset/key/)[^\s\"'\\]+|(?P<code>/verify/|/activate/licenses/)[^\s\"'\\/?]+"
    r"|\bmxp_[0-9a-z]+"
    r"|\b(?:[0-9A-Z]{4}-){6}(?=[0-9A-Z]{4}\b)"
    r"|(?<![\w.%+-])[\w.%+-]{1,64}(?=@[\w-]+\.\w)",
    re.IGNORECASE,
)


def masked(text: str) -> str:
    """Return the text without secrets, such as keys, codes and Activation IDs."""
    return SECRETS.sub(lambda found: f"{found['address'] or found['code'] or ''}…", text)


def formatter(log_format: str) -> logging.Formatter:
    """Return the formatter of the lines of the portal and of libraries that do not use structlog."""
    renderer: Processor
    if log_format == "json":
        renderer = structlog.processors.JSONRenderer(sort_keys=True, ensure_ascii=False)
    else:
        renderer = structlog.dev.ConsoleRenderer(
            colors=False, pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
        )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=BEFORE,
        processors=[
            structlog.processors.format_exc_info,
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            renderer,
            _mask_line,
        ],
    )


def logging_config(log_format: str, level: str) -> dict[str, Any]:
    """Return Django's LOGGING, and set up structlog to write into the same handler."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *BEFORE,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"portal": {"()": formatter, "log_format": log_format}},
        "handlers": {
            "stdout": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "portal"}
        },
        "root": {"handlers": ["stdout"], "level": level},
        "loggers": {
            "django": {"handlers": ["stdout"], "level": level, "propagate": False},
            # mxportal.request_log logs it with the request's ID; these lines come when the ID is gone.
            "django.request": {"level": "CRITICAL"},
            # A foreign Host header is refused with 400; a traceback for each would let anybody fill the log.
            "django.security.DisallowedHost": {"level": "CRITICAL"},
            "fontTools": {"level": "WARNING"},
            # Faults of a stranger's file, repeated; the page tells the stranger once.
            "pypdf": {"level": "CRITICAL"},
            "weasyprint": {"level": "ERROR"},
            # Logs for each task, without its request, what Celery's receiver logs with it.
            "celery.app.trace": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
        },
    }


BEFORE: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def _mask_line(logger: Any, method: str, line: Any) -> MutableMapping[str, Any]:
    """Mask the finished line, last of all, so that it includes everything, also a traceback."""
    return masked(line)  # type: ignore[return-value]
