"""License files: the page of one, its download, and all licenses of an item in one archive (L3, L5)."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.http import PortalRequest
from accounts.permissions import Permission, requires
from entitlements.activation.pages.downloads import MAX_IN_ZIP, license_filename, license_qr, licenses_zip
from entitlements.activation.pages.rows import activation_rows
from entitlements.activation.services.licenses import is_for_current_id
from entitlements.items.predicates import may_activate
from entitlements.items.shortcuts import load_party_item
from entitlements.models import License
from entitlements.models.activation import LicenseQuerySet
from mxportal.shared.numbers import typed_number
from mxportal.shared.views import download


def _visible(request: PortalRequest) -> LicenseQuerySet:
    licenses = License.objects.visible_to(request.user)
    return licenses.select_related("activation__item__product", "activation__device")


@requires(Permission.VIEW)
@require_safe
def license_detail(request: PortalRequest, license_id: UUID) -> HttpResponse:
    """Show the license of an activation, to be saved or scanned, or that it has ended (L5)."""
    license = get_object_or_404(_visible(request), license_id=license_id)
    (row,) = activation_rows(request.user, [license.activation])
    item = license.activation.item
    valid = license.ended_at is None
    acts = item.is_usable and may_activate(request.user, item)
    context = {
        "license": license,
        "row": row,
        "valid": valid,
        "outdated": valid and not is_for_current_id(license),
        "expires_on": item.expires_on,
        "may_activate": acts,
        "has_more": item.available > 0,
        "again_url": _activate_again_url(license) if request.user.may(Permission.ACTIVATE) and acts else "",
        "qr": license_qr(license) if valid else None,
    }
    return render(request, "entitlements/activation/license_detail.html", context)


def _activate_again_url(license: License) -> str:
    """Return the address of Activate with the same device and number filled in."""
    query = {"host_id": license.activation.device.host_id, "copies": license.copies}
    return reverse("line_item_activate", args=[license.activation.item_id], query=query)


@requires(Permission.VIEW)
@require_safe
def license_download(request: PortalRequest, license_id: UUID) -> HttpResponse:
    """Return the file, while the license is valid (L5)."""
    license = get_object_or_404(_visible(request).valid(), license_id=license_id)
    return download(license.file, license_filename(license), "text/plain; charset=utf-8")


@requires(Permission.VIEW)
@require_safe
def line_item_licenses(request: PortalRequest, pk: int) -> HttpResponse:
    """Return the valid licenses of an item, or those of ``?first=…&last=…``, in one archive.

    It contains at most MAX_IN_ZIP licenses, the newest ones.
    """
    item = load_party_item(request.user, pk)
    licenses = License.objects.visible_to(request.user).valid().filter(activation__item=item)
    newest = in_range(request, licenses).select_related("activation__device").order_by("-pk")[:MAX_IN_ZIP]
    return download(
        licenses_zip(newest), f"licenses-{item.entitlement.entitlement_id}-{pk}.zip", "application/zip"
    )


def in_range(request: PortalRequest, licenses: LicenseQuerySet) -> LicenseQuerySet:
    """Keep the licenses that one request issued: under the item's lock their numbers follow one another."""
    for name, lookup in (("first", "pk__gte"), ("last", "pk__lte")):
        if (number := typed_number(request.GET.get(name, ""))) is not None:
            licenses = licenses.filter(**{lookup: number})
    return licenses
