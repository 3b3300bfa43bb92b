"""License files for download or scanning: their names, an archive of several, and a QR code of one (L3, L5)."""

import io
import zipfile
from collections.abc import Iterable, Sequence

import segno
from django.utils.safestring import SafeString, mark_safe

from entitlements.activation.services.licenses import MAX_SINGLE_FILES
from entitlements.models import License

MAX_IN_ZIP = 2000
FIXED_TIME = (1980, 1, 1, 0, 0, 0)  # so that the same licenses give the same archive


def license_filename(license: License) -> str:
    """Return a file name with the device's host ID and the start of the license ID."""
    host = license.activation.device.host_id.replace(":", "-")
    return f"license-{host}-{str(license.license_id)[:8]}.lic"


def licenses_zip(licenses: Iterable[License]) -> bytes:
    """Return an archive with one file for each license."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as files:
        for license in licenses:
            files.writestr(zipfile.ZipInfo(license_filename(license), FIXED_TIME), license.file)
    return archive.getvalue()


def attached_licenses(licenses: Sequence[License]) -> list[tuple[str, bytes, str]]:
    """Return the attachments of a mail: one file for each license, or one archive of many."""
    if len(licenses) > MAX_SINGLE_FILES:
        return [("licenses.zip", licenses_zip(licenses), "application/zip")]
    # not text/plain, which mail programs would show in the text
    return [(license_filename(one), one.file.encode(), "application/octet-stream") for one in licenses]


def license_qr(license: License) -> SafeString | None:
    """Return the whole file as one QR code, or None where it is too long for one."""
    try:
        code = segno.make_qr(license.file, error="l")
    except segno.DataOverflowError:
        return None
    return mark_safe(code.svg_inline(border=4, light="#ffffff", omitsize=True))
