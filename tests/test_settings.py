"""The one settings file: the embedded default needs nothing, a server says all that it lacks."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parent.parent
SERVER = {
    "DATABASE_URL": "postgres://portal@127.0.0.1:1/portal",
    "SECRET_KEY": "x" * 60,
    "KEY_ENCRYPTION_KEY": "b25seS1mb3ItdGVzdHMtMzItYnl0ZXMtbG9uZy1rZXk=",
    "SITE_URL": "https://licenses.example.com",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "EMAIL_URL": "smtp+tls://127.0.0.1:587",
    "MAIL_FROM": "licenses@example.com",
}
PRINT = """
import json
from mxportal import settings
print(json.dumps({name: getattr(settings, name, None) for name in %r}, default=str))
"""


def load(
    directory: Path, environment: dict[str, str], *names: str
) -> tuple[dict[str, object], subprocess.CompletedProcess[str]]:
    """The values of these settings in a process with this environment alone, and that process."""
    done = subprocess.run(
        [sys.executable, "-c", PRINT % (list(names),)],
        check=False,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "VAR_DIR": str(directory)} | environment,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout or "{}"), done


@pytest.mark.slow
def test_embedded_default_needs_nothing(tmp_path: Path) -> None:
    values, _ = load(tmp_path, {}, "DATABASES", "EMBEDDED_WORKER", "EMAIL_FILE_PATH", "SITE_URL", "DEMO")
    assert values["DATABASES"]["default"]["OPTIONS"]["transaction_mode"] == "IMMEDIATE"  # type: ignore[index]
    assert values["EMBEDDED_WORKER"] is True
    assert values["EMAIL_FILE_PATH"] == str(tmp_path / "mail")
    assert values["SITE_URL"] == "http://127.0.0.1:8000"
    assert values["DEMO"] is False


@pytest.mark.slow
@pytest.mark.parametrize(("name", "length"), [("SECRET_KEY", 50), ("KEY_ENCRYPTION_KEY", 44)])
def test_embedded_default_keeps_its_keys_to_its_owner(tmp_path: Path, name: str, length: int) -> None:
    first, _ = load(tmp_path, {}, name)
    second, _ = load(tmp_path, {}, name)
    assert first == second
    assert len(str(first[name])) >= length
    assert (tmp_path / name.lower()).stat().st_mode & 0o777 == 0o600


@pytest.mark.slow
def test_key_encryption_key_must_be_one(tmp_path: Path) -> None:
    """L6: said at start, not at the first signature."""
    _, done = load(tmp_path, SERVER | {"KEY_ENCRYPTION_KEY": "secret"}, "SITE_URL")
    assert "KEY_ENCRYPTION_KEY must be 32 random bytes" in done.stderr.strip().splitlines()[-1]


@pytest.mark.slow
def test_several_key_encryption_keys(tmp_path: Path) -> None:
    """L6: the newest first; one that is none is refused wherever it stands."""
    one = SERVER["KEY_ENCRYPTION_KEY"]
    values, _ = load(tmp_path, SERVER | {"KEY_ENCRYPTION_KEY": f"{one}, {one}"}, "KEY_ENCRYPTION_KEY")
    assert values["KEY_ENCRYPTION_KEY"] == f"{one},{one}"
    _, done = load(tmp_path, SERVER | {"KEY_ENCRYPTION_KEY": f"{one},old"}, "SITE_URL")
    assert "KEY_ENCRYPTION_KEY must be 32 random bytes" in done.stderr.strip().splitlines()[-1]


def test_server_names_all_that_is_missing(tmp_path: Path) -> None:
    _, done = load(tmp_path, {"DATABASE_URL": SERVER["DATABASE_URL"], "REDIS_URL": ""}, "DATABASES")
    sentence = done.stderr.strip().splitlines()[-1]
    assert "SECRET_KEY, KEY_ENCRYPTION_KEY, SITE_URL, REDIS_URL, EMAIL_URL, MAIL_FROM" in sentence


@pytest.mark.slow
def test_site_url_must_be_one(tmp_path: Path) -> None:
    _, done = load(tmp_path, SERVER | {"SITE_URL": "licenses.example.com"}, "SITE_URL")
    assert "SITE_URL must look like https://" in done.stderr.strip().splitlines()[-1]


@pytest.mark.slow
def test_server_behind_https(tmp_path: Path) -> None:
    names = ["ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", "SESSION_COOKIE_SECURE", "SECURE_HSTS_SECONDS"]
    values, _ = load(tmp_path, SERVER, *names)
    assert values == {
        "ALLOWED_HOSTS": ["licenses.example.com"],
        "CSRF_TRUSTED_ORIGINS": ["https://licenses.example.com"],
        "SESSION_COOKIE_SECURE": True,
        "SECURE_HSTS_SECONDS": 31_536_000,
    }


@pytest.mark.parametrize(("proxies", "header"), [("0", None), ("1", ["HTTP_X_FORWARDED_PROTO", "https"])])
def test_forwarded_headers_count_only_behind_a_proxy_of_ours(
    tmp_path: Path, proxies: str, header: list[str] | None
) -> None:
    values, _ = load(tmp_path, SERVER | {"TRUSTED_PROXIES": proxies}, "SECURE_PROXY_SSL_HEADER")
    assert values["SECURE_PROXY_SSL_HEADER"] == header


@pytest.mark.slow
def test_alarms_outlive_a_killed_worker(tmp_path: Path) -> None:
    """N1: late acknowledgement, reject on loss, and the short visibility timeout in all three places."""
    names = [
        "CELERY_TASK_ACKS_LATE",
        "CELERY_TASK_REJECT_ON_WORKER_LOST",
        "CELERY_VISIBILITY_TIMEOUT",
        "CELERY_BROKER_TRANSPORT_OPTIONS",
        "CELERY_RESULT_BACKEND_TRANSPORT_OPTIONS",
    ]
    values, _ = load(tmp_path, SERVER, *names)
    short = {"visibility_timeout": 180}
    assert list(values.values()) == [True, True, 180, short, short]
