"""What goes wrong and when. All of it follows from the seed."""

from dataclasses import dataclass
from enum import StrEnum
from random import Random


class Kind(StrEnum):
    """What is killed with SIGKILL, from the flush on what kills nothing, and from Redis's absence on what lasts."""

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
    REDIS_AWAY = "Redis away"
    REDIS_FULL = "Redis full"
    MAILS_HANG = "mail server hangs"
    POSTGRES_STOPPED = "PostgreSQL stopped"
    POSTGRES_FROZEN = "PostgreSQL hangs"
    READ_ONLY = "database read-only"
    DISK_FULL = "PostgreSQL's disk full"
    TWO_BEATS = "two beats"
    CLOCK = "clock of one part an hour wrong"


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
ROUND = 40  # every outage once for so many kills, PostgreSQL's first of all
# Outages that come while Redis works, and those that come while it is away, each with its part of Redis's absence.
WITH_REDIS = {Kind.REDIS_FULL: 0.05, Kind.MAILS_HANG: 0.05, Kind.TWO_BEATS: 0.05}
WITHOUT_REDIS = {
    Kind.POSTGRES_STOPPED: 0.1,
    Kind.POSTGRES_FROZEN: 0.05,
    Kind.READ_ONLY: 0.05,
    Kind.DISK_FULL: 0.05,
}
CLOCKS = 4  # parts of the portal that have one
SHORTEST = 2  # seconds
OF_REDIS = {Kind.WORKER, Kind.POOL, Kind.REDIS}  # kills that prove little without tasks to do


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
    """After ``pause`` seconds; what was killed is started again after ``down`` seconds, an outage ends then.

    ``meanwhile``: what happens while it lasts.
    """

    kind: Kind
    pause: float
    down: float
    which: int  # of two workers, or of several processes
    meanwhile: tuple["Fault", ...] = ()


@dataclass(frozen=True)
class Orders:
    """What a run was told: so many kills, in so many seconds with Redis, and in so many without it."""

    seed: str
    kills: int
    seconds: float
    without_redis: float

    def __str__(self) -> str:
        return f"SEED={self.seed} KILLS={self.kills} DURATION={self.seconds:g} OUTAGE={self.without_redis:g}"


def make_plan(orders: Orders) -> list[Fault]:
    """Kills, flushes and outages, every kind as far as they go. Redis's absence comes last, with what happens in it."""
    random, kills = Random(f"{orders.seed} faults"), orders.kills
    kinds = random.sample(list(WEIGHTS), k=len(WEIGHTS))[:kills]
    kinds += random.choices(list(WEIGHTS), weights=list(WEIGHTS.values()), k=kills - len(kinds))
    kinds += [Kind.FLUSH] * max(1, kills // FLUSHES)
    without = [kind for kind in kinds[1::2] if kind not in OF_REDIS | {Kind.FLUSH}]
    for kind in without:
        kinds.remove(kind)
    rounds = max(1, kills // ROUND)
    clocks = [Kind.CLOCK] * (CLOCKS if kills >= ROUND else 1)
    kinds += [*WITH_REDIS, *clocks] * rounds
    without += [*WITHOUT_REDIS, *clocks[:2]] * rounds
    absence = Fault(
        Kind.REDIS_AWAY,
        pause=1,
        down=orders.without_redis,
        which=0,
        meanwhile=tuple(_spread(without, orders.without_redis, orders, random)),
    )
    return [*_spread(kinds, orders.seconds, orders, random), absence]


def _spread(kinds: list[Kind], seconds: float, orders: Orders, random: Random) -> list[Fault]:
    """In any order, over about so many seconds."""
    kinds = random.sample(kinds, k=len(kinds))
    lasting = {kind: _lasting(kind, orders) for kind in kinds}
    kills = sum(not lasting[kind] for kind in kinds) or 1
    step = max(0.0, seconds - sum(lasting[kind] for kind in kinds)) / (kills + len(kinds) / 3)
    first_clock = random.randrange(2 * CLOCKS)
    return [
        Fault(
            kind,
            pause=step * random.uniform(0.2, 0.5) if lasting[kind] else step * random.uniform(0.3, 1.2),
            down=lasting[kind] or step * random.uniform(0, 0.5),
            which=first_clock + place if kind == Kind.CLOCK else random.randrange(1000),
        )
        for place, kind in enumerate(kinds)
    ]


def _lasting(kind: Kind, orders: Orders) -> float:
    """Seconds that an outage lasts; 0 for what is over at once."""
    part = (WITH_REDIS | WITHOUT_REDIS | {Kind.CLOCK: 0.02}).get(kind)
    return max(SHORTEST, part * orders.without_redis) if part else 0


def make_moods(seed: str) -> Random:
    """What draws the mail server's moods."""
    return Random(f"{seed} mails")
