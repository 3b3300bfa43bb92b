"""Which accounts' lists of mails a mail may stand in."""

from collections.abc import Iterable

from django.db import models


class MailEntryManager(models.Manager["MailEntry"]):
    """Writing of entries."""

    def keep(self, pairs: Iterable[tuple[int | None, int]]) -> None:
        """One entry for each pair of an account and a mail, in one statement; those that are there stay."""
        known = {(account, mail) for account, mail in pairs if account is not None}
        entries = (self.model(account_id=account, mail_id=mail) for account, mail in sorted(known))
        self.bulk_create(entries, ignore_conflicts=True)


class MailEntry(models.Model):
    """A mail in an account's list: the index by which a page of the list is read at a million mails.

    It gives no right: whether a reader sees the mail follows, at reading, from its line items and persons (E12, U4).
    """

    account = models.ForeignKey("accounts.Account", models.PROTECT, related_name="+", db_index=False)
    mail = models.ForeignKey("notifications.Mail", models.CASCADE, related_name="entries")

    objects = MailEntryManager()

    class Meta:
        constraints = [
            # the list of mails of one account, newest first: one scan backwards
            models.UniqueConstraint(fields=["account", "mail"], name="mail_entry_once")
        ]

    def __str__(self) -> str:
        return f"{self.mail_id} → {self.account_id}"
