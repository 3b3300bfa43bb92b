"""E5, E12: the search finds what its reader may read, keeps secrets out of addresses, and refuses typing errors."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Account, User
from entitlements.identifiers.activation_ids import ALPHABET
from entitlements.items import search
from entitlements.models import LineItem
from tests.entitlements.pages import client_of, html_of
from tests.factories import Cast, Chain, issue_item, make_chain, make_product

pytestmark = pytest.mark.django_db
LIST = "/entitlements/"
SEARCH = "/entitlements/search/"
TYPING_ERROR = "This Activation ID has a typing error."
UNKNOWN = "No line item with this Activation ID."


@pytest.fixture
def chain(cast: Cast) -> Chain:
    return make_chain(cast, order_number="PO-HOSPITAL")


def found(person: User, text: str, **query: Any) -> list[int]:
    """The result of the search through the form."""
    response = client_of(person).post(SEARCH, {"q": text, **query}, follow=True)
    return [row.pk for row in response.context["rows"]]


def mistyped(activation_id: str) -> str:
    """The ID with its first character wrong."""
    first = ALPHABET[(ALPHABET.index(activation_id[0]) + 1) % len(ALPHABET)]
    return first + activation_id[1:]


def test_an_activation_id_leads_to_its_item(cast: Cast, chain: Chain) -> None:
    """E5: parties find the item by its full ID, typed in any form; the address has no secret."""
    item = chain.served
    typed = [
        item.activation_id,
        item.activation_id.lower(),
        item.activation_id.replace("-", " "),
        f" {item.activation_id} ",
    ]
    for person in (cast.installer, cast.mobotix, cast.installer_viewer):
        for text in typed:
            response = client_of(person).post(SEARCH, {"q": text})
            assert response.url == reverse("line_item_detail", args=[item.pk]), (str(person), text)


def test_others_do_not_find_an_item_by_its_whole_id(cast: Cast, chain: Chain) -> None:
    """E5: for others the answer is the same as for an unknown ID."""
    unknown = issue_item(cast)
    typed = unknown.activation_id
    LineItem.objects.filter(pk=unknown.pk).update(activation_id="OLD-1")
    for person, text in (
        (cast.distributor, chain.served.activation_id),
        (cast.sibling_installer, chain.served.activation_id),
        (cast.mobotix, typed),
    ):
        response = client_of(person).post(SEARCH, {"q": text})
        assert response.status_code == 200
        assert UNKNOWN in html_of(response)
        assert text in html_of(response), "what was typed is not lost"


@pytest.mark.parametrize("wrong", ["substituted", "one missing", "one too many"])
def test_a_typing_error_is_refused_before_any_look_up(cast: Cast, chain: Chain, wrong: str) -> None:
    """E5: the error is at the field with the typed text, without a query for line items."""
    right = chain.issued.activation_id
    text = {"substituted": mistyped(right), "one missing": right[:-1], "one too many": right + "7"}[wrong]
    client = client_of(cast.distributor)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        response = client.post(SEARCH, {"q": text})
    page = html_of(response)
    assert response.status_code == 200
    assert TYPING_ERROR in page
    assert text in page
    assert 'aria-describedby="filter-q-error"' in page
    assert not [query for query in queries.captured_queries if "entitlements_lineitem" in query["sql"]]


@pytest.mark.parametrize("wrapped", ['"{}"', "{}.", "({})", "{}*", "*{}", "ID: {}"])
def test_what_stands_round_an_id_never_brings_it_into_an_address(
    cast: Cast, chain: Chain, wrapped: str
) -> None:
    """E5: quotes and dots around an ID are ignored; an ID with other text around it stays out of the address, too."""
    response = client_of(cast.installer).post(SEARCH, {"q": wrapped.format(chain.served.activation_id)})
    assert "q=" not in response.headers.get("Location", "")


@pytest.mark.parametrize("character", ["*", "ü", "U", "?"])
def test_a_foreign_character_is_a_typing_error(cast: Cast, chain: Chain, character: str) -> None:
    """E5: it is refused at the field and stays out of the address."""
    text = chain.served.activation_id
    response = client_of(cast.installer).post(SEARCH, {"q": text[:6] + character + text[7:]})
    assert response.status_code == 200
    assert TYPING_ERROR in html_of(response)


def test_an_unknown_id_of_an_old_system_stays_out_of_the_address(cast: Cast, chain: Chain) -> None:
    """E5: an ID of eight groups is not the portal's own, and is a secret all the same."""
    response = client_of(cast.installer).post(SEARCH, {"q": "f0fb-eb2f-1be2-4d45-b1b0-2af7-5321-2a09"})
    assert response.status_code == 200
    assert UNKNOWN in html_of(response)


def test_an_id_of_an_old_system_is_looked_up_as_typed(cast: Cast, chain: Chain) -> None:
    """E5: IDs taken over keep their form."""
    LineItem.objects.filter(pk=chain.issued.pk).update(activation_id="old-Id_42/x")
    client = client_of(cast.distributor)
    assert client.post(SEARCH, {"q": "old-Id_42/x"}).url == reverse(
        "line_item_detail", args=[chain.issued.pk]
    )
    assert client.post(SEARCH, {"q": "OLD-ID_42/X"}).url.startswith(LIST)
    assert client_of(cast.installer).post(SEARCH, {"q": "old-Id_42/x"}).url.startswith(LIST)


@pytest.mark.slow
def test_the_last_group(cast: Cast, chain: Chain) -> None:
    """E5: everyone who sees the item finds it by its last group, exactly and however it is typed."""
    group = chain.served.activation_id[-4:]
    for person in (cast.distributor, cast.installer, cast.mobotix):
        assert chain.served.pk in found(person, group), str(person)
        assert chain.served.pk in found(person, group.lower())
    assert chain.served.pk not in found(cast.distributor, group[:3])
    assert chain.served.pk not in found(cast.sibling_installer, group)


@pytest.mark.slow
def test_entitlement_id_product_and_part_number(cast: Cast, chain: Chain) -> None:
    """Search finds them in both languages and any case; Entitlement IDs by their beginning."""
    product = make_product("Mx-TH-900", name_en="Thermal Suite", name_de="Thermopaket")
    thermal = issue_item(cast, product_id=product.pk)
    for text in ("thermal", "THERMOPAKET", "mx-th-9", thermal.entitlement.entitlement_id.lower()):
        assert found(cast.distributor, text) == [thermal.pk], text
    assert found(cast.distributor, thermal.entitlement.entitlement_id[2:7]) == [thermal.pk]
    assert found(cast.installer, "thermal") == []


def test_order_numbers_are_found_by_parties_only(cast: Cast, chain: Chain) -> None:
    """E7: the installer and MOBOTIX find the customer's order; the distributor does not."""
    assert found(cast.installer, "hospital") == [chain.served.pk]
    assert found(cast.installer, "po-hosp") == [chain.served.pk]
    assert found(cast.mobotix, "po-hosp") == [chain.served.pk]
    assert found(cast.distributor, "po-hosp") == []


def test_a_hidden_name_is_not_found(cast: Cast, chain: Chain) -> None:
    """E12: the search does not match a name that is withheld; where it is visible, it does."""
    assert found(cast.installer, "city hosp") == [chain.served.pk]
    assert found(cast.mobotix, "City Hospital") == [chain.served.pk]
    assert found(cast.distributor, "City Hospital") == []
    assert found(cast.distributor, cast.customer.account_id) == []
    Account.objects.filter(pk=cast.customer.pk).update(visible_to_partners=True)
    assert found(cast.distributor, "City Hospital") == [chain.served.pk]
    assert found(cast.sibling_installer, "City Hospital") == []


def test_search_and_filters_together(cast: Cast, chain: Chain) -> None:
    """The search looks within the tab and the filters, and the list's address keeps them."""
    assert found(cast.distributor, "video", shown="ours") == [chain.issued.pk]
    assert found(cast.distributor, "video", shown="below") == [chain.served.pk]
    response = client_of(cast.distributor).post(
        SEARCH, {"q": "video", "shown": "ours", "sort": "expiration", "state": "deployed"}
    )
    assert response.url == f"{LIST}?q=video&state=deployed&sort=expiration&shown=ours"


def test_too_many_matches_are_said(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list shows the newest matches, and says so."""
    items = [issue_item(cast) for _ in range(4)]
    for module in (
        "entitlements.items.search",
        "entitlements.items.listing",
        "entitlements.overview.views",
    ):
        monkeypatch.setattr(f"{module}.MAX_FOUND", 3)
    assert search.MAX_FOUND == 3
    response = client_of(cast.distributor).post(SEARCH, {"q": "video"}, follow=True)
    assert [row.pk for row in response.context["rows"]] == [item.pk for item in reversed(items)][:3]
    assert "Only the newest 3 matches are shown." in html_of(response)


@pytest.mark.slow
def test_short_and_odd_texts(cast: Cast, chain: Chain) -> None:
    """The error is at the field; nothing breaks, and the typed text is escaped."""
    client = client_of(cast.distributor)
    assert "Type at least 3 characters." in html_of(client.post(SEARCH, {"q": "ab"}))
    assert client.post(SEARCH, {"q": ""}).url == LIST
    assert client.post(SEARCH, {"q": "x" * 10_000}).status_code == 200
    for text in (
        "<script>alert(1)</script>",
        "{{ 7 }}",
        "100%",
        "a_b",
        "Ärzte日本",
        "O'Neil",
        "Nordlicht Distribution Berlin",
    ):
        response = client.post(SEARCH, {"q": text}, follow=True)
        assert response.status_code == 200
        assert "<script>alert" not in html_of(response)
        assert TYPING_ERROR not in html_of(response), text
    assert client.get(SEARCH).url == LIST


@pytest.mark.parametrize(
    "name",
    [
        "Oilfieldcolliegallopinghillsoil",
        "OLLILOLLIOILLOLLOIILOLLIOLLI",
        "Wasserbau2024Gesellschaftmbh",
        "hans.mueller1984@kaufhaus.example",
        "o.lill1@solo-oil-1.co.example",
    ],
)
def test_a_long_word_or_an_e_mail_address_is_no_activation_id(cast: Cast, chain: Chain, name: str) -> None:
    """E5: O, I and L of a name stay letters; such texts are searched for."""
    response = client_of(cast.installer).post(SEARCH, {"q": name}, follow=True)
    assert TYPING_ERROR not in html_of(response)
    assert UNKNOWN not in html_of(response)
    assert response.request["QUERY_STRING"].startswith("q=")
