"""Chromium as a reader of the portal: logged in by cookie, on any page of the list."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from urllib.parse import urljoin

from django.conf import settings
from django.template.loader import render_to_string
from django.test import Client
from playwright.sync_api import Browser, Page, Response, Route

from accounts.models import User
from tests.browser.visit import Visit
from tests.browser.visits import TEMPLATES, visits
from tests.browser.world import World

# Sends the page's form as it stands, but for these values: past the browser's own checks, to meet the server's.
SEND = """([path, values]) => {
  const forms = [...document.querySelectorAll("main form[method=post]")];
  const form = forms.find((form) => new URL(form.action).pathname === path) ?? forms[0];
  for (const [name, value] of Object.entries(values)) {
    form.querySelectorAll(`[name="${name}"]`).forEach((field) => field.removeAttribute("name"));
    const field = document.createElement("input");
    Object.assign(field, {type: "hidden", name, value});
    form.append(field);
  }
  HTMLFormElement.prototype.submit.call(form);
}"""


@contextmanager
def reading(browser: Browser, url: str, user: User | None = None, **options: Any) -> Iterator[Page]:
    """A page of a fresh browser context, in which this user is logged in."""
    context = browser.new_context(base_url=url, **options)
    context.set_default_timeout(10_000)
    if user:
        client = Client()
        client.force_login(user)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": url}])
    try:
        yield context.new_page()
    finally:
        context.close()


def visit_page(page: Page, visit: Visit) -> Response | None:
    """Open the page; where a form is to be sent, send it."""
    response = page.goto(visit.path)
    if visit.post is None:
        return response
    with page.expect_navigation() as navigation:
        page.evaluate(SEND, [visit.action or visit.path, {name: str(v) for name, v in visit.post.items()}])
    return navigation.value


def each_page(page: Page, world: World, reader: str) -> Iterator[Visit]:
    """Stand on one page of the reader after the other."""
    for visit in visits(world):
        if visit.reader == reader:
            response = visit_page(page, visit)
            assert response, visit
            assert response.status == visit.status, f"{visit}: {response.status}"
            yield visit


def each_template(page: Page, url: str) -> Iterator[str]:
    """Stand on the pages that no address shows at will, as the server would answer with them."""
    for name in TEMPLATES:
        address = urljoin(url, f"/{name}")
        answer = partial(Route.fulfill, body=render_to_string(name), content_type="text/html")
        page.route(address, answer)
        page.goto(address)
        yield name
