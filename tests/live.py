"""The real thing for tests: web server, workers and beat as processes of their own, on PostgreSQL, Redis and SMTP."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.db import connection

from scripts.services import free_port, redis, wait_for_port
from tests.roles import APPLICATION
from tests.smtp import MailServer

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent


@dataclass
class Portal:
    """Where it answers, and what it has mailed."""

    url: str
    mails: MailServer
    environment: dict[str, str]


def login() -> str:
    """The address of the database server, as who made the test database."""
    db = connection.settings_dict
    user = f"{db['USER']}:{db['PASSWORD']}" if db["PASSWORD"] else db["USER"]
    return f"postgres://{user}@{db['HOST']}:{db['PORT'] or 5432}"


def database_url() -> str:
    """The address of the database that this test run made; the portal gets the application's rights only (E11)."""
    options = quote(f"-c role={APPLICATION}")
    return f"{login()}/{connection.settings_dict['NAME']}?options={options}"


def server_environment(*, port: int, redis_url: str, mail_port: int, var_dir: Path) -> dict[str, str]:
    return os.environ | {
        "DATABASE_URL": database_url(),
        "REDIS_URL": redis_url,
        "EMAIL_URL": f"smtp://127.0.0.1:{mail_port}",
        "SITE_URL": f"http://127.0.0.1:{port}",
        "PORT": str(port),
        "METRICS_PORT": str(free_port()),
        "WORKER_METRICS_PORT": str(free_port()),
        "MAILS_METRICS_PORT": str(free_port()),  # given to the worker for mails as its WORKER_METRICS_PORT
        "VAR_DIR": str(var_dir),
        "SECRET_KEY": settings.SECRET_KEY,
        "KEY_ENCRYPTION_KEY": settings.KEY_ENCRYPTION_KEY,
        "MAIL_FROM": settings.MAIL_FROM,
        "STATIC_MANIFEST": "0",
        "WEB_CONCURRENCY": "1",
        "PYTHONUNBUFFERED": "1",
    }


@contextmanager
def process(
    *command: str | Path, environment: dict[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        started = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            yield started
        finally:
            started.terminate()
            try:
                started.wait(15)
            except subprocess.TimeoutExpired:
                started.kill()
                started.wait()


@contextmanager
def running_portal(directory: Path, mails: MailServer | None = None) -> Iterator[Portal]:
    """All of it, until the block ends. The processes' logs lie in the directory."""
    with ExitStack() as stack:
        redis_url = stack.enter_context(redis())
        mails = stack.enter_context(mails or MailServer())
        port = free_port()
        assert redis_url, "run_tests.py leaves these tests out where there is no Redis"
        environment = server_environment(
            port=port, redis_url=redis_url, mail_port=mails.port, var_dir=directory
        )
        celery = [BIN / "celery", "-A", "mxportal"]
        for name, command in {
            "web": [BIN / "gunicorn", "-c", "python:mxportal.gunicorn_conf", "mxportal.wsgi"],
            "worker": [*celery, "worker", "-Q", "celery", "--concurrency", "1"],
            "mails": [*celery, "worker", "-Q", "mails", "--concurrency", "1", "-n", "mails@%h"],
            "beat": [*celery, "beat"],
        }.items():
            own = {"WORKER_METRICS_PORT": environment["MAILS_METRICS_PORT"]} if name == "mails" else {}
            stack.enter_context(
                process(*command, environment=environment | own, log=directory / f"{name}.log")
            )
        wait_for_port(port)
        yield Portal(url=f"http://127.0.0.1:{port}", mails=mails, environment=environment)
