"""Sessions in the database, as Django keeps them, which say so when the database cannot take them."""

from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from mxportal.outages import is_outage


class SessionStore(DatabaseStore):
    """Django takes every failure to save for a session that was deleted, which is 400. An outage is 503 (O2)."""

    def save(self, must_create: bool = False) -> None:
        """Raises what the database raised during an outage."""
        try:
            super().save(must_create)
        except UpdateError as error:
            what = error.__context__
            if what is not None and is_outage(what):
                raise what from what.__cause__
            raise
