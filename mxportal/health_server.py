"""Answer /healthz and /readyz on a separate port with separate threads.

The web server's request threads may all wait, for slow clients or a slow database: a probe that queues behind them
would have a living process killed. Each process of the web server listens; one that is free answers.
"""

import json
import socket
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from django.db import connections

from mxportal.health import health_answer, readiness_answer

ANSWERS: dict[str, Callable[[], tuple[int, dict[str, object]]]] = {
    "/healthz": health_answer,
    "/readyz": readiness_answer,
}


class Probe(BaseHTTPRequestHandler):
    """One request of a process manager. Only GET and HEAD of the two addresses are answered."""

    timeout = 5  # seconds that a client has to send its request
    server_version = "portal"
    sys_version = ""

    def do_GET(self) -> None:
        """Answer with the body, except to HEAD."""
        path = self.path.partition("?")[0]
        status, body = ANSWERS[path]() if path in ANSWERS else (404, {"status": "not found"})
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_HEAD = do_GET

    def finish(self) -> None:
        """Close the database connections of this thread, which ends with the request."""
        connections.close_all()
        super().finish()

    def log_message(self, *args: Any) -> None:
        """Log nothing: probes would be most of the log."""


class ProbeServer(ThreadingHTTPServer):
    """Serves a listening socket that other processes may share."""

    daemon_threads = True

    def __init__(self, listening: socket.socket) -> None:
        super().__init__(listening.getsockname()[:2], Probe, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        self._open: set[Any] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a new thread."""
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """End the connection."""
        super().shutdown_request(request)
        self._open.discard(request)

    def stop(self) -> None:
        """Accept no more connections, and give the present ones a second to end."""
        self.shutdown()
        until = time.monotonic() + 1
        while self._open and time.monotonic() < until:
            time.sleep(0.01)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log nothing about a client that has gone."""


def answer_probes(listening: socket.socket) -> Callable[[], None]:
    """Answer probes in a thread. Return a function that stops it."""
    server = ProbeServer(listening)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, name="health", daemon=True).start()
    return server.stop
