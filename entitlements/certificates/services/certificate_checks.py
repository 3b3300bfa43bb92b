"""Checks of a certificate's signed data, and of what has changed since (L7)."""

from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from entitlements.ledger.findings import Check, key_check
from entitlements.ledger.sealing.commitments import item_token
from entitlements.ledger.sealing.disclosure import root_of_entry, shown_values
from entitlements.ledger.sealing.proofs import BEGINS, LOWERS
from entitlements.ledger.signing import Domain, is_signed
from entitlements.models import LedgerHead, LineItem, MovementKind, SigningKey, State
from mxportal.shared.canonical import canonical_json

MAX_CERTIFICATE_LINES = (
    10_000  # more than a certificate of the portal has; SQLite refuses queries for very many
)


def certificate_checks(data: dict[str, Any]) -> Iterator[Check]:
    """Yield the checks of a certificate's data, signatures first, because the rest depends on them (L7).

    Raises any error of BROKEN (services.documents) where the form is wrong.
    """
    certificate, signature = data["certificate"], data["signature"]
    statement = {name: value for name, value in data.items() if name != "signature"}
    key = _signer(signature["key"], Domain.CERTIFICATE, statement, signature["value"])
    sentence = _("This portal signed the certificate on %(day)s") % {"day": _day(certificate["issued_on"])}
    yield Check(sentence, key is not None)
    if key is not None:
        yield key_check(key)
    yield from _head_checks(data["head"])
    codes = [str(line["verification_code"]) for line in certificate["lines"]]
    if len(codes) > MAX_CERTIFICATE_LINES:
        raise ValueError("no certificate has so many lines")
    items = {item.verification_code: item for item in LineItem.objects.filter(verification_code__in=codes)}
    for number, (code, line) in enumerate(zip(codes, certificate["lines"], strict=True), start=1):
        about = _("Line %(number)s") % {"number": number}
        yield from _line_checks(about, line, data["head"], items.get(code))
        if key is not None and code in items:  # a forger learns nothing about the present state
            yield from _checks_of_today(about, line, items[code])


def _signer(key_id: str, domain: Domain, statement: dict[str, Any], signature: str) -> SigningKey | None:
    """Return the named key if it signed the statement, else None."""
    key = SigningKey.objects.filter(key_id=str(key_id)).first()
    signed = key and is_signed(key, domain, canonical_json(statement), bytes.fromhex(signature))
    return key if signed else None


def _day(written: str) -> str:
    return date_format(date.fromisoformat(written), "SHORT_DATE_FORMAT")


def _head_checks(head: dict[str, Any]) -> Iterator[Check]:
    if not head:
        yield Check(_("The ledger was sealed when the certificate was made"), False)
        return
    statement = {name: value for name, value in head.items() if name != "signature"}
    key = _signer(head["key"], Domain.LEDGER_HEAD, statement, head["signature"])
    sentence = _("This portal signed the ledger with %(size)s entries")
    yield Check(sentence % {"size": int(head["size"])}, key is not None)
    kept = LedgerHead.objects.filter(size=head["size"], root=bytes.fromhex(head["root"])).exists()
    yield Check(_("The ledger still contains this head"), kept)


def _line_checks(
    about: str, line: dict[str, Any], head: dict[str, Any], item: LineItem | None
) -> Iterator[Check]:
    """Yield the checks of one line, named by its number.

    The certificate's holder has the Activation IDs; the page of the answer does not show them.
    """
    steps, root, size = line["movements"], head.get("root"), head.get("size", 0)
    sealed = [step for step in steps if step["state"] == "sealed"]
    in_tree = all((found := root_of_entry(step, size)) and found.hex() == root for step in sealed)
    in_ledger, descends = (
        _("every movement is in the sealed ledger"),
        _("its copies descend from an issue of MOBOTIX"),
    )
    copies = int(line["quantity"])
    adds_up = ngettext(
        "its movements add up to %(copies)s copy", "its movements add up to %(copies)s copies", copies
    )
    yield Check(f"{about}: {in_ledger}", in_tree and sealed == steps)
    yield Check(f"{about}: {descends}", _descends(line))
    yield Check(f"{about}: {adds_up % {'copies': copies}}", _adds_up(line))
    known = _("this portal knows it")
    yield Check(f"{about}: {known}", item is not None)


def _checks_of_today(about: str, line: dict[str, Any], item: LineItem) -> Iterator[Check]:
    """Yield the checks of facts that can change while the certificate stays genuine (E3, E5, E8)."""
    same, current = item.quantity == line["quantity"], item.activation_id == line["activation_id"]
    quantity = _("the quantity is the same as on the certificate") if same else _("the quantity has changed")
    today = ngettext("today: %(copies)s copy", "today: %(copies)s copies", item.quantity)
    state = _("the licenses can be activated") if item.is_usable else _("the licenses cannot be activated")
    label = State(item.state).label
    states = _("today: %(state)s, expired") if item.is_expired else _("today: %(state)s")
    replaced = _("its Activation ID is still valid") if current else _("its Activation ID has been replaced")
    yield Check(f"{about}: {quantity} ({today % {'copies': item.quantity}})", same, of_today=True)
    yield Check(f"{about}: {state} ({states % {'state': label}})", item.is_usable, of_today=True)
    yield Check(f"{about}: {replaced}", current, of_today=True)


def _descends(line: dict[str, Any]) -> bool:
    """Return whether the movements lead from an issue to the line's item.

    From the issue on, each step starts with the item of the step before; later movements of the item itself follow.
    """
    steps = [shown_values(step) for step in line["movements"]]
    own = item_token(line["verification_code"])
    chain = [step for step in steps if step["kind"] in BEGINS]
    return (
        [step["kind"] for step in chain] == [MovementKind.ISSUE, *[MovementKind.SPLIT] * (len(chain) - 1)]
        and chain[0]["parent"] == ""
        and all(below["parent"] == above["item"] for above, below in pairwise(chain))
        and all(step["item"] == own for step in steps[len(chain) - 1 :])
        and {step["product"] for step in steps} == {line["product"]}
    )


def _adds_up(line: dict[str, Any]) -> bool:
    """Return whether the item's own movements add up to its quantity, each leaf counted once."""
    leaves = [step["leaf"] for step in line["movements"] if step["state"] == "sealed"]
    own = [values for step in line["movements"] if "copies" in (values := shown_values(step))]
    total = sum(-int(step["copies"]) if step["kind"] in LOWERS else int(step["copies"]) for step in own)
    return len(leaves) == len(set(leaves)) and total == line["quantity"]
