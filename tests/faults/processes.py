"""The parts of the portal: each a process (or several) that can be killed and started again."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Lock

from scripts.services import answers, free_port, make_cluster, postgres_binaries, redis_command, run_as

ROOT = Path(__file__).resolve().parent.parent.parent
BIN = Path(sys.executable).parent
PATIENCE = 60  # seconds
DISK = "400m"  # of PostgreSQL, far more than a run needs


class Process:
    """One program in a process group of its own."""

    def __init__(
        self,
        name: str,
        *command: str | Path,
        directory: Path,
        owner: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name, self.owner = name, owner
        self._more_environment = environment or {}
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
                env=os.environ | self._more_environment,
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
    """A cluster. fsync protects from a loss of power only, but it is on: this is the real thing.

    ``has_own_disk``: it lies on a small file system of its own, which may be filled; only root can mount one.
    """

    def __init__(self, directory: Path) -> None:
        binaries = postgres_binaries()
        assert binaries, "no PostgreSQL (apt-get install postgresql)"
        self.home = directory / "postgres"
        self.home.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "portal-faults", str(self.home)]
        self.has_own_disk = os.getuid() == 0 and subprocess.run(mount, check=False).returncode == 0
        owner = make_cluster(binaries, str(self.home))
        self.port = free_port()
        options = ["-p", str(self.port), "-h", "127.0.0.1", "-k", str(self.home), "-c", "max_connections=100"]
        options += ["-c", "max_wal_size=64MB"]
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

    def shut_down(self) -> None:
        """In order: every connection is ended, every change is in the tables."""
        with self._lock:
            self.is_wanted = False
        os.kill(self.pid, signal.SIGINT)
        assert self._process is not None
        self._process.wait(PATIENCE)

    def freeze(self) -> Callable[[], None]:
        """None of its processes does anything until the answer is called."""
        frozen = self._pids()
        for pid in frozen:
            _send(pid, signal.SIGSTOP)

        def thaw() -> None:
            for pid in frozen:
                _send(pid, signal.SIGCONT)

        return thaw

    def unmount(self) -> None:
        """At the end, when it is stopped."""
        if self.has_own_disk:
            subprocess.run(["umount", str(self.home)], check=True)

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
        return self.command("FLUSHALL")

    def command(self, words: str) -> bool:
        """Whether it has done that."""
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
            connection.sendall(f"{words}\r\n".encode())
            return connection.recv(16).startswith(b"+OK")
        return False


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
    return _send(pid, signal.SIGKILL)


def _send(pid: int, what: signal.Signals) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, what)
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
