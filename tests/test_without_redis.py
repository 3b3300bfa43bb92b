"""Redis holds nothing that cannot be lost: with a dead, a full and a silent one, every page and every call works.

`/readyz`, which says that Redis fails, is the only one that differs (tests/test_health.py).
"""

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from accounts.models import User
from mxportal.shared.alarms import wake
from mxportal.shared.breaker import Breaker, redis_breaker
from notifications.models import Mail, Status
from scripts.services import free_port, wait_for_port
from tests.entitlements.api import world as api
from tests.entitlements.api.test_matrix import LINES as API_LINES
from tests.entitlements.api.test_matrix import answer as api_answer
from tests.factories import PASSWORD, Cast
from tests.test_access_matrix import COLUMNS, LINES, Visitor, World

MOST_SECONDS_MORE = 1.0
FORGIVING = "mxportal.shared.redis_cache.ForgivingRedisCache"


@contextmanager
def dead() -> Iterator[int]:
    """Nothing listens there."""
    yield free_port()


@contextmanager
def silent() -> Iterator[int]:
    """It accepts connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(200)
        yield listener.getsockname()[1]


@contextmanager
def full() -> Iterator[int]:
    """A real one at its limit of memory, which drops nothing for what is new."""
    port = free_port()
    binary = shutil.which("redis-server")
    assert binary, "needs Redis: apt-get install redis-server"
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--maxmemory", "1"]
    process = subprocess.Popen(
        [binary, *options, "--maxmemory-policy", "noeviction"], stdout=subprocess.DEVNULL
    )
    try:
        wait_for_port(port)
        yield port
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(params=[dead, silent, full], ids=["dead", "silent", "full"])
def failing_redis(request: pytest.FixtureRequest, settings: Any) -> Iterator[str]:
    """Cache and broker of this process are such a Redis."""
    with request.param() as port:
        url = f"redis://127.0.0.1:{port}/0"
        settings.CACHES = {"default": {"BACKEND": FORGIVING, "LOCATION": url}}
        settings.EMBEDDED_WORKER, settings.REDIS_URL, settings.CELERY_BROKER_URL = False, url, url
        yield url


def timed(ask: Callable[[], Any]) -> tuple[Any, float]:
    """The answer and its seconds, of a process that knows nothing of a failure yet."""
    redis_breaker.reset()
    started = time.perf_counter()
    return ask(), time.perf_counter() - started


def soon(ask: Callable[[], Any], usual: float = 0.0) -> Any:
    """The answer, which takes no second longer than usual. A busy machine gets a second try."""
    for _ in range(2):
        got, took = timed(ask)
        if took < usual + MOST_SECONDS_MORE:
            return got
    raise AssertionError(f"it took {took:.2f} s")


def columns_of(line: list[str]) -> list[tuple[str, str]]:
    """Who asks for a page, and what each gets: whoever gets the most of it, and somebody who is not logged in."""
    statuses = dict(zip(COLUMNS, line[2:], strict=True))
    who = "installer" if statuses["installer"] < "400" else "mobotix"
    return [(one, statuses[one]) for one in (["anonymous", who] if statuses["anonymous"] < "300" else [who])]


@pytest.mark.slow
def test_every_page_works(db: None, failing_redis: str) -> None:
    """The same status as ever, at most a second later."""
    world = World()
    visitors = {column: Visitor(world, column) for column in ("anonymous", "installer", "mobotix")}
    wrong = {}
    for line in (line for line in LINES if line[0] != "readyz"):
        name, method = line[:2]
        for column, status in columns_of(line):
            ask = partial(visitors[column].ask, name, method)
            got = str(soon(ask, usual=1.0).status_code)
            if got != status:
                wrong[name, method, column] = got
    assert wrong == {}


@pytest.mark.slow
def test_every_call_of_the_api_works(db: None, failing_redis: str) -> None:
    """P4: the same status as ever, and the limit's headers, of which nothing is used up."""
    world = api.World()
    wrong = {}
    for operation_id, *expected in API_LINES:
        for role, status in zip(api.ROLES, expected, strict=True):
            got = soon(partial(api_answer, world, role, operation_id), usual=1.0)
            if str(got.status_code) != status or "RateLimit-Remaining" not in got:
                wrong[operation_id, role] = got.status_code
    assert wrong == {}


def log_in(client: Client, user: User, password: str = PASSWORD) -> Any:
    return client.post(reverse("account_login"), {"login": user.email, "password": password})


def test_a_login_never_needs_redis(cast: Cast, failing_redis: str) -> None:
    """U8: who knows the password is in."""
    assert soon(lambda: log_in(Client(), cast.installer)).status_code == 302


def test_wrong_logins_are_counted_without_redis(cast: Cast, failing_redis: str) -> None:
    """Who brings Redis down gains no guesses: they are counted in the database."""
    said = [log_in(Client(), cast.installer, "wrong").content.decode() for _ in range(7)]
    assert ["Too many attempts" in page for page in said] == [False] * 5 + [True] * 2


def test_a_mail_waits_for_the_sweep(
    cast: Cast, failing_redis: str, django_capture_on_commit_callbacks: Any
) -> None:
    """N1: the alarm after the commit is bounded and fails nothing; the row is there."""

    def ask() -> Any:
        with django_capture_on_commit_callbacks(execute=True) as callbacks:
            answered = Client().post(reverse("account_reset_password"), {"email": cast.installer.email})
        assert callbacks
        return answered

    assert soon(ask).status_code == 302
    assert Mail.objects.filter(kind="accounts.password_reset", status=Status.QUEUED).exists()


def test_one_waits_for_all_others(failing_redis: str, settings: Any) -> None:
    """A silent Redis costs a process its patience once in a pause, not at each question."""
    _, took = timed(lambda: [wake("notifications.sweep") or cache.get("x") for _ in range(200)])
    assert took < 5 * MOST_SECONDS_MORE  # 200 patiences are 20 s and more


def test_it_is_asked_again(settings: Any) -> None:
    """After a pause Redis counts again, in the process that missed it."""
    breaker = Breaker(pause=0.05)
    breaker.failed("cache", TimeoutError())
    assert not breaker.allows()
    time.sleep(0.06)
    assert breaker.allows()
    assert not breaker.allows(), "one tries, the others go on without"
    breaker.worked()
    assert breaker.allows()
