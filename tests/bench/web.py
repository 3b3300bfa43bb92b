"""A web server of the portal with two processes, and clients that cost next to nothing themselves."""

import os
import re
import socket
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from scripts.services import free_port, wait_for_port
from tests.live import BIN, process

PROCESSES, CLIENTS = 2, 4
NO_LIMIT = str(10**9)
LENGTH = re.compile(rb"\r\nContent-Length: (\d+)\r\n", re.IGNORECASE)

Make = Callable[[int], bytes]  # the next request of this client


class Connection:
    """Kept open; http.client would take longer to read an answer than the server to say hello."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)

    def send(self, request: bytes) -> None:
        """Until the whole answer is there. Raises AssertionError where it is none of success."""
        self._socket.sendall(request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._receive()
        head, _, body = answer.partition(b"\r\n\r\n")
        length = LENGTH.search(head + b"\r\n")
        assert head.startswith(b"HTTP/1.1 2"), answer
        assert length, head
        missing = int(length[1]) - len(body)
        while missing > 0:
            missing -= len(self._receive())

    def _receive(self) -> bytes:
        received = self._socket.recv(65536)
        assert received, "The server hung up."
        return received


@contextmanager
def web_server() -> Iterator[Callable[[Make, int], None]]:
    """Called with what makes requests and how many, all clients together send as many and wait for the answers."""
    port = free_port()
    environment = os.environ | {
        "PORT": str(port),
        "WEB_CONCURRENCY": str(PROCESSES),
        "API_REQUESTS_A_MINUTE": NO_LIMIT,
    }
    command = [BIN / "gunicorn", "-c", "python:mxportal.gunicorn_conf", "tests.bench.wsgi"]
    with ExitStack() as stack:
        log = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "web.log"
        stack.enter_context(process(*command, environment=environment, log=log))
        wait_for_port(port)
        pool = stack.enter_context(ThreadPoolExecutor(CLIENTS))
        connections = [Connection(port) for _ in range(CLIENTS)]

        def send(make: Make, requests: int) -> None:
            def work(client: int) -> None:
                for _ in range(requests // CLIENTS):
                    connections[client].send(make(client))

            list(pool.map(work, range(CLIENTS)))

        yield send


def get(path: str) -> bytes:
    """A request for a page."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n\r\n".encode()


def post(path: str, body: str, **headers: str) -> bytes:
    """A request with a body of JSON."""
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1:8000", "Content-Type: application/json"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    lines.append(f"Content-Length: {len(body.encode())}")
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()
