"""Sending of a mail to the mail server, and the meaning of the server's answers (N2)."""

import logging
import re
import smtplib
from dataclasses import dataclass
from types import TracebackType

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.message import sanitize_address

from notifications.messages import Message, one_line
from notifications.models import Failure, Mail

logger = logging.getLogger(__name__)

# Answers about the portal's login or its absence (RFC 4954): its configuration is wrong, not the mail.
LOGIN_CODES = {530, 534, 535, 538}
MAIL_TOO_LARGE = 552  # also said at MAIL FROM, which announces the size (RFC 1870)
ENHANCED_CODE = re.compile(r"5\d\d 5\.(\d{1,3})\.\d{1,3}\b")


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why a mail was not sent.

    `final` says that another attempt would be refused as well, `of_every_mail` that the server would refuse any other
    mail now.
    """

    failure: Failure
    reply: str = ""
    final: bool = False
    of_every_mail: bool = False


def compose(mail: Mail, message: Message) -> EmailMultiAlternatives:
    """Return the mail with its text part, HTML part and headers.

    Django refuses values with line breaks (N3).
    """
    headers = {
        "Message-ID": mail.message_id,
        "Auto-Submitted": "auto-generated",
        "Content-Language": mail.language,
    }
    if mail.request_id:
        headers["X-Request-ID"] = mail.request_id
    email = EmailMultiAlternatives(
        subject=one_line(message.subject),
        body=message.text,
        from_email=settings.MAIL_FROM,
        to=[sanitize_address((mail.recipient_name, mail.recipient_email), "utf-8").replace("\n", "")],
        headers=headers,
    )
    email.attach_alternative(message.html, "text/html")
    for name, content, mimetype in message.attachments:
        email.attach(one_line(name), content, mimetype)
    return email


class Connection:
    """A connection to the mail server for a batch of mails; opened when needed, and again after a failure."""

    def __init__(self) -> None:
        self._backend: BaseEmailBackend | None = None

    def __enter__(self) -> "Connection":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def send(self, email: EmailMultiAlternatives) -> Refusal | None:
        """Send the mail; return None where the server accepted it."""
        taken = False
        try:
            if self._backend is None:
                self._backend = get_connection()
            self._backend.open()
            self._backend.send_messages([email])
            taken = True
        except (smtplib.SMTPException, OSError) as error:
            return explain(error)
        finally:
            if not taken:
                self.close()
        return None

    def close(self) -> None:
        """Close the connection; an error in doing so changes nothing about the accepted mails."""
        backend, self._backend = self._backend, None
        try:
            if backend is not None:
                backend.close()
        except (smtplib.SMTPException, OSError) as error:
            logger.info("Closing the SMTP connection failed: %s", type(error).__name__)


def explain(error: Exception) -> Refusal:
    """Return what an error means (N2).

    5xx about this mail is final; 4xx, a lost or silent server and a refused login are not. A refusal of the portal
    itself is never final either, because mail and recipient are in order (N7).
    """
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return _explain_reply(*next(iter(error.recipients.values())))
    if isinstance(error, smtplib.SMTPSenderRefused):
        return _explain_reply(error.smtp_code, error.smtp_error, at_sender=True)
    if isinstance(error, smtplib.SMTPDataError):
        return _explain_reply(error.smtp_code, error.smtp_error)
    if isinstance(error, smtplib.SMTPConnectError | smtplib.SMTPHeloError) and is_permanent(error.smtp_code):
        return _refused_sender(_reply_line(error.smtp_code, error.smtp_error), of_every_mail=True)
    logger.warning("The mail server cannot be used: %s", one_line(f"{type(error).__name__} {error}"))
    return Refusal(failure=Failure.UNREACHABLE, of_every_mail=True)


def _explain_reply(code: int, reply: bytes | str, *, at_sender: bool = False) -> Refusal:
    if code in LOGIN_CODES:
        logger.warning("The mail server requires a login: %s", code)
        return Refusal(failure=Failure.UNREACHABLE, of_every_mail=True)
    line = _reply_line(code, reply)
    if not is_permanent(code):
        return Refusal(failure=Failure.POSTPONED, reply=line)
    if _is_about_sender(code, line, at_sender=at_sender):
        return _refused_sender(line, of_every_mail=at_sender)
    return Refusal(failure=Failure.REFUSED, reply=line, final=True)


def is_permanent(code: int) -> bool:
    """Return whether the same request would be refused again (RFC 5321, 4.2.1)."""
    return 500 <= code <= 599


def _is_about_sender(code: int, line: str, *, at_sender: bool) -> bool:
    """Return whether the server refuses the portal and not this mail (N7).

    The enhanced code decides, if there is one (RFC 3463).
    """
    if enhanced := ENHANCED_CODE.match(line):
        return (
            enhanced[1] == "7"
            or enhanced[0].endswith((" 5.1.7", " 5.1.8"))
            or (at_sender and enhanced[1] == "1")
        )
    return at_sender and code != MAIL_TOO_LARGE


def _refused_sender(line: str, *, of_every_mail: bool) -> Refusal:
    logger.error("The mail server refuses the portal as sender: %s", line)
    return Refusal(failure=Failure.SENDER, reply=line, of_every_mail=of_every_mail)


def _reply_line(code: int, reply: bytes | str) -> str:
    said = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    return one_line(f"{code} {said}")[:200]
