"""Q1: nobody sends more than the page takes; nothing of it is read, parsed or stored."""

import io

import pytest
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.test import Client
from django.urls import reverse

from entitlements.models import LineItem
from mxportal.bodies import most_bytes
from tests.entitlements.pages import client_of, html_of
from tests.factories import Cast

OPEN_TO_ALL = ["/login/", "/verify/", "/activate/", "/password/reset/", "/language/", "/nowhere/"]
HUGE = 150 * 1024 * 1024
MULTIPART = "multipart/form-data; boundary=x"


class Unread(io.BytesIO):
    """A body of which nobody may read."""

    def read(self, *args: object) -> bytes:
        raise AssertionError("The body was read.")

    readline = read  # type: ignore[assignment]


def send(client: Client, path: str, length: int | str = HUGE, **extra: str) -> object:
    environ = {"wsgi.input": Unread(), "CONTENT_LENGTH": str(length), **extra}
    return client.generic("POST", path, content_type=MULTIPART, **environ)


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("path", OPEN_TO_ALL)
def test_huge_bodies_are_refused_unread(db: None, client: Client, path: str, language: str) -> None:
    """Q1: before CSRF, before the limit's own read, in both languages, and kept by no cache."""
    response = send(client, path, HTTP_ACCEPT_LANGUAGE=language)
    assert response.status_code == 413
    assert {"en": "Too large", "de": "Zu groß"}[language] in html_of(response)
    assert "no-store" in response["Cache-Control"]


def test_nothing_is_stored(db: None, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Q1: no upload handler hears of a file that is too large for its page."""

    def begun(*args: object, **kwargs: object) -> None:
        raise AssertionError("A file was begun.")

    monkeypatch.setattr(TemporaryFileUploadHandler, "new_file", begun)
    file = io.BytesIO(b"x" * (4 * 1024 * 1024))
    file.name = "x.bin"
    assert client.post("/login/", {"file": file}).status_code == 413


@pytest.mark.parametrize("length", ["-1", "1e9", "٣", "9" * 5000, "70000"])
def test_odd_lengths(db: None, client: Client, length: str) -> None:
    assert send(client, "/login/", length).status_code == 413


def test_a_body_without_a_length(db: None, client: Client) -> None:
    """Q1: chunked, so nobody knows where it ends."""
    response = send(client, "/login/", 0, HTTP_TRANSFER_ENCODING="chunked")
    assert response.status_code == 411
    assert "Nothing was received" in response.content.decode()
    assert "Too large" not in response.content.decode()


def test_pages_with_files_take_files(db: None) -> None:
    """Q1: as large as their forms say, and nothing else does."""
    megabyte = 1024 * 1024
    assert most_bytes("/verify/") >= 10 * megabyte
    assert most_bytes(reverse("bulk_split_create")) >= 5 * megabyte
    assert most_bytes(reverse("line_item_activate_many", args=[1])) >= 5 * megabyte
    assert most_bytes("/activate/") < megabyte / 4
    assert most_bytes("/login/") < megabyte / 4
    assert most_bytes(reverse("home")) == megabyte


def test_usual_forms_pass(cast: Cast, item: LineItem) -> None:
    """Q1: a form with a thousand lines of text is no attack."""
    response = client_of(cast.distributor).post(reverse("bulk_split_create"), {"text": "a;b;c\n" * 100_000})
    assert response.status_code != 413


def test_the_api_says_it_in_its_own_form(db: None, client: Client) -> None:
    """P1: as a problem."""
    for length, extra, status in ((HUGE, {}, 413), (0, {"HTTP_TRANSFER_ENCODING": "chunked"}, 411)):
        response = send(client, "/api/v1/items", length, **extra)
        assert (response.status_code, response["Content-Type"]) == (status, "application/problem+json")
