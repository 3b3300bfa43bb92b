"""Mailing: mails with Activation IDs, about changes and about what expires; the list of mails; sending again."""
