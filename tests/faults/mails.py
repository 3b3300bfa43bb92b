"""A mail server of changing moods, which notes what it took and whether its answer was read."""

import asyncio
import time
from dataclasses import dataclass, field
from email import message_from_bytes
from random import Random
from typing import Any

from tests.faults.plan import MOODS, Mood
from tests.smtp import MailServer

SILENCE = 30  # seconds, longer than the portal waits


@dataclass
class Delivery:
    """One mail as it was taken. ``answered``: the client went on, so it has read the answer."""

    message_id: str
    mood: Mood
    at: float = field(default_factory=time.time)
    answered: bool = False


@dataclass
class MoodyServer(MailServer):
    """Takes every mail once ``random`` is taken away."""

    random: Random | None = None
    hangs: bool = False  # says nothing from the sender on, to everybody
    deliveries: list[Delivery] = field(default_factory=list)
    seen: dict[Mood, int] = field(default_factory=lambda: dict.fromkeys(Mood, 0))

    async def handle_MAIL(
        self, server: Any, session: Any, envelope: Any, address: str, mail_options: list[str]
    ) -> str:
        self._went_on(session)
        if self.hangs:
            await asyncio.sleep(SILENCE)
        envelope.mail_from = address
        envelope.mail_options.extend(mail_options)
        return "250 OK"

    async def handle_QUIT(self, server: Any, session: Any, envelope: Any) -> str:
        self._went_on(session)
        return "221 Bye"

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, rcpt_options: list[str]
    ) -> str:
        random = self.random
        mood = random.choices(list(MOODS), weights=list(MOODS.values()))[0] if random else Mood.TAKES
        self.seen[mood] += 1
        envelope.mood = mood
        if mood == Mood.HANGS:
            await asyncio.sleep(SILENCE)
        if mood == Mood.REFUSES:
            return "451 4.7.1 Try again later"
        return await super().handle_RCPT(server, session, envelope, address, rcpt_options)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if envelope.mood == Mood.REFUSES_AFTER_DATA:
            return "452 4.3.1 Try again later"
        message_id = message_from_bytes(envelope.content)["Message-ID"]
        session.last = Delivery(message_id=message_id, mood=envelope.mood)
        self.deliveries.append(session.last)
        if envelope.mood == Mood.DIES_AFTER_DATA:
            server.transport.abort()
        if envelope.mood == Mood.HANGS_AFTER_DATA:
            await asyncio.sleep(SILENCE)
        return "250 OK"

    def _went_on(self, session: Any) -> None:
        if last := getattr(session, "last", None):
            last.answered = True
