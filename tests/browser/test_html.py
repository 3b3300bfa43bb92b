"""Every page is valid HTML, by the Nu HTML checker; and no route is left out of the list of pages."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.test import Client
from django.urls import URLResolver, get_resolver

from tests.browser.visit import NOBODY, Visit
from tests.browser.visits import NO_PAGE, TEMPLATES, visits
from tests.browser.world import World
from tests.following import FollowingClient

pytestmark = [
    pytest.mark.xdist_group("html"),
    pytest.mark.once("the HTML is the same; test_each_page.py opens the pages on PostgreSQL"),
]


def routes(resolver: URLResolver | None = None) -> Iterator[str]:
    """The name of every URL; the API has no pages but its description."""
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLResolver):
            yield from routes(entry)
        elif not hasattr(entry.callback, "of_api"):
            yield str(entry.name)


def test_no_route_is_left_out(world: World) -> None:
    """A new page comes into the list of pages, or it is said why it is none."""
    visited = {visit.route for visit in visits(world)} - {""}
    assert set(routes()) - visited - set(NO_PAGE) == set()
    assert (visited | set(NO_PAGE)) - set(routes()) == set(), "stale entries"
    assert visited & set(NO_PAGE) == set(), "both a page and none"


def fetch(client: Client, visit: Visit) -> HttpResponse:
    """The page, after the redirects that lead to it."""
    if visit.post is None:
        return client.get(visit.path, follow=True)
    return client.post(visit.action or visit.path, {"key": "k" * 20} | visit.post)


FOUND: dict[str, str] = {}


def collect(world: World) -> dict[str, str]:
    """The HTML of every page."""
    clients = {name: FollowingClient(raise_request_exception=False) for name in (NOBODY, *world.readers)}
    for name, user in world.readers.items():
        clients[name].force_login(user)
    responses = {visit: fetch(clients[visit.reader], visit) for visit in visits(world)}
    wrong = {
        str(visit): page.status_code for visit, page in responses.items() if page.status_code != visit.status
    }
    assert wrong == {}
    found = {str(visit): page.content.decode() for visit, page in responses.items()}
    return found | {name: render_to_string(name) for name in TEMPLATES}


@pytest.fixture
def pages(request: pytest.FixtureRequest) -> dict[str, str]:
    """Fetched once for all tests of this module."""
    if not FOUND:
        FOUND.update(collect(request.getfixturevalue("world")))
    return FOUND


def check(files: list[Path], jar: str) -> list[dict[str, object]]:
    """What the checker finds wrong, in one run of Java."""
    command = [
        "java",
        "-jar",
        jar,
        "--errors-only",
        "--format",
        "json",
        "--exit-zero-always",
        *map(str, files),
    ]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(run.stderr or run.stdout)["messages"]


def test_html_is_valid(pages: dict[str, str], tmp_path: Path) -> None:
    """The Nu HTML checker finds no error on any page."""
    jar = os.environ.get("TEST_VNU_JAR")
    if not jar:
        pytest.skip("needs the Nu HTML checker: make test brings it")
    names = {}
    for number, (name, html) in enumerate(pages.items()):
        file = tmp_path / f"{number:03}.html"
        file.write_text(html, encoding="utf-8")
        names[file.name] = name
    messages = check([tmp_path / file for file in names], jar)
    errors = [
        f"{names[str(message['url']).rsplit('/', 1)[-1]]}: {message['message']} … {message.get('extract', '')}"
        for message in messages
    ]
    assert errors == []


def test_the_checker_finds_an_error(tmp_path: Path) -> None:
    """The check above is none that cannot fail."""
    jar = os.environ.get("TEST_VNU_JAR")
    if not jar:
        pytest.skip("needs the Nu HTML checker: make test brings it")
    file = tmp_path / "wrong.html"
    file.write_text(
        "<!doctype html><html lang=en><title>A</title><p hx-get='/'>A</p></html>", encoding="utf-8"
    )
    assert "hx-get" in str(check([file], jar)[0]["message"])


def test_htmx_attributes_are_data_attributes(pages: dict[str, str]) -> None:
    """HTML knows `data-hx-get`, and no `hx-get`."""
    found = {name: hits for name, html in pages.items() if (hits := re.findall(r"<[^>]*\shx-[a-z-]+", html))}
    assert found == {}


def test_no_inline_style_or_script(pages: dict[str, str]) -> None:
    """The content policy allows neither."""
    inline = re.compile(r"<[^>]*\s(?:style|on[a-z]+)=|<style\b|<script(?![^>]*\ssrc=)")
    assert {name: hits for name, html in pages.items() if (hits := inline.findall(html))} == {}
