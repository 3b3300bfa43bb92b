"""Access to "Offline activation": guesses, names, own stock, and the links of its downloads (L2, L3)."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from entitlements.activation.offline.pages import license_link
from entitlements.models import License, LineItem, Movement
from mxportal.shared.drafts import MAX_DRAFTS, VISITORS_A_MINUTE, VISITORS_MAX_CHARACTERS
from tests.entitlements.activation.devices import balances
from tests.entitlements.activation.test_offline import mistyped
from tests.entitlements.activation.test_offline_pages import ADDRESS, press, scan, text_of, typed
from tests.entitlements.pages import client_of, html_of
from tests.factories import Cast, Chain
from tests.following import FollowingClient

pytestmark = pytest.mark.django_db


def test_the_same_answer(client: Client, cast: Cast, chain: Chain) -> None:
    """L2: without a login an unknown ID and an installer's own stock get the same answer."""
    unknown = scan(client, text_of((LineItem(), 1)))
    stock = scan(client, text_of((chain.installed, 1)))
    page = html_of(stock).replace(chain.installed.activation_id, "")
    assert unknown.context["rows"][0].problem == stock.context["rows"][0].problem
    assert cast.product.part_number not in page


@pytest.mark.slow
def test_own_stock_with_a_login(cast: Cast, chain: Chain) -> None:
    """E13: a user activates the account's own stock."""
    client = client_of(cast.installer)
    press(client, scan(client, text_of((chain.installed, 2))))
    assert balances(chain.installed)[2] == 2


@pytest.mark.slow
def test_guessing(client: Client, cast: Cast, chain: Chain, settings: Any) -> None:
    """L3: 429 after a few wrong IDs in an old system's form; the portal's own IDs and users are not affected."""
    settings.ACTIVATION_GUESSES_AN_HOUR = 3
    old = LineItem(activation_id="OLD-4711")
    for _time in range(5):
        assert scan(client, text_of((chain.served, 6))).status_code == 200
        assert typed(client, (mistyped(chain.served), 1)).status_code == 200
    answers = [scan(client, text_of((old, 1))) for _time in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 0 < int(answers[2]["Retry-After"]) <= 3600
    assert "Please wait" in html_of(answers[2])
    step = {"step": "carry_out", "request": text_of((old, 1))}
    assert client.post(ADDRESS, step).status_code == 429
    elsewhere = FollowingClient(REMOTE_ADDR="192.0.2.7")
    assert scan(elsewhere, text_of((old, 1))).status_code == 200
    assert scan(client_of(cast.installer), text_of((old, 1))).status_code == 200
    press(client, scan(client, text_of((chain.served, 1))))
    assert balances(chain.served)[2] == 1


def test_a_flood_of_ids_ends(client: Client, chain: Chain, settings: Any) -> None:
    """L3: wrong IDs in the portal's own form have a high limit; beyond it a correct one waits, too."""
    settings.ACTIVATION_MISSES_AN_HOUR = 3
    for _time in range(3):
        last = scan(client, text_of((LineItem(), 1)))
    assert last.status_code == 429
    step = {"step": "carry_out", "request": text_of((chain.served, 1))}
    assert client.post(ADDRESS, step).status_code == 429
    assert balances(chain.served)[2] == 0


def test_many_guesses_in_one_file(client: Client, chain: Chain, settings: Any) -> None:
    """L3: beyond the limit the answer says nothing about the other IDs."""
    settings.ACTIVATION_MISSES_AN_HOUR = 3
    many = scan(client, text_of((LineItem(), 1), (LineItem(), 1), (LineItem(), 1), (chain.served, 1)))
    assert many.status_code == 429


@pytest.mark.slow
def test_mobotix_says_why(cast: Cast, chain: Chain) -> None:
    """E13: the reason is kept in the history."""
    client = client_of(cast.mobotix)
    preview = scan(client, text_of((chain.served, 1)))
    assert "reason" in preview.context["form"].fields
    refused = press(client, preview, reason="")
    assert list(refused.context["form"].errors) == ["reason"]
    press(client, preview, reason="On the phone")
    assert Movement.objects.latest("pk").reason == "On the phone"


def test_who_only_looks(cast: Cast, chain: Chain) -> None:
    """U3: view-only users have neither the page nor its menu entry."""
    client = client_of(cast.installer_viewer)
    assert client.get(ADDRESS).status_code == 403
    assert scan(client, text_of((chain.served, 1))).status_code == 403
    assert ADDRESS not in html_of(client.get(reverse("home")))
    assert ADDRESS in html_of(client_of(cast.installer).get(reverse("home")))


@pytest.mark.slow
def test_a_temporary_password(cast: Cast, chain: Chain) -> None:
    """U4: a user who must change the password counts as a visitor here."""
    User.objects.filter(pk=cast.installer.pk).update(must_change_password=True)
    client = client_of(cast.installer)
    assert "Log in" in html_of(client.get(ADDRESS))
    assert scan(client, text_of((chain.installed, 1))).context["rows"][0].problem
    press(client, scan(client, text_of((chain.served, 1))))
    assert Movement.objects.latest("pk").actor is None


def test_no_names(client: Client, cast: Cast, chain: Chain) -> None:
    """A4: with the Activation ID one reads the product, and no name."""
    preview = scan(client, text_of((chain.served, 1)))
    done = press(client, preview)
    names = ("City Hospital", "Blick", "Nordlicht", cast.customer_contact.email, "PO-")
    for page in (html_of(preview), html_of(done)):
        assert [name for name in names if name in page] == []
        assert "no-store" in preview["Cache-Control"]


def test_no_secret_in_an_address(client: Client, chain: Chain) -> None:
    """E5: pages are answers to POSTs, and a download's link has row numbers only."""
    done = press(client, scan(client, text_of((chain.served, 1))))
    assert not hasattr(done, "url")
    for link in re.findall(r'(?:href|action)="([^"]+)"', html_of(done)):
        assert chain.served.activation_id not in link


@pytest.mark.slow
@pytest.mark.parametrize("spoil", [lambda link: link[:-1], lambda link: link + "x", lambda _link: "none"])
def test_a_link_that_is_none(client: Client, chain: Chain, spoil: Any) -> None:
    """L3: an invalid link is 404."""
    press(client, scan(client, text_of((chain.served, 1))))
    link = license_link([License.objects.get()])
    assert client.get(reverse("offline_licenses", args=[link])).status_code == 200
    assert client.get(reverse("offline_licenses", args=[spoil(link)])).status_code == 404


@pytest.mark.slow
def test_a_link_does_not_live_long(client: Client, chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    """L3: a link lives for an hour, and gives no license that has ended."""
    press(client, scan(client, text_of((chain.served, 1))))
    address = reverse("offline_licenses", args=[license_link([License.objects.get()])])
    monkeypatch.setattr("entitlements.activation.offline.pages.LINK_SECONDS", -1)
    assert client.get(address).status_code == 404
    monkeypatch.undo()
    assert client.get(address).status_code == 200
    press(client, scan(client, text_of((chain.served, 0))))
    assert client.get(address).status_code == 404


@pytest.mark.slow
def test_visitors_make_few_and_small_sessions(chain: Chain) -> None:
    """U10: a visitor's typed text is kept for an hour; a very large form gets its page as the answer."""
    client = Client()
    typed = {"step": "add", "wanted-TOTAL_FORMS": "1"}
    assert client.post(ADDRESS, typed | {"host_id": "x" * VISITORS_MAX_CHARACTERS}).status_code == 200
    assert client.post(ADDRESS, typed).status_code == 302
    assert client.session.get_expiry_age() <= 3600
    answers = [client.post(ADDRESS, typed).status_code for _ in range(2 * VISITORS_A_MINUTE + 2)]
    assert 200 in answers, "also where a minute ends meanwhile"
    assert len(client.session["drafts"]) <= MAX_DRAFTS
