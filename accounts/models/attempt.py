"""How often somebody tried in a stretch of time: what must be counted although Redis is away."""

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
    """Who it is stands in no row as it is."""
    return hashlib.sha256(f"{name}:{who}".encode()).hexdigest()


class AttemptQuerySet(models.QuerySet["Attempts"]):
    """Counting, in one statement each, so that of many at once each is counted."""

    def count_up(self, name: str, who: str, seconds: int) -> tuple[int, int]:
        """One more of ``name`` by ``who``: how many in this stretch, and for how many seconds it goes on.

        A stretch begins with its first attempt, and no further one makes it longer.
        """
        now = int(time.time())
        statement = COUNT.format(table=connection.ops.quote_name(self.model._meta.db_table))
        with connection.cursor() as cursor:
            cursor.execute(statement, [key_of(name, who), now + seconds, now, now])
            used, ends_at = cursor.fetchone()
        return int(used), int(ends_at) - now

    def take_back(self, name: str, who: str) -> None:
        """It was none of those that count."""
        self.filter(key=key_of(name, who), used__gt=0).update(used=models.F("used") - 1)

    def forget(self, name: str, who: str) -> None:
        """Begin anew."""
        self.filter(key=key_of(name, who)).delete()

    def drop_old(self) -> int:
        """Delete the stretches that are over. Returns how many."""
        return self.filter(ends_at__lte=int(time.time())).delete()[0]


class Attempts(models.Model):
    """One count. Beat drops it when its stretch is over."""

    key = models.CharField(max_length=64, primary_key=True)
    used = models.IntegerField()
    ends_at = models.BigIntegerField(db_index=True, help_text="Seconds since 1970.")

    objects = AttemptQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.key[:8]} {self.used}"
