"""`make bench`: one line `name value unit` for each figure on stdout, the progress on stderr.

BENCH_ITEMS (1,000,000) is how many line items; fewer are for trying it out, with one round of each.
"""

import os
import signal
import sys
from contextlib import ExitStack, redirect_stdout
from typing import TextIO

import django
from django.conf import settings

from scripts.services import postgres, redis
from tests.bench.clock import IS_TRIAL, ITEMS, say


def main() -> int:
    """All figures, in a database of this run; without PostgreSQL there is nothing to compare with."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the database goes then, too
    out = sys.stdout
    with redirect_stdout(sys.stderr), ExitStack() as stack:
        server_url = stack.enter_context(postgres())
        if server_url is None:
            say("no PostgreSQL (apt-get install postgresql)")
            return 1
        redis_url = stack.enter_context(redis())
        measure(stack, server_url, redis_url or "memory://", out)
    return 0


def measure(stack: ExitStack, server_url: str, redis_url: str, out: TextIO) -> None:
    """The portal is configured by its environment: nothing of it is imported before that is complete."""
    from tests.bench.database import migrate, scratch_database, seed

    database_url = stack.enter_context(scratch_database(server_url))
    os.environ |= server_environment(database_url, redis_url)
    configure()
    stack.callback(close_connections)
    migrate()
    seed(ITEMS)
    from tests.bench.figures import figures

    for figure in figures():
        print(figure, file=out, flush=True)
        if figure.is_missed and not IS_TRIAL:
            say(f"{figure.name} misses its target of {figure.target}")


def server_environment(database_url: str, redis_url: str) -> dict[str, str]:
    """A server's settings, but for the names of static files with a hash, which want a collectstatic."""
    return {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "EMAIL_URL": "dummymail://",
        "SITE_URL": "http://127.0.0.1:8000",
        "SECRET_KEY": "only-for-the-bench-" + "x" * 50,
        "KEY_ENCRYPTION_KEY": "b25seS1mb3ItdGVzdHMtMzItYnl0ZXMtbG9uZy1rZXk=",
        "MAIL_FROM": "licenses@portal.example",
        "STATIC_MANIFEST": "0",
        "LOG_LEVEL": "WARNING",
    }


def configure() -> None:
    """The portal's settings, and Django's admin beside it to compare with."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "mxportal.settings"
    settings.INSTALLED_APPS.append("django.contrib.admin")
    settings.ROOT_URLCONF = "tests.bench.urls"
    django.setup()


def close_connections() -> None:
    """Before the database is dropped."""
    from django.db import connections

    connections.close_all()


if __name__ == "__main__":
    sys.exit(main())
