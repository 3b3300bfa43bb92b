"""List Entitlements and its search at the size of the seeded database, against raw SQL and Django's admin."""

import re
from contextlib import closing
from typing import Any

import psycopg2
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Tier, User
from entitlements.models import LineItem
from tests.bench.clock import interleaved
from tests.bench.people import admin_of

ROUNDS = 40
DEEP_ROUNDS = 5
ADMIN_LIST = "admin:entitlements_lineitem_changelist"
CURSOR = re.compile(r'DECLARE "\w+" .*?CURSOR.*? FOR (?=SELECT)', re.DOTALL)  # of a QuerySet.iterator()


def browser_of(user: User) -> Client:
    """Logged in; every request goes through all middleware."""
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(user)
    return client


def page(client: Client, url: str) -> str:
    """The HTML of a page that must be there."""
    response = client.get(url)
    if response.status_code != 200:
        raise AssertionError(f"{url}: status {response.status_code}")
    return response.content.decode()


def list_vs_raw_sql(tier: Tier) -> float:
    """The first page of List Entitlements over the bare execution of all its statements."""
    client, url = browser_of(admin_of(tier)), reverse("line_item_list")
    page(client, url)
    with CaptureQueriesContext(connection) as captured:
        page(client, url)
    statements = [CURSOR.sub("", query["sql"]) for query in captured.captured_queries]
    options = settings.DATABASES["default"]["OPTIONS"]["options"]
    with closing(psycopg2.connect(settings.DATABASE_URL, options=options)) as raw:
        raw.autocommit = True
        ours, theirs = interleaved(
            lambda: page(client, url), lambda: _execute(raw, statements), rounds=ROUNDS
        )
    return ours / theirs


def _execute(raw: Any, statements: list[str]) -> None:
    """Each statement with a cursor of its own, as Django does, and all its rows."""
    for statement in statements:
        with raw.cursor() as cursor:
            cursor.execute(statement)
            if cursor.description:
                cursor.fetchall()


def admin_vs_list(row: int = 0) -> float:
    """Django admin's list over ours, on the page that begins after so many of MOBOTIX's rows."""
    client, ours, theirs = browser_of(admin_of(Tier.MOBOTIX)), reverse("line_item_list"), reverse(ADMIN_LIST)
    if row:
        newest = LineItem.objects.order_by("-pk").values_list("pk", flat=True)
        ours += f"?after={newest[row - 1]}"
        theirs += f"?p={row // settings.PAGE_SIZE + 1}"
    _must_show_the_same(page(client, ours), page(client, theirs))
    rounds = DEEP_ROUNDS if row else ROUNDS // 2
    mine, admin = interleaved(lambda: page(client, ours), lambda: page(client, theirs), rounds=rounds)
    return admin / mine


def _must_show_the_same(*pages: str) -> None:
    """The same rows, or the figure would compare different work."""
    shown = [set(re.findall(r"\b(?:[0-9A-Z]{4}-){6}[0-9A-Z]{4}\b", html)) for html in pages]
    if shown[0] != shown[1] or len(shown[0]) != settings.PAGE_SIZE:
        raise AssertionError(f"The two pages differ: {len(shown[0])} and {len(shown[1])} line items")
