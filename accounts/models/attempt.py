"""Count attempts within a time window in the database, which works without Redis (U9)."""

import hashlib
import time

from django.db import connection, models

COUNT = """
INSERT INTO {table} AS kept (key, used, ends_at) VALUES (%s, 1, %s)
ON CONFLICT (key) DO UPDATE SET
    used = CASE WHEN kept.ends_at <= %s THEN 1 ELSE kept.used + 1 END,
    ends_at = CASE WHEN kept.ends_at <= %s THEN excluded.ends_at ELSE kept.ends_at END
RETURNING used, ends_at
"""


def key_of(name: str, who: str) -> str:
    """Return the key of a count, from which nobody can read whom it is about."""
    return hashlib.sha256(f"{name}:{who}".encode()).hexdigest()


class AttemptQuerySet(models.QuerySet["Attempts"]):
    """Counting in one statement each, so that simultaneous attempts are all counted."""

    def count_up(self, name: str, who: str, seconds: int) -> tuple[int, int]:
        """Count one more of ``name`` by ``who``; return how many in this window, and the seconds until it ends.

        A window begins with its first attempt; further attempts do not extend it.
        """
        now = int(time.time())
        statement = COUNT.format(table=connection.ops.quote_name(self.model._meta.db_table))
        with connection.cursor() as cursor:
            cursor.execute(statement, [key_of(name, who), now + seconds, now, now])
            used, ends_at = cursor.fetchone()
        return int(used), int(ends_at) - now

    def take_back(self, name: str, who: str) -> None:
        """Take an attempt back that does not count."""
        self.filter(key=key_of(name, who), used__gt=0).update(used=models.F("used") - 1)

    def forget(self, name: str, who: str) -> None:
        """Delete the count."""
        self.filter(key=key_of(name, who)).delete()

    def drop_old(self) -> int:
        """Delete the counts whose window is over. Return how many."""
        return self.filter(ends_at__lte=int(time.time())).delete()[0]


class Attempts(models.Model):
    """One count. Beat deletes it when its window is over."""

    key = models.CharField(max_length=64, primary_key=True)
    used = models.IntegerField()
    ends_at = models.BigIntegerField(db_index=True, help_text="Seconds since 1970.")

    objects = AttemptQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.key[:8]} {self.used}"
