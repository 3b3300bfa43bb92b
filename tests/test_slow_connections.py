"""Q2: forty slow connections keep nobody else waiting, without a proxy in front."""

import os
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest

from mxportal.gunicorn_worker import _Reader
from scripts.services import free_port, wait_for_port
from tests.live import BIN, process
from tests.test_embedded import environment

pytestmark = pytest.mark.once

SLOW = 40  # five times the request threads
HEAD = b"POST /login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
UPLOAD = HEAD.replace(b"/login/", b"%s") + b"Content-Length: %d\r\n\r\na"
WAYS = {
    "head": HEAD,
    "body": HEAD + b"Content-Length: 1000\r\n\r\na",
    "body that was asked for": HEAD + b"Expect: 100-continue\r\nContent-Length: 1000\r\n\r\n",
    "body without a length": HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
    "body too large": HEAD + b"Content-Length: 100000000\r\n\r\na",
    "body for a page that takes files": UPLOAD % (b"/verify/", 1_000_000),
    "body for such a page, with its host": UPLOAD % (b"http://127.0.0.1/verify/", 1_000_000),
    "body for such a page, in other letters": UPLOAD % (b"/%76erify/", 1_000_000),
    "body of a length with many digits": UPLOAD.replace(b"%d", b"0000000%d") % (b"/verify/", 1_000_000),
}


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    directory: Path = tmp_path_factory.mktemp("slow")
    port = free_port()
    command = [BIN / "gunicorn", "-c", "python:mxportal.gunicorn_conf", "mxportal.wsgi"]
    with process(*command, environment=environment(directory, PORT=str(port)), log=directory / "log"):
        wait_for_port(port)
        assert answers(port, seconds=60)  # once the process is up
        yield port


def answers(port: int, *, seconds: float = 10) -> bool:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=seconds) as answer:
        return answer.status == 200


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_slow_connections_stop_nobody(port: int, way: str) -> None:
    """Q2: the head, or the body, of each of forty requests never comes to an end; others are answered meanwhile."""
    with ExitStack() as stack:
        slow = [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(SLOW)]
        for connection in slow:
            connection.sendall(WAYS[way])
        time.sleep(1)  # until each of them is where it wants to be
        assert answers(port)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["body", "body for a page that takes files"])
def test_slow_connection_ends(port: int, way: str) -> None:
    """Q2: 408 after its time, which is no longer for a large body of which nothing comes."""
    with socket.create_connection(("127.0.0.1", port), timeout=40) as connection:
        connection.sendall(WAYS[way])
        assert connection.recv(100).startswith(b"HTTP/1.1 408")


def test_an_announced_body_is_asked_for_and_read(port: int) -> None:
    """Q2: Expect: 100-continue is answered, and the request goes on once the body is there."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(HEAD + b"Expect: 100-continue\r\nConnection: close\r\nContent-Length: 5\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 100")
        connection.sendall(b"login")
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
        assert b"HTTP/1.1 403" in answer  # without a CSRF token


def test_requests_in_a_row_and_at_once(port: int) -> None:
    """Kept-alive and pipelined requests are answered one after the other."""
    one = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    last = one.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(one)
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")
        connection.sendall(one + last)
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
        assert answer.count(b"HTTP/1.1 200") == 2


def test_large_uploads_arrive_whole(port: int) -> None:
    """Q2: a body of several portions, for a page that takes it."""
    boundary = "b" * 20
    body = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="x.pdf"\r\n\r\n'.encode()
        + os.urandom(3_000_000)
        + f"\r\n--{boundary}--\r\n".encode()
    )
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/verify/", body, headers)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=20)
    with refused.value as answer:
        assert answer.status == 403  # without a CSRF token, which is looked for in the whole body


class Stopping:
    """A worker that was told to stop."""

    alive = False


@pytest.mark.slow
def test_a_stopping_worker_receives_what_is_on_its_way() -> None:
    """Q2: a connection that it has accepted is answered by nobody else; 408 would blame a client that was quick."""
    ours, theirs = socket.socketpair()
    connection = SimpleNamespace(
        sock=ours, parser=SimpleNamespace(unreader=SimpleNamespace(take_buffered=bytes))
    )
    with ours, theirs:
        theirs.sendall(b"GET /verify/ HTTP/1.1\r\nHost: portal\r\n\r\n")
        assert _Reader(connection, Stopping()).read() is True
        theirs.sendall(b"GET /verify/ HT")
        begun = time.monotonic()
        assert _Reader(connection, Stopping()).read() is False
        assert time.monotonic() - begun < 5  # and waits no longer for the rest than a stop may take
