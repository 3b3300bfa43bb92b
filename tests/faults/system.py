"""The portal for real, each part of it a process (or several) that can be killed and started again."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, Thread

from scripts.services import answers, free_port, make_cluster, postgres_binaries, redis_command, run_as
from tests.faults.plan import Fault, Kind

ROOT = Path(__file__).resolve().parent.parent.parent
BIN = Path(sys.executable).parent
PATIENCE = 60  # seconds
# What a fault run cannot wait for, shortened; more attempts, so that no mail is given up.
SHORT = {
    "EMAIL_TIMEOUT": "3",
    "OUTBOX_SWEEP_SECONDS": "3",
    "OUTBOX_LEASE_SECONDS": "15",
    "OUTBOX_PAUSE_SECONDS": ",".join(["2"] * 100),
    "TASK_VISIBILITY_SECONDS": "10",
}


class Process:
    """One program in a process group of its own."""

    def __init__(self, name: str, *command: str | Path, directory: Path, owner: str | None = None) -> None:
        self.name, self.owner = name, owner
        self._command, self._directory = command, directory
        self._process: subprocess.Popen[bytes] | None = None
        self.is_wanted = False
        self._lock = Lock()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        with (self._directory / f"{self.name}.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=ROOT if self.owner is None else "/",
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=self.owner,
            )
        self.is_wanted = True

    def revive(self) -> bool:
        """Start it again where it ended by itself, as a Celery worker does whose pool was killed while it started."""
        with self._lock:
            ended = self.is_wanted and self._process is not None and self._process.poll() is not None
            if ended:
                self.start()
            return ended

    def kill(self) -> None:
        """SIGKILL to all of the group."""
        with self._lock:
            self.is_wanted = False
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        assert self._process is not None
        self._process.wait()

    def kill_child(self, which: int) -> bool:
        """SIGKILL to one of its children; False while it has none."""
        children = [int(pid) for pid in _read(f"/proc/{self.pid}/task/{self.pid}/children").split()]
        return bool(children) and _kill(children[which % len(children)])


class Postgres(Process):
    """A cluster. fsync protects from a loss of power only, but it is on: this is the real thing."""

    def __init__(self, directory: Path) -> None:
        binaries = postgres_binaries()
        assert binaries, "no PostgreSQL (apt-get install postgresql)"
        self.home = directory / "postgres"
        self.home.mkdir()
        owner = make_cluster(binaries, str(self.home))
        self.port = free_port()
        options = ["-p", str(self.port), "-h", "127.0.0.1", "-k", str(self.home), "-c", "max_connections=100"]
        super().__init__(
            "postgres",
            binaries / "postgres",
            "-D",
            f"{self.home}/data",
            *options,
            directory=directory,
            owner=owner,
        )
        self._createdb = [binaries / "createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres"]

    def url(self, role: str, database: str) -> str:
        return f"postgres://{role}:portal@127.0.0.1:{self.port}/{database}"

    def create_database(self, name: str) -> None:
        run_as(None, *self._createdb, name, cwd="/")

    def wait(self) -> None:
        """Until it takes connections."""
        wait_until(lambda: answers(self.url("postgres", "postgres")), "PostgreSQL does not answer")

    def _pids(self) -> list[int]:
        """Every process of the cluster works in its data directory, in whatever group it is."""
        data = str(self.home / "data")
        return [
            int(entry.name)
            for entry in Path("/proc").iterdir()
            if entry.name.isdigit() and _cwd(entry) == data
        ]

    def kill(self) -> None:
        """SIGKILL to all of them, the first one first, so that it cannot make new ones."""
        with self._lock:
            self.is_wanted = False
        _kill(self.pid)
        while pids := self._pids():
            for pid in pids:
                _kill(pid)
            super().kill()

    def kill_child(self, which: int) -> bool:
        """A backend of the portal; the server then ends all of them and recovers by itself."""
        backends = [pid for pid in self._pids() if "portal portal" in _read(f"/proc/{pid}/cmdline")]
        return bool(backends) and _kill(backends[which % len(backends)])


class Redis(Process):
    """With an append-only file."""

    def __init__(self, directory: Path, binary: str) -> None:
        self.port = free_port()
        home = directory / "redis"
        home.mkdir()
        super().__init__("redis", *redis_command(binary, self.port, str(home)), directory=directory)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def flush(self) -> bool:
        """It forgets every task."""
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
            connection.sendall(b"FLUSHALL\r\n")
            return connection.recv(16).startswith(b"+OK")
        return False


@dataclass
class Killed:
    """What was done to the system, from when to when."""

    kind: Kind
    at: float
    until: float


class System:
    """All of the portal but its mail server."""

    def __init__(self, directory: Path, redis_binary: str) -> None:
        self.postgres, self.redis = Postgres(directory), Redis(directory, redis_binary)
        self.port = free_port()
        celery = [BIN / "celery", "-A", "mxportal"]
        worker = [*celery, "worker", "--concurrency", "1", "--loglevel", "INFO", "-n"]
        self.web = Process(
            "web",
            BIN / "gunicorn",
            "-c",
            "python:mxportal.gunicorn_conf",
            "mxportal.wsgi",
            directory=directory,
        )
        self.workers = [Process(f"worker{n}", *worker, f"worker{n}@%h", directory=directory) for n in (1, 2)]
        self.beat = Process("beat", *celery, "beat", directory=directory)
        self.killed: list[Killed] = []
        self.revived: Counter[str] = Counter()
        Thread(target=self._supervise, daemon=True).start()

    def environment(self, mail_port: int, directory: Path) -> dict[str, str]:
        """A server's settings."""
        return SHORT | {
            "DATABASE_URL": self.postgres.url("portal", "portal"),
            "REDIS_URL": self.redis.url,
            "EMAIL_URL": f"smtp://127.0.0.1:{mail_port}",
            "SITE_URL": f"http://127.0.0.1:{self.port}",
            "PORT": str(self.port),
            "VAR_DIR": str(directory / "var"),
            "SECRET_KEY": "only-for-the-fault-run-" + "x" * 50,
            "KEY_ENCRYPTION_KEY": "b25seS1mb3ItdGVzdHMtMzItYnl0ZXMtbG9uZy1rZXk=",
            "MAIL_FROM": "licenses@portal.example",
            "STATIC_MANIFEST": "0",
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
        owner = {"DATABASE_OWNER_URL": self.postgres.url("postgres", "portal")}
        command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(command, check=True, cwd=ROOT, env=os.environ | owner)

    def start_portal(self) -> None:
        for part in (self.web, *self.workers, self.beat):
            part.start()

    @property
    def parts(self) -> list[Process]:
        return [self.web, *self.workers, self.beat, self.redis, self.postgres]

    def _supervise(self) -> None:
        """What every installation has, as systemd or Docker: a program that ended is started again."""
        while True:
            time.sleep(0.5)
            for part in self.parts:
                self.revived[part.name] += part.revive()

    def strike(self, fault: Fault) -> None:
        """Carry out one fault, and undo it: what was killed is started again."""
        at = time.time()
        while not self._done(fault):  # there may be nothing to kill at this moment
            time.sleep(0.1)
        time.sleep(fault.down)
        if part := self._restarted(fault):
            part.start()
        if fault.kind in (Kind.POSTGRES, Kind.BACKEND):
            self.postgres.wait()
        self.killed.append(Killed(fault.kind, at, time.time()))

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


def say(text: str) -> None:
    """A line of the report."""
    print(f"faults: {text}", flush=True)


def wait_until(condition: Callable[[], bool], otherwise: str, seconds: float = PATIENCE) -> None:
    """TimeoutError with that sentence where it does not come true."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{otherwise} after {seconds:.0f} s.")
        time.sleep(0.1)


def _kill(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        return True
    return False


def _read(path: str) -> str:
    with suppress(OSError):
        return Path(path).read_text(errors="replace").replace("\0", " ")
    return ""


def _cwd(entry: Path) -> str:
    with suppress(OSError):
        return os.readlink(entry / "cwd")
    return ""
