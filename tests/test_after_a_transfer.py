"""A4, A7, E17: after a move every page, file, mail and answer of the API, searched for what its reader may not know."""

import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from pypdf import PdfReader

from accounts.models import Account, RelationStatus, User
from entitlements.activation.services.activate import activate
from entitlements.mailing.services.queue import email_line_items
from entitlements.models import Device, Entitlement, License, LineItem
from entitlements.orders.services.corrections import Correction, change_quantity
from entitlements.orders.services.replacing import replace_activation_id
from entitlements.orders.services.transfer import transfer_account
from entitlements.splits.services.undo import undo_split
from mxportal.shared.forms import new_key
from notifications.models import Failure, Mail, Status
from notifications.registry import render
from tests.entitlements.activation.devices import host
from tests.entitlements.api.client import Program, program_of
from tests.entitlements.api.test_matrix import DESCRIBED
from tests.entitlements.bulk.making import line_for, split_bulk
from tests.factories import Cast, issue_item, make_cast, make_product, make_relation, make_token, split_item
from tests.following import FollowingClient
from tests.test_access_matrix import pages

pytestmark = pytest.mark.django_db
AFTER = "only.after@the-move.example"
TAGS = {  # none is a part of another one
    "distributor": "Quokka",
    "installer": "Zebrano",
    "customer": "Wombat",
    "other_distributor": "Yucca",
    "other_installer": "Xylem",
}
READERS = ("installer", "installer_viewer", "distributor", "other_installer", "other_installer_viewer")
OUTSIDERS = ("other_distributor", "sibling_installer")


def account_of(cast: Cast, role: str) -> Account:
    return cast.customer if role == "customer" else getattr(cast, role).account


def mark(cast: Cast, role: str) -> list[str]:
    """Give an account and its people data that stand nowhere else, and return them."""
    account, tag = account_of(cast, role), TAGS[role]
    account.name, account.account_id = f"{tag}Works", f"ID-{tag}"
    account.street, account.street2, account.city = f"{tag}Street 1", f"{tag}House", f"{tag}Town"
    account.phone, account.fax = f"+49 1 {tag}", f"+49 2 {tag}"
    account.website, account.description = f"https://{tag.lower()}.example", f"{tag}Story"
    account.save()
    found = [account.name, account.account_id, account.street, account.street2, account.city]
    found += [account.phone, account.fax, account.website, account.description]
    for number, person in enumerate(account.users.order_by("pk")):
        person.first_name, person.last_name = f"{tag}First{number}", f"{tag}Last{number}"
        person.phone, person.mobile = f"+49 3 {tag}{number}", f"+49 4 {tag}{number}"
        person.email = f"{tag.lower()}{number}@people.example"
        person.save()
        found += [person.first_name, person.last_name, person.phone, person.mobile, person.email]
    return found


class World:
    """City Hospital was moved from the installer to another distributor's; both have acted on its items."""

    def __init__(self) -> None:
        self.cast = cast = make_cast()
        self.marks = {role: mark(cast, role) for role in TAGS}
        for row in vars(cast).values():
            row.refresh_from_db()
        self.issued = issue_item(cast, order_number="SO-ISSUED-1")
        self.installed = split_item(
            cast.distributor, self.issued, cast.installer.account, copies=40, order_number="PO-MIDDLE-2"
        )
        self.served = split_item(
            cast.installer, self.installed, cast.customer, copies=10, order_number="PO-CUSTOMER-3"
        )
        self.bulk = split_bulk(cast.installer, [self.installed], [line_for(cast.customer_contact, 2)])
        self.draft = issue_item(cast, cast.installer.account, deploy=False)
        self.email(cast.installer, cast.customer_contact.email)
        self.license = self.put_on(cast.installer, "CAM-BEFORE")
        self.move()
        self.email(cast.other_installer, AFTER)
        self.later = self.put_on(cast.other_installer, "CAM-AFTER")
        self.replaced = self.served.activation_id
        replace_activation_id(
            actor=cast.other_installer, item_id=self.served.pk, key=new_key(), reason="SecretReason"
        )
        self.served.refresh_from_db()
        self.changes_by_mobotix()
        self.fail_all_mails()
        self.relation = make_relation(
            cast.distributor.account, cast.other_installer.account, RelationStatus.REQUESTED
        )

    def email(self, actor: User, address: str) -> None:
        email_line_items(
            actor=actor, item_id=self.served.pk, recipients=[address], key=new_key(), attach_certificate=True
        )

    def put_on(self, actor: User, name: str) -> License:
        device = host(name)
        return activate(actor=actor, item_id=self.served.pk, host=device, copies=1, key=new_key())

    def move(self) -> None:
        transfer_account(
            actor=self.cast.mobotix,
            account_id=self.cast.customer.pk,
            former_id=self.cast.installer.account_id,
            seller_id=self.cast.other_installer.account_id,
            key=new_key(),
            reason="Out of business",
        )

    def changes_by_mobotix(self) -> None:
        """They tell the contact, and the former seller that copies are back."""
        known: dict[str, Any] = {"actor": self.cast.mobotix, "item_id": self.served.pk, "copies": 1}
        undo_split(**known, key=new_key(), reason="Undone by us")
        change_quantity(**known, correction=Correction.LOWER, key=new_key(), reason="Lowered by us")
        self.served.refresh_from_db()

    def fail_all_mails(self) -> None:
        Mail.objects.update(status=Status.FAILED, failure=Failure.REFUSED)

    def of_the_item(self) -> list[str]:
        """What parties of the customer's items alone know."""
        items = LineItem.objects.filter(owner=self.cast.customer)
        ids = [*items.values_list("activation_id", flat=True), self.replaced]
        hosts = list(Device.objects.values_list("host_id", flat=True))
        return [*ids, "PO-CUSTOMER-3", AFTER, "SecretReason", *hosts, str(self.license.license_id)]

    def of_the_chain(self) -> list[str]:
        """What the new seller does not see of the items above."""
        above = (self.issued, self.installed)
        ids = [text for item in above for text in (item.activation_id, item.activation_id_tail)]
        entitlements = [item.entitlement.entitlement_id for item in above]
        return [*ids, *entitlements, "SO-ISSUED-1", "PO-MIDDLE-2"]

    def forbidden(self, role: str) -> list[str]:
        """For a reader. The Account ID of whom it sold to is no secret to the former seller (A7)."""
        marks, role = self.marks, role.removesuffix("_viewer")
        new, former, up = marks["other_installer"], marks["installer"], marks["distributor"]
        customer = [text for text in marks["customer"] if text != self.cast.customer.account_id]
        return {
            "installer": customer + self.of_the_item() + new + marks["other_distributor"],
            "distributor": marks["customer"] + self.of_the_item() + new + marks["other_distributor"],
            "other_installer": former + self.of_the_chain() + self.without_requests(up),
            "other_distributor": marks["customer"] + self.of_the_item() + self.of_the_chain() + former + up,
            "sibling_installer": marks["customer"] + self.of_the_item() + self.of_the_chain() + former + new,
        }[role]

    def without_requests(self, marks: list[str]) -> list[str]:
        """Who asks for a relation is named to whom it asks (A2)."""
        account = self.cast.distributor.account
        return [text for text in marks if text not in (account.name, account.account_id)]


# --- What stands in an answer -----------------------------------------------------------------------------------------


def texts_of(content: bytes, kind: str) -> Iterator[str]:
    """Everything that can be read in it, the files within files, too."""
    if kind == "application/pdf":
        pdf = PdfReader(io.BytesIO(content))
        yield " ".join(" ".join(page.extract_text() for page in pdf.pages).split())
        yield from (part.decode() for parts in pdf.attachments.values() for part in parts)
        yield str(pdf.metadata)
    elif content.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(content)) as files:
            for name in files.namelist():
                yield name
                yield files.read(name).decode(errors="replace")
    else:
        yield content.decode(errors="replace")


UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def found_in(response: Any, forbidden: Iterable[str]) -> list[str]:
    """The forbidden words in an answer. Its length may be equal to the last group of an ID by chance."""
    content = response.getvalue() if response.streaming else response.content
    texts = [*texts_of(content, response.headers.get("Content-Type", "").partition(";")[0])]
    texts += [f"{name}: {value}" for name, value in response.headers.items() if name != "Content-Length"]
    return [text for text in forbidden if any(has(one, text) for one in texts)]


def has(text: str, word: str) -> bool:
    """The last group of an ID is short: it counts as a word of its own, and not as a part of a form's key."""
    if len(word) < 6:
        return re.search(rf"(?<![\w]){re.escape(word)}(?![\w])", UUID.sub("", text)) is not None
    return word in text


# --- Pages ------------------------------------------------------------------------------------------------------------


def objects(world: World) -> Iterator[dict[str, list[Any]]]:
    """What the variable part of an address is filled with, by the beginning of the route's name; in several rounds."""
    cast, mails = world.cast, Mail.objects.order_by("pk")
    contact = cast.customer_contact.pk
    written_to_contact = mails.filter(
        recipient_email=cast.customer_contact.email, line_items__owner=cast.customer
    )
    for item in (world.served, world.bulk.items.get(), world.installed, world.issued):
        for license in (world.license, world.later):
            device = license.activation.device_id
            yield {
                "account_create": ["customer"],
                "account_reset_password_from_key": ["1", "set-password"],
                "account_": [item.owner_id],
                "user_create": [item.owner_id],
                "user_mail_send_again": [contact, mails.first().pk],
                "user_": [contact],
                "relation_decide": [world.relation.pk],
                "entitlement_": [item.entitlement_id],
                "product_edit": [make_product().pk],
                "mail_send_again": [mails.last().pk],
                "mail_correct": [written_to_contact.last().pk],
                "api_token_": [make_token(cast.installer).pk],
                "verify": [item.verification_code],
                "line_item_go": ["split"],
                "line_item_": [item.pk],
                "license_": [license.license_id],
                "offline_licenses": [
                    "x"
                ],  # a signed link is its own proof: whoever has it carried the request out
                "device_": [device],
                "activation_": [license.activation_id],
                "bulk_split_template": ["csv"],
                "bulk_split_download": [world.bulk.pk, "xlsx"],
                "bulk_split_": [world.bulk.pk],
                "handbook_page": ["installers"],
                "handbook_mobotix_page": ["mobotix"],
                "handbook_pdf": ["installers"],
                "handbook_mobotix_pdf": ["mobotix"],
                "mailbox_message": ["a.log", 0],
                "mailbox_html": ["a.log", 0],
                "mailbox_attachment": ["a.log", 0, 0],
            }


def addresses(world: World) -> list[str]:
    """Every page of the access matrix; a new one with a variable part has to say here what it is filled with."""
    found: dict[str, None] = {}
    for filled in objects(world):
        for pattern in pages():
            name, needed = pattern.name or "", pattern.pattern.regex.groups
            arguments = next((values for start, values in filled.items() if name.startswith(start)), [])
            if needed:
                assert len(arguments) == needed, f"{name}: say in objects() what stands in its address"
            found[reverse(name, args=arguments if needed else [])] = None
    served = reverse("line_item_certificate", args=[world.served.pk])
    queries = [
        (reverse("mail_list"), {"status": "failed"}),
        (reverse("mail_list"), {"item": world.served.pk}),
        (reverse("device_list"), {"account": world.cast.customer.pk}),
        *((reverse("line_item_list"), {"show": show}) for show in ("ours", "sold", "below")),
    ]
    found |= {f"{path}?{urlencode(query)}": None for path, query in queries}
    return [*found, f"{served}?language=de", f"{served}?whole=1"]


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.slow
@pytest.mark.parametrize("role", READERS + OUTSIDERS)
def test_every_page_and_file(world: World, role: str) -> None:
    """A4, A7, E12, E17: asked for and posted to with nothing; what a request changes is taken back."""
    client, forbidden = FollowingClient(), world.forbidden(role)
    client.force_login(getattr(world.cast, role))
    cookies = client.cookies.copy()
    assert len(forbidden) >= 30
    leaks = []
    for address in addresses(world):
        for method in ("GET", "POST"):
            before = transaction.savepoint()  # no atomic block: the services' own are durable
            found = found_in(client.generic(method, address), forbidden)
            leaks += [f"{method} {address} {text}" for text in found if text not in address]
            transaction.savepoint_rollback(before)
            client.cookies = cookies.copy()  # one of the pages logs out
    assert not leaks, "\n".join(leaks)


def test_what_they_do_see(world: World) -> None:
    """The walk would find nothing on pages that show nothing."""
    served = reverse("line_item_detail", args=[world.served.pk])
    for role, words in (
        ("other_installer", ["WombatWorks", "PO-CUSTOMER-3", "XylemWorks", AFTER]),
        ("mobotix", ["WombatWorks", "ZebranoWorks", "XylemWorks", AFTER]),
        ("installer", ["Name withheld", world.served.activation_id_tail]),
    ):
        client = Client()
        client.force_login(getattr(world.cast, role))
        response = client.get(served)
        assert found_in(response, words) == words, role


# --- The API ----------------------------------------------------------------------------------------------------------


def api_paths(world: World) -> Iterator[str]:
    """Every GET of the description, about the customer's item and what belongs to it."""
    for item in (world.served, world.installed):
        for license in (world.license, world.later):
            filled: dict[str, Any] = {
                "item_id": item.pk,
                "bulk_id": world.bulk.pk,
                "license_id": license.license_id,
                "device_id": license.activation.device_id,
                "account_id": item.owner.account_id,
                "part_number": world.cast.product.part_number,
                "entitlement_id": item.entitlement.entitlement_id,
                "person_id": item.owner.users.order_by("pk").first().pk,
            }
            for method, template in DESCRIBED.values():
                if method == "get":
                    yield template.removeprefix("/api/v1").format(**filled)
    yield f"/items/{world.served.pk}/certificate.json?whole_entitlement=true"


@pytest.mark.slow
@pytest.mark.parametrize("role", [*(role for role in READERS if "viewer" not in role), *OUTSIDERS])
def test_every_answer_of_the_api(world: World, role: str) -> None:
    """P1, A7, E17."""
    program, forbidden = program_of(getattr(world.cast, role)), world.forbidden(role)
    answers = [(path, program.get(path)) for path in dict.fromkeys(api_paths(world))]
    search = program.post("/items/search", {"activation_id": world.served.activation_id})
    answers.append(("/items/search", search))
    problems = [(path, answer.status_code) for path, answer in answers if answer.status_code >= 500]
    assert problems == []
    leaks = [
        (path, text) for path, answer in answers for text in found_in(answer, forbidden) if text not in path
    ]
    if role != "other_installer":  # who sends the ID knows it
        leaks = [leak for leak in leaks if leak != ("/items/search", world.served.activation_id)]
    assert leaks == []


def test_who_corrects_an_address_and_reads_a_person(world: World) -> None:
    """A7, N8, P1: of the moved customer the new seller does, the former one neither; the walks ask for both."""
    person = world.cast.customer_contact
    mail = Mail.objects.filter(recipient_email=person.email, line_items=world.served).latest("pk")
    for role, status in (("other_installer", 200), ("installer", 404), ("distributor", 404)):
        client = FollowingClient()
        client.force_login(getattr(world.cast, role))
        assert client.get(reverse("mail_correct", args=[mail.pk])).status_code == status, role
        path = f"/accounts/{world.cast.customer.account_id}/persons/{person.pk}"
        assert program_of(getattr(world.cast, role)).get(path).status_code == status, role


def test_the_bearer_learns_no_seller(world: World) -> None:
    """L2: with the Activation ID alone."""
    body = {"activation_id": world.served.activation_id, "host_id": "CAM-NEW"}
    for path in ("/activations", "/returns"):
        answer = Program().post(path, body)
        assert answer.status_code < 300, answer.content
        assert found_in(answer, world.marks["installer"] + world.marks["distributor"]) == []


# --- Mails ------------------------------------------------------------------------------------------------------------


def written(mail: Mail) -> list[str]:
    message = render(mail)
    if message is None:
        return []
    files = [text for _name, content, kind in message.attachments for text in texts_of(content, kind)]
    return [message.subject, message.text, message.html, *files]


def reader_of(world: World, mail: Mail) -> str:
    people = {person.email: person.account for person in User.objects.select_related("account")}
    roles = {account_of(world.cast, role): role for role in TAGS}
    account = people.get(mail.recipient_email, world.cast.customer)
    return roles.get(account, "mobotix")


def test_every_mail(world: World) -> None:
    """A7, E17: rendered when it is delivered, whoever had asked for it."""
    customer = world.marks["installer"] + world.marks["distributor"] + world.of_the_chain()
    leaks, read = [], set()
    for mail in Mail.objects.all():
        role = reader_of(world, mail)
        forbidden = customer if role == "customer" else [] if role == "mobotix" else world.forbidden(role)
        texts = written(mail)
        read.add((role, mail.kind)) if texts else None
        leaks += [(role, mail.kind, text) for text in forbidden if any(has(one, text) for one in texts)]
    assert leaks == []
    assert {role for role, _kind in read} >= {"customer", "installer", "other_installer"}
    assert ("customer", "entitlements.activation") in read


def test_the_certificate_names_who_looks_after_it(world: World) -> None:
    """E10, E17: in the PDF and in its data."""
    client = Client()
    client.force_login(world.cast.other_installer)
    response = client.get(reverse("line_item_certificate", args=[world.served.pk]))
    texts = [*texts_of(response.content, "application/pdf")]
    assert "XylemWorks" in texts[0]
    assert json.loads(texts[1])["certificate"]["seller"] == "XylemWorks"
    assert Entitlement.objects.get(pk=world.served.entitlement_id).seller == world.cast.installer.account


# --- "Send again" -----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_former_seller_sends_nothing_again(world: World) -> None:
    """N2, E13, E17: neither all that failed nor one of them; it does not see that they are there."""
    client = Client()
    client.force_login(world.cast.installer)
    page = client.get(reverse("mail_list"))
    theirs = set(Mail.objects.filter(line_items__owner=world.cast.customer).values_list("pk", flat=True))
    assert theirs
    assert not theirs & {row.mail.pk for row in page.context["rows"]}
    client.post(reverse("mail_send_all_again"), {"key": new_key()})
    assert (
        set(Mail.objects.filter(status=Status.FAILED, pk__in=theirs).values_list("pk", flat=True)) == theirs
    )
    for pk in theirs:
        assert client.post(reverse("mail_send_again", args=[pk])).status_code == 404
    new = Client()
    new.force_login(world.cast.other_installer)
    assert theirs <= {row.mail.pk for row in new.get(reverse("mail_list")).context["rows"]}
    new.post(reverse("mail_send_all_again"), {"key": new_key()})
    assert not Mail.objects.filter(status=Status.FAILED, pk__in=theirs).exists()
