"""The tests' mail server, with refusals, silence and lost answers."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from tests.smtp import MailServer


@dataclass
class MoodyMailServer(MailServer):
    """Accepts every mail unless its attributes say otherwise; they may change at any time."""

    recipients: list[list[str]] = field(default_factory=list)  # the envelopes of `messages`
    connections: int = 0
    answer_to_sender: str = ""  # to MAIL FROM, where it refuses that
    answer_to_data: str = "250 OK"
    loses_answer: bool = False  # takes the mail, then hangs up instead of answering
    keeps_answer: bool = False  # takes the mail, then says nothing more
    hangs: bool = False  # says nothing more after MAIL FROM, until this is over
    hanging: int = 0  # how many connections wait so at the moment
    delay: float = 0.0  # seconds until a mail is taken
    before_answer: Callable[[], None] = lambda: None  # called when a mail was taken

    async def handle_EHLO(
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(
        self, server: Any, session: Any, envelope: Any, address: str, mail_options: list[str]
    ) -> str:
        if self.answer_to_sender:
            return self.answer_to_sender
        envelope.mail_from = address
        envelope.mail_options.extend(mail_options)
        return "250 OK"

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, rcpt_options: list[str]
    ) -> str:
        if self.hangs:
            await self._hang()
        return await super().handle_RCPT(server, session, envelope, address, rcpt_options)

    async def _hang(self) -> None:
        self.hanging += 1
        try:
            while self.hangs:
                await asyncio.sleep(0.05)
        finally:
            self.hanging -= 1

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        await asyncio.sleep(self.delay)
        if not self.answer_to_data.startswith("250"):
            return self.answer_to_data
        self.recipients.append(list(envelope.rcpt_tos))
        answer = await super().handle_DATA(server, session, envelope)
        self.before_answer()
        if self.loses_answer:
            server.transport.abort()
        if self.keeps_answer:
            await asyncio.sleep(60)
        return answer

    def wait_for(self, count: int, *, seconds: float = 10) -> list[EmailMessage]:
        """Return the mails once there are so many; AssertionError where they do not arrive."""
        end = time.monotonic() + seconds
        while len(self.messages) < count:
            assert time.monotonic() < end, f"{len(self.messages)} of {count} mails came."
            time.sleep(0.02)
        return self.messages
