"""A mail server that hangs slows nobody else down, measured on the running portal (N6)."""

import http.client
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from entitlements.bulk.services.jobs import SMALL_BULK_LINES, work_on
from entitlements.models import BulkSplit, BulkState
from notifications.models import Mail
from tests.entitlements.bulk.making import line_for, make_buyers, start
from tests.entitlements.bulk.pages import seen
from tests.factories import Cast, issue_item
from tests.live import Portal, running_portal
from tests.notifications.server import MoodyMailServer

pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]
LINES = 600
TURNS = 3  # at most
SLACK = 1.0  # seconds


def until(happened: Callable[[], object], what: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.02)


class Presser:
    """A person with a browser."""

    def __init__(self, portal: Portal, user: User) -> None:
        browser = Client()
        browser.force_login(user)
        self._address = urlsplit(portal.url)
        self._token = "c" * 32
        session = browser.cookies["sessionid"].value
        self._headers = {
            "Cookie": f"sessionid={session}; csrftoken={self._token}",
            "Content-Type": "application/x-www-form-urlencoded",
            "Referer": portal.url,
        }

    def post(self, path: str, fields: dict[str, str]) -> int:
        connection = http.client.HTTPConnection(self._address.netloc, timeout=60)
        try:
            body = urlencode(fields | {"csrfmiddlewaretoken": self._token})
            connection.request("POST", path, body, self._headers)
            return connection.getresponse().status
        finally:
            connection.close()


def seconds_of_split(presser: Presser, cast: Cast, *, send_mail: bool = True) -> float:
    """The time from "Split all" until a worker has split all lines and queued their mails."""
    buyers = make_buyers(cast.distributor.account, LINES)
    bulk = start(cast, issue_item(cast, quantity=LINES), *(line_for(buyer) for buyer in buyers))
    work_on(bulk.pk)  # the check of the lines, which takes no mails
    fields = seen(bulk) | ({"send_mail": "on"} if send_mail else {})
    began = time.monotonic()
    assert presser.post(reverse("bulk_split_carry_out", args=[bulk.pk]), fields) == 302
    until(lambda: is_done(bulk), "the bulk split is done")
    return time.monotonic() - began


def is_done(bulk: BulkSplit) -> bool:
    state = BulkSplit.objects.values_list("state", flat=True).get(pk=bulk.pk)
    assert state in (BulkState.READY, BulkState.RUNNING, BulkState.DONE), state
    return state == BulkState.DONE


def test_a_bulk_split_beside_a_hanging_server(
    cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """N6: it takes at most twice the time that it takes beside a server that answers, with all mails queued.

    Both are measured in turn with the same workers, and again if something else was running. Before mails had their own
    workers, the bulk split waited for the time-out of the mail server.
    """
    assert LINES > SMALL_BULK_LINES, "or no worker would do it"
    monkeypatch.setenv("EMAIL_TIMEOUT", "45")
    server, healthy, hanging = MoodyMailServer(), [], []
    with running_portal(tmp_path, server) as portal:
        presser = Presser(portal, cast.distributor)
        seconds_of_split(presser, cast, send_mail=False)  # the processes' first time
        for turn in range(1, TURNS + 1):
            healthy.append(seconds_of_split(presser, cast))
            server.hangs = True
            until(lambda: server.hanging > 0, "a mail hangs")
            hanging.append(seconds_of_split(presser, cast))
            server.hangs = False
            assert Mail.objects.count() == 2 * turn * LINES
            if min(hanging) <= 2 * min(healthy) + SLACK:
                return
    pytest.fail(
        f"{LINES} lines: {healthy} s beside a mail server that answers, {hanging} s beside one that hangs"
    )
