"""The outbox: mails as rows, their delivery, and the state of the mail server; it imports no business code."""
