"""Checks at the start of a process; it starts in any case, because most of the portal works without signing."""

import logging
from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import Error, connection

from entitlements.ledger.signing import current_key_problem
from mxportal.shared.starting import check_at_start

logger = logging.getLogger(__name__)


@check_at_start
def log_signing_problem() -> None:
    """Log a line at level CRITICAL where KEY_ENCRYPTION_KEY does not open the signing key (L6).

    `/readyz` reports it, too. Another check reports a database that cannot be reached.
    """
    try:
        if problem := current_key_problem():
            logger.critical(problem)
    except Error as error:
        logger.warning("The signing key was not checked: %s", type(error).__name__)
    finally:
        connection.close()  # processes that fork from this one must not share it


@register(Tags.database)
def signing_key_opens(*, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Warn where the signing key does not open: before `migrate`, and in `check --database default` (L6).

    It is a warning, so that a rotation can still run.
    """
    if not databases:
        return []
    try:
        problem = current_key_problem()
    except Error:  # no database, or no tables yet
        return []
    return [Warning(problem, id="mxportal.W001")] if problem else []
