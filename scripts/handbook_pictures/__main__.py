"""`make handbook`: the demo's pages in Chromium, and their labels; the PDF files in var/handbook."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.services import apt_install, free_port, wait_for_port

ROOT = Path(__file__).resolve().parent.parent.parent
EMBEDDED = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "EMAIL_URL", "SITE_URL")
SECONDS_FOR_MAILS = 60


def set_up(directory: str) -> None:
    """An embedded portal in a directory of its own, with the demo's data."""
    os.environ.update(dict.fromkeys(EMBEDDED, ""))
    os.environ |= {
        "VAR_DIR": directory,
        "DEMO": "1",
        "PORT": str(free_port()),
        "LOG_LEVEL": "WARNING",
        "DJANGO_SETTINGS_MODULE": "mxportal.settings",
        "DJANGO_ALLOW_ASYNC_UNSAFE": "1",  # Playwright's loop is no async code of ours
    }
    import django

    django.setup()
    from django.core.management import call_command

    from scripts.handbook_pictures.pictures import make_scenes

    call_command("migrate", verbosity=0, interactive=False)
    make_scenes()


def write_labels() -> None:
    """What each page calls its parts, in both languages. Before the server runs, so that no mail has been sent yet."""
    from scripts.handbook_pictures.pictures import write_labels

    write_labels()


@contextmanager
def serving() -> Iterator[str]:
    """The portal, until the block ends; its address."""
    command = [
        Path(sys.executable).parent / "gunicorn",
        "-c",
        "python:mxportal.gunicorn_conf",
        "mxportal.wsgi",
    ]
    with subprocess.Popen(command, cwd=ROOT) as server:
        try:
            wait_for_port(int(os.environ["PORT"]))
            wait_for_mails()
            yield f"http://127.0.0.1:{os.environ['PORT']}"
        finally:
            server.terminate()


def wait_for_mails() -> None:
    """Until all are sent, as readers will mostly see them."""
    from notifications.models import Mail, Status

    end = time.monotonic() + SECONDS_FOR_MAILS
    while Mail.objects.filter(status=Status.QUEUED).exists() and time.monotonic() < end:
        time.sleep(0.5)


def write_pdfs() -> None:
    """One for each audience and language."""
    from handbook.contents import VOLUMES
    from handbook.documents import LANGUAGES
    from handbook.paper import pdf_name, volume_pdf

    folder = ROOT / "var" / "handbook"
    folder.mkdir(parents=True, exist_ok=True)
    for audience in VOLUMES:
        for language in LANGUAGES:
            (folder / pdf_name(audience, language)).write_bytes(volume_pdf(audience, language))
            print(folder / pdf_name(audience, language))


def chromium() -> str:
    """Debian's, installed where that is possible."""
    found = os.environ.get("TEST_CHROMIUM") or shutil.which("chromium")
    if not found and apt_install("chromium"):
        found = shutil.which("chromium")
    if not found:
        sys.exit("Chromium is needed: apt-get install chromium")
    return found


def main() -> None:
    browser = chromium()
    with tempfile.TemporaryDirectory() as directory:
        set_up(directory)
        write_labels()
        from scripts.handbook_pictures.camera import take_pictures

        with serving() as url:
            take_pictures(url, browser)
        write_pdfs()


if __name__ == "__main__":
    main()
