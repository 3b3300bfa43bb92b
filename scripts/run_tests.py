"""The whole suite: on SQLite always, then on PostgreSQL with Redis, Chromium and the HTML checker where found.

What had to be left out is said loudly; with REQUIRE_ALL=1 it is an error. With --fast only what is quick runs, on
SQLite. Other arguments go to pytest.
"""

import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import services

ROOT = Path(__file__).resolve().parent.parent
VNU_JAR = ROOT / "node_modules" / "vnu-jar" / "build" / "dist" / "vnu.jar"
VNU_VERSION = "26.9.27"


def find_program(names: list[str], packages: list[str]) -> str | None:
    """The path of the first of these programs that is there, after installing it where that may be done."""
    found = [path for name in names if (path := shutil.which(name))]
    if not found and services.apt_install(*packages):
        found = [path for name in names if (path := shutil.which(name))]
    return found[0] if found else None


def find_vnu() -> str | None:
    """The Nu HTML checker from npm's package; it needs a Java runtime."""
    java = find_program(["java"], ["default-jre-headless"])
    if java and not VNU_JAR.exists() and (npm := find_program(["npm"], ["nodejs", "npm"])):
        command = [
            npm,
            "install",
            "--silent",
            "--no-save",
            "--no-package-lock",
            "--prefix",
            ROOT,
            f"vnu-jar@{VNU_VERSION}",
        ]
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
    return str(VNU_JAR) if java and VNU_JAR.exists() else None


def find_all(stack: ExitStack) -> dict[str, str | None]:
    """What the tests use besides Python, by the environment variable that names it to them."""
    return {
        "TEST_DATABASE_URL": stack.enter_context(services.postgres_without_fsync()),
        "TEST_REDIS_SERVER": find_program(["redis-server"], ["redis-server"]),
        "TEST_CHROMIUM": os.environ.get("TEST_CHROMIUM")
        or find_program(["chromium", "chromium-browser"], ["chromium"]),
        "TEST_VNU_JAR": find_vnu(),
        "TEST_PDFTOTEXT": find_program(["pdftotext"], ["poppler-utils"]),
        "TEST_PGBOUNCER": find_program(["pgbouncer", "/usr/sbin/pgbouncer"], ["pgbouncer"]),
        "TEST_MSGFMT": find_program(["msgfmt"], ["gettext"]),
        "TEST_NGINX": find_program(["nginx", "/usr/sbin/nginx"], ["nginx-light"]),
        "TEST_PROMTOOL": find_program(["promtool"], ["prometheus"]),
        "TEST_SYSTEMD_ANALYZE": find_program(["systemd-analyze"], ["systemd"]),
    }


LEFT_OUT = {
    "TEST_DATABASE_URL": "no PostgreSQL (apt-get install postgresql): everything on PostgreSQL",
    "TEST_REDIS_SERVER": "no Redis (apt-get install redis-server): the tests on the running system",
    "TEST_CHROMIUM": "no Chromium (apt-get install chromium): the tests in a browser",
    "TEST_VNU_JAR": "no Java and npm (apt-get install default-jre-headless npm): the Nu HTML checker",
    "TEST_PDFTOTEXT": "no pdftotext (apt-get install poppler-utils): reading certificates back",
    "TEST_NGINX": "no nginx (apt-get install nginx-light): the portal behind the proxy of deploy/",
    "TEST_PROMTOOL": "no promtool (apt-get install prometheus): the alert rules of deploy/",
    "TEST_SYSTEMD_ANALYZE": "no systemd (apt-get install systemd): the units of deploy/",
    "TEST_PGBOUNCER": "no PgBouncer (apt-get install pgbouncer): the portal behind it",
    "TEST_MSGFMT": "no gettext (apt-get install gettext): the check of the translations",
}


def report_left_out(missing: list[str]) -> None:
    for name in missing:
        print(f"\n!!! LEFT OUT: {LEFT_OUT[name]}. !!!\n", flush=True)
    if missing and os.environ.get("REQUIRE_ALL") == "1":
        sys.exit("REQUIRE_ALL=1: nothing may be left out.")


WITHOUT_SERVERS = "not postgres and not live"


def pytest(environment: dict[str, str], *arguments: str) -> int:
    command = [sys.executable, "-m", "pytest", "-n", "2", *arguments, *sys.argv[1:]]
    return subprocess.run(command, check=False, cwd=ROOT, env=os.environ | environment).returncode


def server_environment(database_url: str) -> dict[str, str]:
    """The settings of a server; Celery's alarms stay in memory but where a test starts the real thing."""
    return {
        "DATABASE_URL": database_url,
        "SECRET_KEY": "only-for-tests-" + "x" * 50,
        "KEY_ENCRYPTION_KEY": "b25seS1mb3ItdGVzdHMtMzItYnl0ZXMtbG9uZy1rZXk=",
        "SITE_URL": "http://127.0.0.1:8000",
        "REDIS_URL": "memory://",
        "EMAIL_URL": "memorymail://",
        "MAIL_FROM": "Mx License Portal <licenses@portal.example>",
        "STATIC_MANIFEST": "0",
    }


def main() -> int:
    # without PYTHONDONTWRITEBYTECODE: each of some hundred processes would compile thousands of modules anew
    for name in ("DATABASE_URL", "REDIS_URL", "EMAIL_URL", "SITE_URL", "DEMO", "PYTHONDONTWRITEBYTECODE"):
        os.environ.pop(name, None)
    if sys.argv[1:2] == ["--fast"]:
        del sys.argv[1]
        return pytest({}, "-p", "tests.quick", "-m", f"{WITHOUT_SERVERS} and not browser and not slow")
    with ExitStack() as stack:
        found = find_all(stack)
        environment = {name: value for name, value in found.items() if value}
        report_left_out([name for name, value in found.items() if not value])
        database_url = found["TEST_DATABASE_URL"]
        print("\n=== On SQLite ===", flush=True)
        second = " and not browser" if database_url else ""
        covered = [] if sys.argv[1:] else ["-p", "tests.covered"]  # of a part of the tests it says nothing
        code = pytest(environment, *covered, "-m", f"{WITHOUT_SERVERS}{second}")
        if code or not database_url:
            return code
        print("\n=== On PostgreSQL, in the browser, and with everything running ===", flush=True)
        return pytest(environment | server_environment(database_url), "-m", "not once", "--dist", "loadgroup")


if __name__ == "__main__":
    sys.exit(main())
