"""What "Offline activation" shows of a request, before and after it is carried out (L3)."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.core import signing
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from entitlements.activation.offline.services import Answer, Step
from entitlements.activation.pages.downloads import license_filename, license_qr
from entitlements.models import License

LINK_SALT = "offline-licenses"
LINK_SECONDS = 3600
MAX_QR_CODES = 10  # each adds some 30 kB to the page


@dataclass(frozen=True)
class PlannedRow:
    """One Activation ID before the request is carried out.

    A person who has the ID may read the product, but no names.
    """

    activation_id: str
    product: str
    part_number: str
    effect: str
    problem: str


@dataclass(frozen=True)
class AnsweredRow:
    """One Activation ID after the request was carried out; a return has no license."""

    product: str
    part_number: str
    tail: str
    license: License | None
    filename: str
    link: str
    qr: SafeString | None


def planned_rows(steps: Sequence[Step]) -> list[PlannedRow]:
    """Return the rows in the order of the request."""
    return [
        PlannedRow(
            activation_id=step.wanted.activation_id,
            product=step.item.product.name if step.item else "",
            part_number=step.item.product.part_number if step.item else "",
            effect="" if step.problem else _effect(step),
            problem=step.problem,
        )
        for step in steps
    ]


def _effect(step: Step) -> str:
    """Return the sentence that says what happens to the device."""
    if step.wanted.is_return and not step.held:
        return _("The device has no copies of this line item: nothing changes.")
    if not step.change:
        return _("The device already has these copies: nothing changes, and you get its license again.")
    if step.returned:
        return _return_effect(step)
    more = ngettext("%(copies)s copy is activated.", "%(copies)s copies are activated.", step.change)
    return _now_holding(more % {"copies": step.change}, step) if step.held else more % {"copies": step.change}


def _return_effect(step: Step) -> str:
    sentence = ngettext("%(copies)s copy is returned.", "%(copies)s copies are returned.", step.returned)
    returned = sentence % {"copies": step.returned}
    if not step.wanted.is_return:
        return _now_holding(returned, step)
    return " ".join([returned, _("The license on this device ends.")])


def _now_holding(change: str, step: Step) -> str:
    total = ngettext(
        "The device then has %(copies)s copy.",
        "The device then has %(copies)s copies.",
        step.wanted.copies,
    )
    return " ".join([change, total % {"copies": step.wanted.copies}])


def answered_rows(answers: Sequence[Answer]) -> list[AnsweredRow]:
    """Return the rows in the order of the request, without QR codes where so many would be too large for a phone."""
    with_qr = sum(answer.license is not None for answer in answers) <= MAX_QR_CODES
    return [_answered(answer, with_qr) for answer in answers]


def _answered(answer: Answer, with_qr: bool) -> AnsweredRow:
    license, product = answer.license, answer.item.product
    return AnsweredRow(
        product=product.name,
        part_number=product.part_number,
        tail=answer.item.activation_id_tail,
        license=license,
        filename=license_filename(license) if license else "",
        link=license_link([license]) if license else "",
        qr=license_qr(license) if license and with_qr else None,
    )


def license_link(licenses: Sequence[License]) -> str:
    """Return the text in the address of a download, which is valid for an hour.

    It is no secret: the files can only be opened with Activation ID and host ID.
    """
    return signing.dumps([license.pk for license in licenses], salt=LINK_SALT)


def linked_licenses(link: str) -> list[License]:
    """Return the licenses of a link that are still valid; none where the link is invalid or too old."""
    try:
        ids = signing.loads(link, salt=LINK_SALT, max_age=LINK_SECONDS)
    except signing.BadSignature:
        return []
    valid = License.objects.filter(pk__in=ids, ended_at=None)
    return list(valid.select_related("activation__device").order_by("pk"))
