"""An SMTP backend that limits the whole time for a mail (N6).

``EMAIL_TIMEOUT`` limits each wait only; a server that sends one byte at a time could keep a connection for ever.
"""

import io
import smtplib
import time
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.mail.backends.smtp import EmailBackend as DjangoBackend
from django.core.mail.message import EmailMessage


class _TimedReader(io.RawIOBase):
    """Reads the server's answers until the deadline."""

    def __init__(self, smtp: "_TimedSMTP") -> None:
        self._smtp = smtp

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Read into the buffer.

        Raises TimeoutError at the deadline, and where one wait takes longer than ``EMAIL_TIMEOUT``.
        """
        left, sock = self._smtp.deadline - time.monotonic(), self._smtp.sock
        if left <= 0 or sock is None:
            raise TimeoutError("The mail server took too long.")
        sock.settimeout(min(left, settings.EMAIL_TIMEOUT))
        return sock.recv_into(buffer)


class _TimedSMTP(smtplib.SMTP):
    """An SMTP connection with a ``deadline`` by the monotonic clock, which is set again for each mail."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.start_clock()
        super().__init__(*args, **kwargs)

    def start_clock(self) -> None:
        self.deadline = time.monotonic() + settings.EMAIL_DEADLINE

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock is not None:
            self.file = io.BufferedReader(_TimedReader(self))
        return super().getreply()


class _TimedSSL(_TimedSMTP, smtplib.SMTP_SSL):
    """The same connection with TLS from the first byte."""


class EmailBackend(DjangoBackend):
    """Django's backend with a deadline for opening the connection and one for each mail (N6)."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return _TimedSSL if self.use_ssl else _TimedSMTP

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Set the deadline and send; the outbox sends one mail at a time."""
        if isinstance(self.connection, _TimedSMTP):
            self.connection.start_clock()
        return super().send_messages(email_messages)
