"""Days for which the ledger's head was published (E11)."""

from django.db import models


class PublishedHead(models.Model):
    """The head of one day, written in the transaction of its mails, so that these are queued exactly once (E11)."""

    day = models.DateField(primary_key=True)
    head = models.ForeignKey("entitlements.LedgerHead", models.PROTECT, related_name="+")
    stamp = models.BinaryField(
        default=b"", help_text="A time-stamp of its file (RFC 3161), where one was asked for."
    )
    published_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"head of {self.day}"
