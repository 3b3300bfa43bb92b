"""Probes are answered although every request thread of the web server waits."""

import json
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import pytest

from scripts.services import free_port, wait_for_port
from tests.live import BIN, ROOT, process
from tests.test_embedded import environment

pytestmark = pytest.mark.once

THREADS = 2


@dataclass
class Server:
    """A web server with two request threads, and its ports."""

    port: int
    health_port: int
    settings: dict[str, str]
    master: "subprocess.Popen[bytes]"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    directory = tmp_path_factory.mktemp("server")
    port, health_port = free_port(), free_port()
    settings = environment(
        directory, PORT=str(port), HEALTH_PORT=str(health_port), WEB_THREADS=str(THREADS), DEMO="1"
    )
    migrate = [sys.executable, "manage.py", "migrate"]
    subprocess.run(migrate, cwd=ROOT, env=settings, check=True, capture_output=True)
    gunicorn = [BIN / "gunicorn", "-c", "python:mxportal.gunicorn_conf", "mxportal.wsgi"]
    with process(*gunicorn, environment=settings, log=directory / "log") as master:
        wait_for_port(port)
        assert ask(port, "/healthz", seconds=60)[0] == 200  # once the process is up
        yield Server(port, health_port, settings, master)


def ask(port: int, path: str, *, seconds: float, method: str = "GET") -> tuple[int, bytes]:
    """Status and body. TimeoutError where no answer comes in time."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=seconds)) as connection:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read()


def waiting_request(port: int) -> socket.socket:
    """A log-in that fails, which is written down: while somebody else writes, the thread that does it waits."""
    token = "x" * 32
    form = f"csrfmiddlewaretoken={token}&login=a@b.example&password=x"
    head = f"POST /login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: csrftoken={token}\r\nContent-Length: {len(form)}"
    slow = socket.create_connection(("127.0.0.1", port), timeout=5)
    slow.sendall(f"{head}\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n{form}".encode())
    return slow


@contextmanager
def somebody_else_writes(directory: str) -> Iterator[None]:
    """SQLite has one writer at a time."""
    with closing(sqlite3.connect(Path(directory) / "db.sqlite3")) as database:
        database.execute("BEGIN IMMEDIATE")
        yield
        database.rollback()


@pytest.mark.slow
def test_probes_have_threads_of_their_own(server: Server) -> None:
    """While the site answers nobody, both are answered on the other port, and the container's check is content."""
    with ExitStack() as stack:
        stack.enter_context(somebody_else_writes(server.settings["VAR_DIR"]))
        for _ in range(THREADS):
            stack.enter_context(waiting_request(server.port))
        time.sleep(1)  # until both threads have taken one up
        with pytest.raises(TimeoutError):
            ask(server.port, "/healthz", seconds=2)
        assert ask(server.health_port, "/healthz", seconds=2) == (200, b'{"status": "ok"}')
        status, body = ask(server.health_port, "/readyz", seconds=5)
        assert (status, json.loads(body)["status"]) == (200, "ok")
        check = [sys.executable, "scripts/healthcheck.py"]
        assert subprocess.run(check, check=False, cwd=ROOT, env=server.settings).returncode == 0


def test_the_port_answers_probes_alone(server: Server) -> None:
    """A stranger who reaches it finds no page; HEAD is answered without a body; what is no request harms nothing."""
    for path in ("/", "/login/", "/static/img/favicon.svg", "/healthz/../login/"):
        assert ask(server.health_port, path, seconds=5)[0] == 404
    assert ask(server.health_port, "/healthz", seconds=5, method="HEAD") == (200, b"")
    assert ask(server.health_port, "/healthz", seconds=5, method="POST")[0] == 501
    with socket.create_connection(("127.0.0.1", server.health_port), timeout=5) as stranger:
        stranger.sendall(b"\x00\xff\r\n\r\n")
        stranger.recv(100)
    assert ask(server.health_port, "/healthz", seconds=5)[0] == 200


@pytest.mark.slow
def test_it_answers_again_after_a_reload(server: Server) -> None:
    """SIGHUP starts new processes on the same listeners."""
    server.master.send_signal(signal.SIGHUP)
    for _ in range(20):
        assert ask(server.health_port, "/healthz", seconds=30)[0] == 200


@pytest.mark.slow
def test_it_is_off_unless_set(tmp_path: Path) -> None:
    """The embedded default opens one port."""
    command = [sys.executable, "-c", "from mxportal import gunicorn_conf; print(gunicorn_conf.bind)"]
    settings = environment(tmp_path, DJANGO_SETTINGS_MODULE="mxportal.settings")
    done = subprocess.run(command, check=True, cwd=ROOT, env=settings, capture_output=True, text=True)
    assert done.stdout.strip() == "['127.0.0.1:8000']"
