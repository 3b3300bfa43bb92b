"""An outage of the database is 503, says when to come again, and loses nothing of what somebody typed."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.backends.base import UpdateError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection
from django.http import HttpResponse
from django.test import Client

from entitlements.models import LineItem, Movement
from tests.entitlements.api.client import assert_problem, program_of
from tests.entitlements.pages import client_of, html_of
from tests.entitlements.splits.split_pages import address, typed
from tests.factories import Cast, issue_item, make_cast
from tests.live import ROOT
from tests.read_only import read_only
from tests.test_embedded import environment
from tests.test_settings import SERVER

ASK = """
import sys, time, json, django
django.setup()
from django.test import Client
client = Client(raise_request_exception=False)
client.cookies["sessionid"] = "abcdefghijklmnop"
for path in ("/", "/api/v1/revocations", "/login/"):
    started = time.monotonic()
    answer = client.get(path, headers={"host": "licenses.example.com"}, secure=True)
    seconds = time.monotonic() - started
    print(json.dumps([answer.status_code, answer.get("Retry-After"), answer["Content-Type"], seconds]))
"""


@contextmanager
def outage() -> Iterator[None]:
    """Every query of this connection fails as it does where the server has gone away."""

    def gone(*args: Any) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    with connection.execute_wrapper(gone):
        yield


def quiet(client: Client) -> Client:
    """It gets the answer that a browser gets, and not the exception."""
    client.raise_request_exception = False
    return client


def assert_unavailable(response: HttpResponse) -> str:
    """503 with what a browser needs. Returns the page."""
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert "no-store" in response.headers["Cache-Control"]
    return unescape(html_of(response))


def test_a_page_says_so_in_both_languages(cast: Cast) -> None:
    client = quiet(client_of(cast.installer))
    with outage():
        page = assert_unavailable(client.get("/entitlements/?q=x", headers={"Accept-Language": "de"}))
    assert "Das Portal ist gerade nicht verfügbar" in page
    assert "The portal cannot reach its database." in page
    assert page.index("Das Portal erreicht") < page.index("The portal cannot reach")
    assert 'href="/entitlements/?q=x"' in page


def test_what_was_typed_is_kept_on_the_page(cast: Cast, item: LineItem) -> None:
    """E7: it can be sent again from there, and is done once."""
    client = quiet(client_of(cast.distributor))
    form = typed(cast, order_number='PO-"77" <b>\n', step="complete")
    with outage():
        page = assert_unavailable(client.post(address(item), form))
    assert f'action="{address(item)}"' in page
    for name, value in form.items():
        assert f'name="{name}" hidden>\n{value}</textarea>' in page
    assert "<b>" not in html_of(client.get("/")), "and escaped"
    before = Movement.objects.count()
    assert client.post(address(item), form | {"order_number": "PO-77"}).status_code == 302
    assert Movement.objects.count() > before


def test_passwords_and_files_are_not_kept(cast: Cast) -> None:
    """U4: a password is typed anew; a file is chosen anew."""
    client, browser = quiet(Client()), quiet(client_of(cast.installer))
    with outage():
        page = assert_unavailable(client.post("/login/", {"login": "a@b.example", "password": "Sesam-1234"}))
        assert "Sesam" not in page
        assert "<form" not in page
        form = {"note": "mine", "file": SimpleUploadedFile("lines.csv", b"secret line")}
        page = assert_unavailable(browser.post("/bulk-splits/new/", form))
    assert "mine" in page
    assert "secret line" not in page
    assert "Files must be chosen again." in page


def test_another_sites_form_is_not_kept(cast: Cast) -> None:
    """Else one click on our page would send it with our token."""
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    with outage():
        response = client.post("/verify/", {"code": "theirs"})
    assert response.status_code == 403
    assert "theirs" not in html_of(response)


def test_programs_get_a_problem(cast: Cast) -> None:
    """P1: with a stable type, in their language, and the time to wait."""
    sent = {"Authorization": f"Bearer {program_of(cast.installer).secret}", "Accept-Language": "de"}
    client = quiet(Client())
    with outage():
        for path in ("/items", "/revocations", "/products"):
            answer = client.get(f"/api/v1{path}", headers=sent)
            problem = assert_problem(answer, 503, "unavailable")
            assert int(answer.headers["Retry-After"]) > 0
            assert problem["detail"].startswith("Das Portal erreicht seine Datenbank nicht.")


@pytest.mark.django_db(transaction=True)
def test_a_draft_while_the_database_takes_no_writes() -> None:
    """O2: a form that is not complete writes nothing but its draft, in the session; that fails as any write does."""
    cast = make_cast()
    client = quiet(client_of(cast.mobotix))
    with read_only():
        page = assert_unavailable(
            client.post("/entitlements/new/", {"step": "save", "order_number": "PO-77"})
        )
    assert "PO-77" in page
    assert client.get("/").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_session_that_is_over_is_no_outage() -> None:
    """Logged out meanwhile in another tab, as before."""
    cast = make_cast()
    client = quiet(client_of(cast.mobotix))
    store = client.session
    store["a"] = 1
    store.delete()
    with pytest.raises(UpdateError):
        store.save()


@pytest.mark.django_db(transaction=True)
def test_a_write_while_the_database_takes_none() -> None:
    """A standby, or a disk that is full: what was typed is kept, too."""
    cast = make_cast()
    item = issue_item(cast)
    client = quiet(client_of(cast.distributor))
    form = typed(cast, step="complete")
    with read_only():
        assert "PO-77" in assert_unavailable(client.post(address(item), form))
    assert client.post(address(item), form).status_code == 302


def test_a_fault_of_ours_stays_one(cast: Cast, item: LineItem) -> None:
    """500: to come again would not help."""

    def wrong(*args: Any) -> None:
        raise ZeroDivisionError

    client = quiet(client_of(cast.installer))
    with connection.execute_wrapper(wrong):
        assert client.get("/entitlements/").status_code == 500


def asked(directory: Path, database_url: str, **more: str) -> list[list[Any]]:
    """What a portal with this database answers to page, API and log-in page: status, Retry-After, type, seconds."""
    settings = SERVER | {"DATABASE_URL": database_url, "DJANGO_SETTINGS_MODULE": "mxportal.settings"} | more
    settings["STATIC_MANIFEST"] = "0"
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        check=True,
        cwd=ROOT,
        env=environment(directory, **settings, LOG_LEVEL="CRITICAL"),
        capture_output=True,
        text=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.slow
def test_a_database_that_refuses(tmp_path: Path) -> None:
    """Nobody listens."""
    page, api, login = asked(tmp_path, "postgres://portal@127.0.0.1:1/portal")
    assert page[0] == api[0] == 503
    assert int(page[1]) > 0
    assert int(api[1]) > 0
    assert api[2] == "application/problem+json"
    assert login[0] in (200, 503)


@pytest.mark.slow
def test_a_database_that_hangs(tmp_path: Path) -> None:
    """It accepts, and says nothing: nobody waits longer than DATABASE_CONNECT_SECONDS."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(50)
        url = f"postgres://portal@127.0.0.1:{silent.getsockname()[1]}/portal"
        started = time.monotonic()
        page, api, __ = asked(tmp_path, url, DATABASE_CONNECT_SECONDS="2")
    assert page[0] == api[0] == 503
    assert page[3] < 5
    assert api[3] < 5
    assert time.monotonic() - started < 40
