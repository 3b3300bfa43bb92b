"""The world of the browser tests, with the demo's mailbox open."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.mail import EmailMultiAlternatives
from django.db import connections
from pytest_django.live_server_helper import LiveServer

from tests.browser.world import World, make_world


@pytest.fixture(scope="session")
def live_server(django_db_setup: None) -> Iterator[LiveServer]:
    """pytest-django's, but WhiteNoise serves the static files as everywhere: there is no folder of collected ones.

    A thread that waits at a browser's open line keeps no connection, or the database could not be dropped at the end.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.test.testcases._StaticFilesHandler", lambda application: application)
        patch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)
        # one server for all tests: here the list of static files is worth it
        patch.setattr(django_settings, "WHITENOISE_AUTOREFRESH", False)
        server = LiveServer("127.0.0.1")
        yield server
        server.stop()


@pytest.fixture
def demo_mail(tmp_path: Path, settings: Any) -> None:
    """One mail in the demo's mailbox, with a text, an HTML part and an attachment."""
    settings.DEMO, settings.EMAIL_FILE_PATH = True, str(tmp_path)
    mail = EmailMultiAlternatives(
        "Your login", "Here it is:\nhttp://127.0.0.1/login/", to=["a@portal.example"]
    )
    mail.attach_alternative("<p>Here it is</p>", "text/html")
    mail.attach("certificate.pdf", b"%PDF-1.7", "application/pdf")
    source = mail.message().as_bytes()
    (tmp_path / "demo.log").write_bytes(source + b"\n" + b"-" * 79 + b"\n")


@pytest.fixture
def world(db: None, demo_mail: None) -> World:
    """Everything that a page can show; committed where the test has a server of its own."""
    return make_world()
