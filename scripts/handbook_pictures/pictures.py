"""The handbook's pictures: of which page each is, and as whom it is seen. They show the demo's data."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils.http import urlencode

from accounts.models import User
from entitlements.management.demo import ATLANTIC, BLICK, HARBOUR, MOBOTIX, NORDLICHT, email_of, make_demo
from entitlements.models import Activation, LineItem, Product, today
from entitlements.orders.services.issue import NewLine, create_entitlement, deploy_entitlement
from entitlements.splits.services.split import split_line_item
from handbook.documents import LANGUAGES, ROOT
from mxportal.shared.forms import new_key
from scripts.handbook_pictures.labels import labels_of

COMPANIES = {
    "en": {"mobotix": MOBOTIX, "distributor": ATLANTIC, "installer": HARBOUR},
    "de": {"mobotix": MOBOTIX, "distributor": NORDLICHT, "installer": BLICK},
}
COPIES = 3


class Scene:
    """The people of one language, and the rows that their pages are about."""

    def __init__(self, language: str) -> None:
        self.language = language
        companies = COMPANIES[language]
        self.people = {
            role: User.objects.select_related("account").get(email=email_of(company, company.people[0]))
            for role, company in companies.items()
        }
        installer = self.people["installer"].account
        self.item = LineItem.objects.filter(owner=installer).earliest("pk")
        self.sold = LineItem.objects.filter(entitlement__seller=installer).earliest("pk")
        self.activation = Activation.objects.filter(item=self.sold).earliest("pk")
        self.contact = User.objects.filter(account=self.sold.owner).earliest("pk")

    def take(self) -> None:
        """Everybody reads this language."""
        User.objects.filter(pk__in=[person.pk for person in self.people.values()]).update(
            language=self.language
        )


def make_scenes() -> None:
    """The demo, and something that expires soon at each installer."""
    make_demo()
    for language in LANGUAGES:
        _sell_what_expires(Scene(language))


def _sell_what_expires(scene: Scene) -> None:
    mobotix, distributor, installer = (scene.people[role] for role in ("mobotix", "distributor", "installer"))
    line = NewLine(
        product_id=Product.objects.latest("pk").pk,
        quantity=25,
        starts_on=today(),
        expires_on=today() + timedelta(days=45),
    )
    entitlement = create_entitlement(
        actor=mobotix,
        owner_id=distributor.account_id,
        contact_id=distributor.pk,
        order_number=f"PO-2108-{scene.language.upper()}",
        order_date=today(),
        lines=[line],
        key=new_key(),
    )
    deploy_entitlement(actor=mobotix, entitlement_id=entitlement.pk, key=new_key())
    split_line_item(
        actor=distributor,
        item_id=entitlement.line_items.get().pk,
        target_id=installer.account_id,
        contact_id=installer.pk,
        copies=10,
        order_number="O-77120",
        key=new_key(),
    )


def _at(route: str, argument: Callable[[Scene], Any] | None = None) -> Callable[[Scene], str]:
    return lambda scene: reverse(route, args=[argument(scene)] if argument else [])


def _split_form(scene: Scene) -> str:
    chosen = {"account": scene.sold.owner_id, "contact": scene.contact.pk, "copies": COPIES}
    return f"{reverse('line_item_split', args=[scene.item.pk])}?{urlencode(chosen)}"


def _split_order(scene: Scene) -> dict[str, Any]:
    return {
        "key": "k" * 20,
        "target": scene.sold.owner_id,
        "contact": scene.contact.pk,
        "copies": COPIES,
        "send_mail": "on",
        "step": "summary",
    }


def _account_pick(scene: Scene) -> str:
    query = {"back": reverse("line_item_split", args=[scene.item.pk]), "key": "k" * 20}
    return f"{reverse('account_pick')}?{urlencode(query)}"


@dataclass(frozen=True)
class Picture:
    """One picture: a page, what of it, and what is done there first."""

    name: str
    reader: str  # a role of the scene; empty: nobody is logged in
    address: Callable[[Scene], str]
    element: str = "main"
    press: str = ""  # a button, whose answer is shown
    sent: Callable[[Scene], dict[str, Any]] | None = None  # what that button sends
    dialog: Callable[[Scene], str] | None = None  # the page that the button opens as a dialog
    width: int = 1120  # of the window


PICTURES = (
    Picture("login", "", _at("account_login"), "body", width=720),
    Picture("home", "installer", _at("home"), "body"),
    Picture("list", "installer", _at("line_item_list"), width=1480),
    Picture("item", "installer", _at("line_item_detail", lambda scene: scene.item.pk)),
    Picture("accounts", "installer", _at("related_account_list")),
    Picture(
        "create-user",
        "installer",
        _at("user_create", lambda scene: scene.people["installer"].account_id),
    ),
    Picture("split", "installer", _split_form),
    Picture(
        "split-dialog",
        "installer",
        _at("line_item_split", lambda scene: scene.item.pk),
        press="Choose an account",
        dialog=_account_pick,
    ),
    Picture("split-summary", "installer", _split_form, press="Split", sent=_split_order),
    Picture("split-done", "installer", _at("line_item_split_done", lambda scene: scene.sold.pk)),
    Picture(
        "bulk-split",
        "installer",
        lambda scene: reverse("bulk_split_create", query={"item": scene.item.pk}),
    ),
    Picture("activate", "installer", _at("line_item_activate", lambda scene: scene.sold.pk)),
    Picture("devices", "installer", _at("device_list")),
    Picture("return", "installer", _at("activation_return", lambda scene: scene.activation.pk)),
    Picture("offline", "", _at("offline_activation"), "body", width=720),
    Picture("verify", "", _at("verify_start"), "body", width=720),
    Picture("mails", "installer", _at("mail_list")),
    Picture("create-entitlement", "mobotix", _at("entitlement_create")),
)


def labels_file(language: str) -> Path:
    """Where the labels of all pictures of a language lie."""
    return ROOT / language / "labels.json"


def write_labels() -> None:
    """What each page calls its parts, for a test to compare."""
    for language in LANGUAGES:
        text = json.dumps(labels_of_pictures(language), ensure_ascii=False, indent=1)
        labels_file(language).write_text(text + "\n", encoding="utf-8")


def labels_of_pictures(language: str) -> dict[str, list[str]]:
    """The labels of each picture's page, by Django's client."""
    scene = Scene(language)
    scene.take()
    return {
        picture.name: list(
            dict.fromkeys(
                name for html in _pages(picture, scene) for name in labels_of(html, picture.element, language)
            )
        )
        for picture in PICTURES
    }


def _pages(picture: Picture, scene: Scene) -> Iterator[str]:
    """The HTML of what the picture shows: the page, or the answer of the button; and the dialog."""
    client = Client(headers={"host": settings.ALLOWED_HOSTS[0], "accept-language": scene.language})
    if picture.reader:
        client.force_login(User.objects.get(pk=scene.people[picture.reader].pk))
    address = picture.address(scene)
    if picture.sent:
        yield _html(client.post(address.partition("?")[0], picture.sent(scene), follow=True))
    else:
        yield _html(client.get(address, follow=True))
    if picture.dialog:
        yield _html(client.get(picture.dialog(scene), follow=True))


def _html(response: Any) -> str:
    assert response.status_code == 200, (response.request["PATH_INFO"], response.headers)
    return str(response.content.decode())
