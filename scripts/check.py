"""All that can be said about the sources without running the portal. Prints one line for each check, and all faults."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
PYTHON = sys.executable
EMBEDDED = dict.fromkeys(
    ("DATABASE_URL", "REDIS_URL", "EMAIL_URL", "SECRET_KEY", "KEY_ENCRYPTION_KEY", "SITE_URL"), ""
)
PRODUCTION = {
    "DATABASE_URL": "postgres://portal@127.0.0.1:1/portal",
    "SECRET_KEY": "0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "KEY_ENCRYPTION_KEY": "b25seS1mb3ItdGVzdHMtMzItYnl0ZXMtbG9uZy1rZXk=",
    "SITE_URL": "https://licenses.example.com",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "EMAIL_URL": "smtp+tls://127.0.0.1:587",
    "MAIL_FROM": "Mx License Portal <licenses@example.com>",
    "TRUSTED_PROXIES": "1",
}


def tracked_templates() -> list[str]:
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "templates/*.html"]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    return [name for name in names if (ROOT / name).exists()]


CHECKS: list[tuple[str, list[str | Path], dict[str, str]]] = [
    ("types", [PYTHON, "-m", "mypy"], EMBEDDED),
    ("style", [PYTHON, "-m", "ruff", "check", "."], EMBEDDED),
    ("format", [PYTHON, "-m", "ruff", "format", "--check", "."], EMBEDDED),
    ("layers", [BIN / "lint-imports", "--no-cache"], EMBEDDED),
    ("pictures", [PYTHON, "scripts/draw_architecture.py", "--check"], EMBEDDED),
    ("templates", [BIN / "djade", "--target-version", "5.2", "--check", *tracked_templates()], EMBEDDED),
    ("migrations", [PYTHON, "manage.py", "makemigrations", "--check", "--dry-run"], EMBEDDED),
    ("translations", [PYTHON, "scripts/check_translations.py"], EMBEDDED),
    ("terms", [PYTHON, "scripts/check_terms.py"], EMBEDDED),
    (
        "deployment",
        [PYTHON, "-W", "error", "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        PRODUCTION,
    ),
    ("embedded", [PYTHON, "-W", "error", "manage.py", "check", "--fail-level", "WARNING"], EMBEDDED),
]


def run(check: tuple[str, list[str | Path], dict[str, str]]) -> tuple[str, int, str, float]:
    name, command, environment = check
    start = time.monotonic()
    done = subprocess.run(
        command, check=False, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True
    )
    return name, done.returncode, done.stdout + done.stderr, time.monotonic() - start


def main() -> int:
    failed = 0
    with ThreadPoolExecutor(2) as pool:
        for name, code, output, seconds in pool.map(run, CHECKS):
            print(f"{'ok    ' if code == 0 else 'FAILED'} {name} ({seconds:.1f} s)", flush=True)
            failed += code != 0
            if code:
                print(output, flush=True)
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
