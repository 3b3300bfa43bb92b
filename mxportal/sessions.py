"""Sessions in the database, as in Django, which report that the database cannot take them."""

from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from mxportal.outages import is_outage


class SessionStore(DatabaseStore):
    """Django's store, but an outage is 503 (O2).

    Django takes each failure to save for a deleted session, which is 400.
    """

    def save(self, must_create: bool = False) -> None:
        """Save the session. Raises the database's error during an outage."""
        try:
            super().save(must_create)
        except UpdateError as error:
            what = error.__context__
            if what is not None and is_outage(what):
                raise what from what.__cause__
            raise
