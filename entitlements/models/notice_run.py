"""N5: which days the expiring notices and the digest have been written for."""

from django.db import models
from django.db.models import F, Q


class NoticeKind(models.TextChoices):
    """The series of notices; each has runs of its own."""

    EXPIRING = "expiring"
    DIGEST = "digest"


class NoticeRun(models.Model):
    """One run, written in the transaction of its mails: they are queued with it or not at all, and never twice.

    It speaks for the days after ``covers_after`` up to ``on``. The next run starts where the last one ended, and only
    one can: the days of all runs follow each other without gap or overlap, however late, often or at once beat calls.
    """

    kind = models.CharField(max_length=10, choices=NoticeKind.choices)
    on = models.DateField()
    covers_after = models.DateField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "on"], name="notice_run_ends_once"),
            models.UniqueConstraint(fields=["kind", "covers_after"], name="notice_run_starts_once"),
            models.CheckConstraint(condition=Q(covers_after__lt=F("on")), name="notice_run_covers_days"),
            models.CheckConstraint(condition=Q(kind__in=NoticeKind.values), name="notice_run_kind_known"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.covers_after} – {self.on}"
