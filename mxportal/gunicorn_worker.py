"""gunicorn's threaded worker, for a portal that slow connections do not stop (Q2).

Separate threads receive each request completely; only then a request thread takes it up. A client that sends a byte a
second occupies a receiver, for a limited time, and keeps nobody else waiting.
"""

import math
import re
import socket
import struct
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from urllib.parse import unquote

from django.conf import settings
from gunicorn.util import split_request_uri
from gunicorn.workers.gthread import _DEFER, DEFAULT_WORKER_DATA_TIMEOUT, TConn, ThreadWorker

HEAD_SECONDS = 15  # for the head of a request
BODY_SECONDS = 15  # for its body, plus what the slowest allowed line needs for the bytes that have come
MIN_BYTES_A_SECOND = 16 * 1024
MAX_HEAD_BYTES = 256 * 1024  # gunicorn's own limits, which are lower, refuse such a head
TURN = 1.0  # seconds after which a stopping worker is noticed
LAST_CALL = 2.0  # seconds that a stopping worker has for a request that it has accepted
END_OF_HEAD = b"\r\n\r\n"
LENGTH = re.compile(rb"(?im)^content-length:[ \t]*(\d+)[ \t]*\r$")
MAX_LENGTH_DIGITS = 12  # of a length; the site refuses more (mxportal.bodies)
UNKNOWN = 10**MAX_LENGTH_DIGITS
CHUNKED = re.compile(rb"(?im)^transfer-encoding:")
EXPECT = re.compile(rb"(?im)^expect:[ \t]*100-continue[ \t]*\r$")
TIMED_OUT = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class PatientWorker(ThreadWorker):
    """Receives requests in one pool of threads, and runs the site in another."""

    def init_process(self) -> None:
        self.receivers = ThreadPoolExecutor(settings.WEB_RECEIVERS, thread_name_prefix="receiver")
        super().init_process()

    def enqueue_req(self, conn: TConn) -> None:
        """Give the connection to a receiver before a request thread."""
        future = self.receivers.submit(self.receive, conn)
        future.add_done_callback(lambda done: self.method_queue.defer(self._received, conn, done))

    def _received(self, conn: TConn, future: "Future[Any]") -> None:
        """Hand a complete request over, on the main thread; defer or close any other."""
        if future.exception() is None and future.result() is True:
            super().enqueue_req(conn)
        else:
            self.finish_request(conn, future)

    def finish_request(self, conn: TConn, future: "Future[Any]") -> None:
        """Close in another thread, because closing waits two seconds for the client, and the main thread serves all."""
        if future.cancelled() or future.exception() is not None or not future.result():
            self.nr_conns -= 1
            self.receivers.submit(conn.close, graceful=True)
        else:
            super().finish_request(conn, future)

    def _keepalive_after(self, conn: TConn, keepalive: bool) -> bool:
        """End the connection after a request that the site refused unread: no request thread waits for the rest."""
        return bool(conn.is_whole and super()._keepalive_after(conn, keepalive))

    def receive(self, conn: TConn) -> Any:
        """Return True once the request is complete, or will be refused by its head alone; False if its time is over."""
        if (
            not conn.initialized
            and not conn.data_ready
            and not conn.wait_for_data(DEFAULT_WORKER_DATA_TIMEOUT)
        ):
            return _DEFER
        conn.data_ready = True
        conn.init()
        if conn.is_http2:
            conn.is_whole = True
            return True
        reader = _Reader(conn, self)
        complete = reader.read()
        conn.parser.unreader.unread(bytes(reader.received))
        conn.is_whole = reader.is_whole
        if not complete:
            conn.sock.sendall(TIMED_OUT)
            return False
        _limit_waits(conn.sock)
        return True


class _Reader:
    """Receives one request into memory: a head, and a body that its page takes."""

    def __init__(self, conn: TConn, worker: ThreadWorker) -> None:
        self._sock, self._worker = conn.sock, worker
        self.received = bytearray(conn.parser.unreader.take_buffered())
        self.is_whole = True  # False if the site will refuse the body unread
        self._ended = False  # the client has closed its end
        self._last_call: float | None = None  # when a stopping worker gives up

    def read(self) -> bool:
        """Return False if the time is over first. A body that the site will refuse is not received."""
        end = time.monotonic() + HEAD_SECONDS
        while END_OF_HEAD not in self.received:
            if len(self.received) > MAX_HEAD_BYTES or not self._more(end):
                return len(self.received) > MAX_HEAD_BYTES or self._ended
        head, _, _ = bytes(self.received).partition(END_OF_HEAD)
        head += b"\r\n"
        length = self._length(head)
        if length and EXPECT.search(head):
            self._sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        start, begin = time.monotonic() + BODY_SECONDS, len(head) + 2
        while (there := len(self.received) - begin) < length:
            if not self._more(start + there / MIN_BYTES_A_SECOND):
                return self._ended
        return True

    def _length(self, head: bytes) -> int:
        """Return the length of the body to wait for."""
        from mxportal.bodies import most_bytes

        found = LENGTH.search(head)
        digits = found[1] if found else b"0"
        length = int(digits) if len(digits) <= MAX_LENGTH_DIGITS else UNKNOWN
        self.is_whole = length <= most_bytes(_path(head)) and not CHUNKED.search(head)
        return length if self.is_whole else 0

    def _more(self, end: float) -> bool:
        """Receive some more bytes; return False at the end of the time, of the connection, or of the worker."""
        while (left := min(end, self._latest()) - time.monotonic()) > 0:
            self._sock.settimeout(min(left, TURN))
            try:
                portion = self._sock.recv(64 * 1024)
            except TimeoutError:
                continue
            self.received += portion
            self._ended = not portion
            return bool(portion)
        return False

    def _latest(self) -> float:
        """Return when to stop: a stopping worker still receives what is on its way, as nobody else will answer it."""
        if self._worker.alive:
            return math.inf
        if self._last_call is None:
            self._last_call = time.monotonic() + LAST_CALL
        return self._last_call


def _path(head: bytes) -> str:
    """Return the path as gunicorn and Django read it; a request's target can contain the host, too."""
    target = head.partition(b"\r\n")[0].split(b" ")[1:2]
    try:
        return unquote(split_request_uri(target[0].decode("latin-1")).path) if target else "/"
    except ValueError:  # gunicorn refuses it
        return "/"


def _limit_waits(sock: socket.socket) -> None:
    """Limit how long a request thread waits for a client that takes no answer or sends a body unasked."""
    seconds = struct.pack("ll", BODY_SECONDS, 0)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, seconds)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, seconds)
