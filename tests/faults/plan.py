"""What goes wrong and when. All of it follows from the seed."""

from dataclasses import dataclass
from enum import StrEnum
from random import Random


class Kind(StrEnum):
    """What is killed with SIGKILL, and the one fault that kills nothing: Redis forgets everything."""

    WEB = "web server, all processes"
    WEB_WORKER = "web worker"
    WORKER = "Celery worker, all processes"
    POOL = "Celery's pool process"
    BEAT = "beat"
    REDIS = "Redis"
    BACKEND = "PostgreSQL backend"
    POSTGRES = "PostgreSQL, all processes"
    MIGRATE = "migrate, before one of its statements"
    FLUSH = "Redis flushed"


WEIGHTS = {
    Kind.WEB: 4,
    Kind.WEB_WORKER: 6,
    Kind.WORKER: 6,
    Kind.POOL: 8,
    Kind.BEAT: 2,
    Kind.REDIS: 4,
    Kind.BACKEND: 4,
    Kind.POSTGRES: 6,
    Kind.MIGRATE: 4,
}
FLUSHES = 8  # one for so many kills


class Mood(StrEnum):
    """What the mail server does with a mail."""

    TAKES = "taken"
    REFUSES = "refused for now"
    REFUSES_AFTER_DATA = "refused for now after DATA"
    HANGS = "no answer before DATA"
    HANGS_AFTER_DATA = "taken, no answer"
    DIES_AFTER_DATA = "taken, hung up without an answer"


MOODS = {
    Mood.TAKES: 80,
    Mood.REFUSES: 6,
    Mood.REFUSES_AFTER_DATA: 4,
    Mood.HANGS: 2,
    Mood.HANGS_AFTER_DATA: 2,
    Mood.DIES_AFTER_DATA: 6,
}


@dataclass(frozen=True)
class Fault:
    """After ``pause`` seconds; what was killed is started again after ``down`` seconds."""

    kind: Kind
    pause: float
    down: float
    which: int  # of two workers, or of several processes


@dataclass(frozen=True)
class Orders:
    """What a run was told: so many kills, spread over so many seconds."""

    seed: str
    kills: int
    seconds: float

    def __str__(self) -> str:
        return f"SEED={self.seed} KILLS={self.kills} DURATION={self.seconds:g}"


def make_plan(orders: Orders) -> list[Fault]:
    """The kills, every kind as far as they go, with a few flushes between."""
    random, kills = Random(f"{orders.seed} faults"), orders.kills
    kinds = random.sample(list(WEIGHTS), k=len(WEIGHTS))[:kills]
    kinds += random.choices(list(WEIGHTS), weights=list(WEIGHTS.values()), k=kills - len(kinds))
    kinds += [Kind.FLUSH] * max(1, kills // FLUSHES)
    random.shuffle(kinds)
    step = orders.seconds / len(kinds)
    return [
        Fault(kind, step * random.uniform(0.3, 1.2), step * random.uniform(0, 0.5), random.randrange(1000))
        for kind in kinds
    ]


def make_moods(seed: str) -> Random:
    """What draws the mail server's moods."""
    return Random(f"{seed} mails")
