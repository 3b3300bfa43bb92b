"""Infrastructure of all tests: databases, warnings and sockets, the mail server, Chromium, the running portal.

Warnings are errors and only this machine can be reached (pyproject.toml). Databases are real, and a run has its own.
"""

import gc
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import time_machine
from django.conf import settings as django_settings
from django.core.cache import cache
from django.db import connections
from django.utils import timezone, translation
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from entitlements.ledger import triggers
from entitlements.models import LineItem
from mxportal.maintenance import mode as maintenance_mode
from mxportal.shared.breaker import redis_breaker
from mxportal.shared.readiness import readiness
from tests import roles
from tests.factories import Cast, Chain, issue_item, make_cast, make_chain
from tests.following import FollowingClient
from tests.live import Portal, running_portal
from tests.smtp import MailServer

if TYPE_CHECKING:
    from playwright.sync_api import Browser

REQUIRE_ALL = os.environ.get("REQUIRE_ALL") == "1"
CHROMIUM = os.environ.get("TEST_CHROMIUM") or shutil.which("chromium") or ""


def pytest_configure(config: pytest.Config) -> None:
    """Set what makes tests cheap: a fast hash before Argon2, which costs 100 ms a login, and no list of static files.

    WhiteNoise lists them when its middleware is made, which is for each `Client()`. Playwright's loop is no async code.
    """
    django_settings.WHITENOISE_AUTOREFRESH = True
    django_settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.MD5PasswordHasher",
        *django_settings.PASSWORD_HASHERS,
    ]
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    # How long an example takes depends on what else the machine does; no property is about that.
    hypothesis_settings.register_profile(
        "portal", deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    hypothesis_settings.load_profile("portal")


# --- What a test needs, and what happens where it is missing ----------------------------------------------------------


def pytest_runtest_setup(item: pytest.Item) -> None:
    on_postgres = django_settings.DATABASES["default"]["ENGINE"].endswith("postgresql")
    if (item.get_closest_marker("postgres") or item.get_closest_marker("live")) and not on_postgres:
        pytest.skip("needs PostgreSQL: set DATABASE_URL and what belongs to it, or use make test")
    if (item.get_closest_marker("browser") or item.get_closest_marker("live")) and not CHROMIUM:
        pytest.skip("needs Chromium: apt-get install chromium")
    if item.get_closest_marker("live") and not shutil.which("redis-server"):
        pytest.skip("needs Redis: apt-get install redis-server")


def pytest_collection_finish() -> None:
    """Let the garbage collector leave alone what stays for the whole run: a quarter of a test's time went there."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def pytest_itemcollected(item: pytest.Item) -> None:
    """What `make test` runs on SQLite alone uses no database, or says why it proves the same on either."""
    once = item.get_closest_marker("once")
    uses_one = item.get_closest_marker("django_db") or {"db", "transactional_db"} & set(item.fixturenames)
    if once and not once.args and uses_one:
        raise pytest.UsageError(f"{item.nodeid} uses the database: it must run on both, or say once('why').")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """With REQUIRE_ALL=1 a skipped test is a failure: nothing may be left out unseen."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if REQUIRE_ALL and reporter and reporter.stats.get("skipped"):
        reporter.write_line("REQUIRE_ALL=1, but tests were skipped.", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture
def client() -> FollowingClient:
    """pytest-django's, but it goes on to the page of a draft."""
    return FollowingClient()


# --- Who and what most tests begin with -------------------------------------------------------------------------------


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


@pytest.fixture
def chain(cast: Cast) -> Chain:
    """100 copies issued, 40 of them split to the installer, which has 35 left, and 5 of these to the end customer."""
    return make_chain(cast)


@pytest.fixture
def item(cast: Cast) -> LineItem:
    """100 copies that MOBOTIX issued to the distributor."""
    return issue_item(cast)


# --- Databases --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A database of this run alone: a file for SQLite, since threads share no database in memory."""
    db = connections["default"].settings_dict
    if connections["default"].vendor == "sqlite":
        db["TEST"]["NAME"] = str(tmp_path_factory.mktemp("db") / "test.sqlite3")
    else:
        db["TEST"]["NAME"] = f"test_portal_{os.getpid()}"


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """E11: the tables are made, and from here on tests have the rights of the application only."""
    with django_db_blocker.unblock():
        roles.separate()
    yield
    with django_db_blocker.unblock():
        roles.unite()


@pytest.fixture(scope="session", autouse=True)
def _flush_without_triggers() -> Iterator[None]:
    """The append-only triggers refuse the flush after a test that commits: they go, and post_migrate restores them."""
    operations = type(connections["default"].ops)
    flush = operations.execute_sql_flush

    def drop_and_flush(self: Any, sql_list: list[str]) -> None:
        roles.become_owner(self.connection)  # until post_migrate
        triggers.drop(self.connection)
        flush(self, sql_list)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(operations, "execute_sql_flush", drop_and_flush)
        yield


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    """Limits count in the cache, a Redis that failed is left alone for a while, /readyz keeps its answer."""
    redis_breaker.reset()
    cache.clear()
    readiness.forget()
    maintenance_mode.fresh = float("inf")  # no query within the test, unless it is about maintenance
    maintenance_mode.assume(None)


@pytest.fixture
def within_a_minute() -> Iterator[None]:
    """The clock stands: no minute begins between two requests that a limit counts together."""
    with time_machine.travel(timezone.now(), tick=False):
        yield


@pytest.fixture(autouse=True)
def _own_language() -> None:
    """A page in another language leaves it behind in the thread that the test asks in."""
    translation.deactivate()


# --- Mail, browser, the running portal --------------------------------------------------------------------------------


@pytest.fixture
def mail_server(settings: Any) -> Iterator[MailServer]:
    """A real SMTP server, which Django sends to."""
    with MailServer() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        yield server


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """Debian's Chromium, driven by Playwright.

    While its loop runs, Django takes other connections than before; all are closed, so that it can drop the database.
    """
    from playwright.sync_api import sync_playwright

    connections.close_all()
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.getuid() == 0 else []
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield chromium
        connections.close_all()
        chromium.close()


@pytest.fixture
def running(transactional_db: None, tmp_path: Path) -> Iterator[Portal]:
    """The portal as a server, with worker, beat, Redis and SMTP, on this test's database."""
    with running_portal(tmp_path) as portal:
        yield portal
