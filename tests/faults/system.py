"""The portal for real, each part of it a process (or several) that can be killed and started again."""

import os
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

from scripts.services import free_port
from tests.faults.mails import MoodyServer
from tests.faults.outages import OUTAGES
from tests.faults.plan import Fault, Kind
from tests.faults.processes import BIN, ROOT, Postgres, Process, Redis, say
from tests.faults.witness import Witness

# What a fault run cannot wait for, shortened; more attempts, so that no mail is given up.
SHORT = {
    "EMAIL_TIMEOUT": "3",
    "OUTBOX_SWEEP_SECONDS": "3",
    "OUTBOX_LEASE_SECONDS": "15",
    "OUTBOX_PROBE_SECONDS": "1",
    "OUTBOX_PAUSE_SECONDS": ",".join(["2"] * 100),
    "TASK_VISIBILITY_SECONDS": "10",
}
HOOK = Path(__file__).parent / "clock"  # Python looks there for what it runs first
STATEMENTS = 300  # of the migrations in tests/migrated, a few less than there are


@dataclass
class Killed:
    """What was done to the system, from when to when."""

    kind: Kind
    at: float
    until: float


class System:
    """All of the portal, and its mail server."""

    def __init__(self, directory: Path, redis_binary: str, mails: MoodyServer) -> None:
        self.postgres, self.redis = Postgres(directory), Redis(directory, redis_binary)
        self.mails = mails
        self.port, self.health_port = free_port(), free_port()
        self._directory = directory
        celery = [BIN / "celery", "-A", "mxportal"]
        worker = [*celery, "worker", "--concurrency", "1", "--loglevel", "INFO"]
        self.web = self._python(
            "web",
            BIN / "gunicorn",
            "-c",
            "python:mxportal.gunicorn_conf",
            "mxportal.wsgi",
        )
        self.workers = [
            self._python(name, *worker, "-Q", queue, "-n", f"{name}@%h")
            for name, queue in (("worker", "celery"), ("mails", "mails"))
        ]
        self.beat, self.second_beat = (self._python(name, *celery, "beat") for name in ("beat", "beat-2"))
        self.killed: list[Killed] = []
        self.broken: list[str] = []
        self.notes: list[str] = []
        self.witness: Witness | None = None
        self.revived: Counter[str] = Counter()
        Thread(target=self._supervise, daemon=True).start()

    def _python(self, name: str, *command: str | Path) -> Process:
        """A part of the portal, whose clock can be set."""
        hook = {"FAULT_CLOCK": str(self.clock_of(name)), "PYTHONPATH": str(HOOK)}
        return Process(name, *command, directory=self._directory, environment=hook)

    def clock_of(self, part: str) -> Path:
        """The file that says by how many seconds it is wrong."""
        return self._directory / f"{part}.clock"

    def environment(self) -> dict[str, str]:
        """A server's settings."""
        return SHORT | {
            "DATABASE_URL": self.postgres.url("portal", "portal"),
            "REDIS_URL": self.redis.url,
            "EMAIL_URL": f"smtp://127.0.0.1:{self.mails.port}",
            "SITE_URL": f"http://127.0.0.1:{self.port}",
            "PORT": str(self.port),
            "HEALTH_PORT": str(self.health_port),
            "VAR_DIR": str(self._directory / "var"),
            "SECRET_KEY": "only-for-the-fault-run-" + "x" * 50,
            "KEY_ENCRYPTION_KEY": "b25seS1mb3ItdGVzdHMtMzItYnl0ZXMtbG9uZy1rZXk=",
            "MAIL_FROM": "licenses@portal.example",
            "STATIC_MANIFEST": "0",
            "API_REQUESTS_A_MINUTE_WITHOUT_TOKEN": "100000",
            "WEB_CONCURRENCY": "2",
            "WEB_THREADS": "4",
            "DJANGO_SETTINGS_MODULE": "mxportal.settings",
            "PYTHONUNBUFFERED": "1",
        }

    def start_services(self) -> None:
        """Database and broker, and the tables, which their owner makes."""
        self.postgres.start()
        self.redis.start()
        self.postgres.wait()
        self.postgres.create_database("portal")
        self._run_as_owner("manage.py", "migrate", "--verbosity", "0").check_returncode()

    def _run_as_owner(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | more | {"DATABASE_OWNER_URL": self.postgres.url("postgres", "portal")}
        command = [sys.executable, *arguments]
        return subprocess.run(
            command, check=False, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
        )

    def _kill_migrate(self, which: int) -> None:
        """Migrate forwards or backwards, and look at what is left."""
        settings = {"DJANGO_SETTINGS_MODULE": "tests.migrated.settings"}
        done = self._run_as_owner("-m", "tests.migrated", "strike", str(1 + which % STATEMENTS), **settings)
        if done.returncode:
            self.broken.append(f"After migrate was killed: {' '.join(done.stderr.split())[-300:]}")

    def start_portal(self) -> None:
        for part in (self.web, *self.workers, self.beat):
            part.start()

    @property
    def python_parts(self) -> list[Process]:
        return [self.web, *self.workers, self.beat]

    @property
    def parts(self) -> list[Process]:
        return [*self.python_parts, self.second_beat, self.redis, self.postgres]

    def _supervise(self) -> None:
        """What every installation has, as systemd or Docker: a program that ended is started again."""
        while True:
            time.sleep(0.5)
            for part in self.parts:
                self.revived[part.name] += part.revive()

    def strike(self, fault: Fault) -> None:
        """Carry out one fault, and undo it: what was killed is started again."""
        if fault.kind in OUTAGES:
            self._outage(fault)
            return
        at = time.time()
        while not self._done(fault):  # there may be nothing to kill at this moment
            time.sleep(0.1)
        time.sleep(fault.down)
        if part := self._restarted(fault):
            part.start()
        if fault.kind in (Kind.POSTGRES, Kind.BACKEND):
            self.postgres.wait()
        self.killed.append(Killed(fault.kind, at, time.time()))

    def _outage(self, fault: Fault) -> None:
        """While it lasts the witness looks, and other faults may strike."""
        if fault.kind == Kind.DISK_FULL and not self.postgres.has_own_disk:
            self.notes.append("left out: PostgreSQL's disk full, since only root can mount a small one")
            return
        if self.witness:
            self.witness.wait()
        at, since = time.time(), time.monotonic()
        with OUTAGES[fault.kind](self, fault):
            if self.witness:
                self.witness.look(fault.kind)
            for other in fault.meanwhile:
                time.sleep(other.pause)
                self.strike(other)
            time.sleep(max(0.0, fault.down - (time.monotonic() - since)))
        self.killed.append(Killed(fault.kind, at, time.time()))
        say(f"{fault.kind}, for {time.time() - at:.0f} s")

    def _restarted(self, fault: Fault) -> Process | None:
        parts = {
            Kind.WEB: self.web,
            Kind.WORKER: self.workers[fault.which % 2],
            Kind.BEAT: self.beat,
            Kind.REDIS: self.redis,
            Kind.POSTGRES: self.postgres,
        }
        return parts.get(fault.kind)

    def _done(self, fault: Fault) -> bool:
        if part := self._restarted(fault):
            part.kill()
            return True
        if fault.kind == Kind.MIGRATE:
            self._kill_migrate(fault.which)
            return True
        if fault.kind == Kind.FLUSH:
            return self.redis.flush()
        children = {
            Kind.WEB_WORKER: self.web,
            Kind.POOL: self.workers[fault.which % 2],
            Kind.BACKEND: self.postgres,
        }
        return children[fault.kind].kill_child(fault.which // 2)

    def stop(self) -> None:
        """Everything, at the end."""
        for part in self.parts:
            with suppress(AssertionError):  # it was never started
                part.kill()
        self.postgres.unmount()
