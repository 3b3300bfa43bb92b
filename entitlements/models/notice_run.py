"""Runs of the expiring notices and the digest, which say for which days these were written (N5)."""

from django.db import models
from django.db.models import F, Q


class NoticeKind(models.TextChoices):
    """The series of notices; each has its own runs."""

    EXPIRING = "expiring"
    DIGEST = "digest"


class NoticeRun(models.Model):
    """One run, written in the transaction of its mails, so that both exist or neither, and never twice (N5).

    A run covers the days after ``covers_after`` up to ``on``. Each run starts where the last one ended, and only one
    run can do so: the days of all runs follow each other without gap or overlap, however late, often or concurrently
    beat starts them.
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
