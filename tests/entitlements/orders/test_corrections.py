"""E15: MOBOTIX changes quantities, up and down."""

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from accounts.models import AuditEntry, User, UserStatus
from entitlements.items.checks import MAX_COPIES
from entitlements.ledger.verification import differences
from entitlements.models import LineItem, Movement, State
from entitlements.orders.services.corrections import Correction, change_quantity
from entitlements.orders.services.states import change_state
from mxportal.shared.forms import new_key
from notifications.models import Mail
from notifications.registry import render
from tests.entitlements.pages import assert_statuses, client_of, errors_of, html_of
from tests.factories import Cast, Chain, issue_item, split_item

pytestmark = pytest.mark.django_db
REASON = "Agreed with the customer by telephone"


def address(item: LineItem) -> str:
    return reverse("line_item_quantity", args=[item.pk])


def typed(correction: str, copies: str = "", **changes: Any) -> dict[str, Any]:
    known = {"key": new_key(), "correction": correction, "copies": copies, "reason": REASON, "step": "change"}
    return known | changes


def balances(*items: LineItem) -> list[tuple[int, int, int]]:
    """Quantity, available and split of each; every balance is what the movements say."""
    assert not list(differences())
    values = LineItem.objects.values_list("quantity", "available", "split")
    return [values.get(pk=item.pk) for item in items]


def of_chain(chain: Chain) -> list[tuple[int, int, int]]:
    return balances(chain.issued, chain.installed, chain.served)


def test_an_issued_item_is_raised(cast: Cast, chain: Chain) -> None:
    """E15: one movement, with the reason."""
    response = client_of(cast.mobotix).post(address(chain.issued), typed("raise", "20"), follow=True)

    assert "The quantity is now 120." in html_of(response)
    assert of_chain(chain) == [(120, 80, 40), (40, 35, 5), (5, 5, 0)]
    movement = Movement.objects.latest("pk")
    assert (movement.kind, movement.copies, movement.reason) == ("adjust", 20, REASON)
    entry = AuditEntry.objects.filter(action="quantity_changed").get()
    assert (entry.object_id, entry.reason, entry.details) == (chain.issued.pk, REASON, {"change": 20})


def test_an_issued_item_is_lowered(cast: Cast, chain: Chain) -> None:
    """E15: revoked at once; there is no level above."""
    client_of(cast.mobotix).post(address(chain.issued), typed("lower", "60"))

    assert of_chain(chain) == [(40, 0, 40), (40, 35, 5), (5, 5, 0)]


def test_a_split_is_lowered_through_all_levels(cast: Cast, chain: Chain) -> None:
    """E15: quantity and split of every ancestor fall with it, level by level, and are revoked at the issued item."""
    client_of(cast.mobotix).post(address(chain.served), typed("lower", "2"))

    assert of_chain(chain) == [(98, 60, 38), (38, 35, 3), (3, 3, 0)]
    written = Movement.objects.order_by("-pk").values_list("kind", "item", "copies")[:3]
    assert list(reversed(written)) == [
        ("undo", chain.served.pk, 2),
        ("undo", chain.installed.pk, 2),
        ("revoke", chain.issued.pk, 2),
    ]


def test_what_is_emptied_is_obsolete(cast: Cast, chain: Chain) -> None:
    """E3: every level that holds no copies any more, with an entry in its history."""
    client_of(cast.mobotix).post(address(chain.installed), typed("lower", "35"))
    client_of(cast.mobotix).post(address(chain.served), typed("lower", "5"))

    assert of_chain(chain) == [(60, 60, 0), (0, 0, 0), (0, 0, 0)]
    for item, state in (
        (chain.issued, "deployed"),
        (chain.installed, "obsolete"),
        (chain.served, "obsolete"),
    ):
        item.refresh_from_db()
        assert item.state == state
    page = html_of(client_of(cast.installer).get(reverse("line_item_history", args=[chain.served.pk])))
    assert "The state changed from “Deployed” to “Obsolete”." in page


def test_everything_available_is_revoked(cast: Cast, chain: Chain) -> None:
    """E15: of an item and of all that was split from it, at once; what is above falls by the sum."""
    other = split_item(cast.distributor, chain.issued, cast.sibling_installer.account, copies=7)
    split_item(cast.installer, chain.installed, cast.customer, copies=3)
    client = client_of(cast.mobotix)
    page = html_of(client.get(address(chain.installed)))
    assert "of everything split from it: 40 copies" in page
    client.post(address(chain.installed), typed("revoke_all"))

    assert of_chain(chain) == [(60, 53, 7), (0, 0, 0), (0, 0, 0)]
    assert balances(other) == [(7, 7, 0)]
    client.post(address(chain.issued), typed("revoke_all"))
    assert balances(chain.issued, other) == [(0, 0, 0), (0, 0, 0)]


def test_the_preview_says_what_changes(cast: Cast, chain: Chain) -> None:
    """E15: each level with its quantity before and after; nothing is written yet."""
    response = client_of(cast.mobotix).post(address(chain.served), typed("lower", "5", step="preview"))
    rows = response.context["changes"]

    shown = [(line.row.owner, line.row.quantity, line.change.quantity_after) for line in rows]
    assert shown == [
        ("Nordlicht Distribution", 100, 95),
        ("Blick Sicherheitstechnik", 40, 35),
        ("City Hospital", 5, 0),
    ]
    assert [line.change.available_after for line in rows] == [60, 35, 0]
    assert "becomes Obsolete" in html_of(response)
    assert REASON in html_of(response)
    assert of_chain(chain)[0] == (100, 60, 40)


@pytest.mark.slow
def test_a_long_preview_is_cut(cast: Cast, chain: Chain) -> None:
    """The rest is a number."""
    for _ in range(30):
        split_item(cast.distributor, chain.issued, cast.installer.account, copies=1)
    response = client_of(cast.mobotix).post(address(chain.issued), typed("revoke_all", step="preview"))
    assert len(response.context["changes"]) == 30
    assert "3 further line items below change too." in html_of(response)


def test_back_from_the_preview_keeps_what_was_typed(cast: Cast, chain: Chain) -> None:
    """Nothing has to be typed twice, and the key stays."""
    data = typed("lower", "7", step="back")
    form = client_of(cast.mobotix).post(address(chain.issued), data).context["form"]
    assert [form[name].value() for name in ("correction", "copies", "reason", "key")] == [
        "lower",
        "7",
        REASON,
        data["key"],
    ]


@pytest.mark.parametrize("step", ["preview", "change"])
@pytest.mark.parametrize(
    ("which", "data", "errors"),
    [
        ("served", {"correction": "lower", "copies": "6"}, {"copies": "Only 5 copies are available now."}),
        ("served", {"correction": "lower", "copies": "0"}, {"copies": "Enter at least 1 copy."}),
        ("served", {"correction": "lower", "copies": "-1"}, {"copies": "Enter at least 1 copy."}),
        ("served", {"correction": "lower", "copies": ""}, {"copies": "Enter a number of copies."}),
        ("served", {"correction": "lower", "copies": "1.5"}, {"copies": "Enter a whole number"}),
        ("served", {"correction": "lower", "copies": "1" + "0" * 25}, {"copies": "Only 5 copies"}),
        (
            "served",
            {"correction": "raise", "copies": "1"},
            {"__all__": "Only a line item that MOBOTIX issued"},
        ),
        ("issued", {"correction": "raise", "copies": "0"}, {"copies": "Enter at least 1 copy."}),
        ("issued", {"correction": "raise", "copies": str(MAX_COPIES)}, {"copies": "at most 999,999,900"}),
        ("issued", {"correction": "", "copies": "1"}, {"correction": "Choose what to do."}),
        ("issued", {"correction": "lower", "copies": "1", "reason": " "}, {"reason": "Enter why MOBOTIX"}),
        ("issued", {"correction": "lower", "copies": "1", "reason": "x" * 501}, {"reason": "at most 500"}),
    ],
)
def test_what_is_refused(
    cast: Cast, chain: Chain, step: str, which: str, data: dict[str, str], errors: dict[str, str]
) -> None:
    """E15: n ≤ available, upwards only what was issued, and always with a reason; a sentence at its field."""
    response = client_of(cast.mobotix).post(address(getattr(chain, which)), typed("lower", step=step) | data)
    got = errors_of(response)
    assert set(got) == set(errors)
    assert all(text in got[field][0] for field, text in errors.items()), got
    assert of_chain(chain) == [(100, 60, 40), (40, 35, 5), (5, 5, 0)]


def test_twice_is_once(cast: Cast, chain: Chain) -> None:
    """E7: the same form sent again; the same key for something else is refused with a sentence."""
    client, data = client_of(cast.mobotix), typed("lower", "2")
    assert [client.post(address(chain.served), data).status_code for _ in range(2)] == [302, 302]
    response = client.post(address(chain.served), data | {"copies": "1"})
    assert "was already sent with other values" in str(errors_of(response))
    assert balances(chain.served) == [(3, 3, 0)]


def test_obsolete_copies_can_be_revoked_but_not_raised(cast: Cast, chain: Chain) -> None:
    """E3: Obsolete is final for what can be used; copies that lie there dead are not counted for ever."""
    for item in (chain.issued, chain.served):
        change_state(actor=cast.mobotix, item_id=item.pk, state=State.OBSOLETE, key=new_key(), reason="Fraud")
    client = client_of(cast.mobotix)
    client.post(address(chain.served), typed("lower", "5"))
    assert of_chain(chain) == [(95, 60, 35), (35, 35, 0), (0, 0, 0)]
    assert "that is final" in str(errors_of(client.post(address(chain.issued), typed("raise", "1"))))


def test_a_draft_keeps_a_copy_and_nobody_is_told(cast: Cast) -> None:
    """E3: emptied, it would be Obsolete, and its owner would see what was never deployed."""
    draft = issue_item(cast, deploy=False)
    client = client_of(cast.mobotix)
    for data in (typed("lower", "100"), typed("revoke_all")):
        assert "A draft keeps at least one copy" in str(errors_of(client.post(address(draft), data)))
    client.post(address(draft), typed("lower", "99"))
    client.post(address(draft), typed("raise", "4"))
    assert balances(draft) == [(5, 5, 0)]
    assert not Mail.objects.filter(kind="entitlements.corrected").exists()


def test_whoever_holds_what_changed_is_told(cast: Cast, chain: Chain) -> None:
    """E15: the contacts of the item and of every level above, once each, without names; not who is inactive."""
    client_of(cast.mobotix).post(address(chain.served), typed("lower", "2"))
    mails = Mail.objects.filter(kind="entitlements.corrected").order_by("recipient_email")
    assert [mail.recipient_email for mail in mails] == sorted(
        [cast.distributor.email, cast.installer.email, cast.customer_contact.email]
    )
    for mail in mails:
        message = render(mail)
        assert message
        assert "-2" in message.text
        assert "-2" in message.html
        for secret in ("City Hospital", "Blick", REASON, chain.served.activation_id):
            assert secret not in message.text + message.html
    told = {mail.recipient_email: [item.pk for item in mail.line_items.all()] for mail in mails}
    assert told[cast.distributor.email] == [chain.issued.pk]
    assert chain.served.activation_id_tail not in str(
        render(mails.get(recipient_email=cast.distributor.email))
    )

    User.objects.filter(pk=cast.distributor.pk).update(status=UserStatus.INACTIVE, login=None)
    client_of(cast.mobotix).post(address(chain.issued), typed("raise", "2"))
    assert mails.filter(recipient_email=cast.distributor.email).count() == 1


@pytest.mark.slow
def test_one_mail_for_many_items(cast: Cast, chain: Chain) -> None:
    """A contact with forty items that changed gets one mail; what does not fit is counted."""
    for _ in range(55):
        split_item(cast.distributor, chain.issued, cast.installer.account, copies=1)
    client_of(cast.mobotix).post(address(chain.issued), typed("revoke_all"))
    mail = Mail.objects.get(kind="entitlements.corrected", recipient_email=cast.installer.email)
    message = render(mail)
    assert message
    assert "6 further line items were changed" in message.text
    assert mail.line_items.count() == 56


def test_the_reason_is_not_for_those_above(cast: Cast, chain: Chain) -> None:
    """E12: it is about the item; up the chain it might name whom they may not know."""
    client_of(cast.mobotix).post(
        address(chain.served), typed("lower", "2", reason="City Hospital has closed")
    )
    for item in (chain.issued, chain.installed, chain.served):
        page = html_of(client_of(cast.distributor).get(reverse("line_item_history", args=[item.pk])))
        assert "City Hospital" not in page
    history = reverse("line_item_history", args=[chain.served.pk])
    assert "City Hospital has closed" in html_of(client_of(cast.installer).get(history))


@pytest.mark.slow
def test_who_may(cast: Cast, chain: Chain) -> None:
    """U3: MOBOTIX's admins alone."""
    everybody_else = [
        (user, 403) for user in (cast.mobotix_viewer, cast.distributor, cast.installer, cast.other_installer)
    ]
    for method in ("get", "post"):
        assert_statuses(address(chain.issued), [(cast.mobotix, 200), *everybody_else], method)
    with pytest.raises(PermissionDenied):
        change_quantity(
            actor=cast.distributor,
            item_id=chain.issued.pk,
            correction=Correction.RAISE,
            copies=1,
            key=new_key(),
            reason=REASON,
        )
    assert client_of(cast.mobotix).get(reverse("line_item_quantity", args=[10**9])).status_code == 404
