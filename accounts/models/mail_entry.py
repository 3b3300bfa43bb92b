"""In which accounts' lists of mails a mail can appear."""

from collections.abc import Iterable

from django.db import models


class MailEntryManager(models.Manager["MailEntry"]):
    """Writes entries."""

    def keep(self, pairs: Iterable[tuple[int | None, int]]) -> None:
        """Keep an entry for each pair of an account and a mail, in one statement; existing ones stay."""
        known = {(account, mail) for account, mail in pairs if account is not None}
        entries = (self.model(account_id=account, mail_id=mail) for account, mail in sorted(known))
        self.bulk_create(entries, ignore_conflicts=True)


class MailEntry(models.Model):
    """A mail in an account's list: the index by which a page of the list is read at a million mails.

    It gives no right: line items and persons of the mail decide, when it is read, who sees it (E12, U4).
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
