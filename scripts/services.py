"""Finds the services that tests need, or starts them for the time of a run in a directory of their own."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

DEFAULT_POSTGRES = "postgres://postgres@127.0.0.1:5432/postgres"


def apt_install(*packages: str) -> bool:
    """Install Debian packages where that may be done without asking; say whether it worked."""
    if os.getuid() != 0 or not shutil.which("apt-get"):
        return False
    print(f"installing {' '.join(packages)}", flush=True)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-qq", "-y", "--no-install-recommends", *packages]
    quiet = {"env": environment, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "check": False}
    if subprocess.run(install, **quiet).returncode == 0:
        return True
    subprocess.run(["apt-get", "update", "-qq"], **quiet)
    return subprocess.run(install, **quiet).returncode == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(url: str) -> bool:
    """Whether a PostgreSQL at that address lets us in."""
    import psycopg2

    with suppress(psycopg2.OperationalError):
        psycopg2.connect(url, connect_timeout=3).close()
        return True
    return False


def postgres_binaries() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found and apt_install("postgresql"):
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    return Path(which).parent if (which := shutil.which("initdb")) else None


@contextmanager
def postgres() -> Iterator[str | None]:
    """The address of a PostgreSQL: TEST_DATABASE_URL, the usual local one, one of our own, or None."""
    with postgres_of_these(named_postgres, local_postgres, new_postgres) as url:
        yield url


@contextmanager
def postgres_without_fsync() -> Iterator[str | None]:
    """The same, but one of our own comes before the usual local one, which writes everything to its disk."""
    with postgres_of_these(named_postgres, new_postgres, local_postgres) as url:
        yield url


@contextmanager
def postgres_of_these(*kinds: Callable[[ExitStack], str | None]) -> Iterator[str | None]:
    """The first of these that there is; it stops at the end if it was started for this."""
    with ExitStack() as stack:
        yield next((url for kind in kinds if (url := kind(stack))), None)


def named_postgres(stack: ExitStack) -> str | None:
    url = os.environ.get("TEST_DATABASE_URL")
    return url if url and answers(url) else None


def local_postgres(stack: ExitStack) -> str | None:
    return DEFAULT_POSTGRES if answers(DEFAULT_POSTGRES) else None


def new_postgres(stack: ExitStack) -> str | None:
    binaries = postgres_binaries()
    return stack.enter_context(own_postgres(binaries)) if binaries else None


def make_cluster(binaries: Path, directory: str) -> str | None:
    """An empty cluster in ``directory``/data, and whose it is: PostgreSQL refuses to run as root, None is ourselves."""
    owner = "postgres" if os.getuid() == 0 else None
    if owner:
        os.chown(directory, pwd.getpwnam(owner).pw_uid, -1)
    options = ["-U", "postgres", "-A", "trust", "-E", "UTF8"]
    run_as(owner, binaries / "initdb", "-D", f"{directory}/data", *options, cwd=directory)
    return owner


def run_as(owner: str | None, *command: str | Path, cwd: str) -> None:
    """Run a program quietly as that user."""
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=cwd, user=owner)


@contextmanager
def own_postgres(binaries: Path) -> Iterator[str]:
    """A cluster in a temporary directory, which need not survive the machine's end: it waits for no disk."""
    with tempfile.TemporaryDirectory(prefix="portal-pg-") as directory:
        owner, data, port = make_cluster(binaries, directory), f"{directory}/data", free_port()
        pg_ctl = [binaries / "pg_ctl", "-D", data]
        unsafe = " ".join(f"-c {name}=off" for name in ("fsync", "synchronous_commit", "full_page_writes"))
        options = f"-p {port} -h 127.0.0.1 -k {directory} -c max_connections=200 {unsafe}"
        run_as(owner, *pg_ctl, "-w", "-o", options, "-l", f"{data}/log", "start", cwd=directory)
        try:
            yield f"postgres://postgres@127.0.0.1:{port}/postgres"
        finally:
            run_as(owner, *pg_ctl, "-m", "immediate", "stop", cwd=directory)


def redis_command(binary: str, port: int, directory: str) -> list[str]:
    """Redis with an append-only file, as the portal wants it."""
    options = {"port": str(port), "bind": "127.0.0.1", "dir": directory, "appendonly": "yes", "save": ""}
    return [binary, *(part for name, value in options.items() for part in (f"--{name}", value))]


@contextmanager
def redis() -> Iterator[str | None]:
    """The address of an empty Redis for the caller alone: another's worker would take its tasks."""
    binary = shutil.which("redis-server") or (apt_install("redis-server") and shutil.which("redis-server"))
    if not binary:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="portal-redis-") as directory:
        port = free_port()
        process = subprocess.Popen(redis_command(binary, port, directory), stdout=subprocess.DEVNULL)
        try:
            wait_for_port(port)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.terminate()
            process.wait(10)


def wait_for_port(port: int, seconds: float = 30) -> None:
    """Until something listens there; TimeoutError when nothing does."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise TimeoutError(f"Nothing listens on port {port} after {seconds} s.")
