"""License files to be saved or scanned: their names, all of them in one archive, and one as a QR code (L3, L5)."""

import io
import zipfile
from collections.abc import Iterable, Sequence

import segno
from django.utils.safestring import SafeString, mark_safe

from entitlements.activation.services.licenses import MOST_FILES
from entitlements.models import License

MOST_IN_ZIP = 2000
SAME_MOMENT = (1980, 1, 1, 0, 0, 0)  # the files carry no time: the same licenses give the same archive


def license_filename(license: License) -> str:
    """A name that tells the device, and of several licenses of one device which one it is."""
    host = license.activation.device.host_id.replace(":", "-")
    return f"license-{host}-{str(license.license_id)[:8]}.lic"


def licenses_zip(licenses: Iterable[License]) -> bytes:
    """One file each."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as files:
        for license in licenses:
            files.writestr(zipfile.ZipInfo(license_filename(license), SAME_MOMENT), license.file)
    return archive.getvalue()


def attached_licenses(licenses: Sequence[License]) -> list[tuple[str, bytes, str]]:
    """For a mail: a file each, or one archive of many."""
    if len(licenses) > MOST_FILES:
        return [("licenses.zip", licenses_zip(licenses), "application/zip")]
    # no text/plain: mail programs would show it among the words
    return [(license_filename(one), one.file.encode(), "application/octet-stream") for one in licenses]


def license_qr(license: License) -> SafeString | None:
    """The whole file as one QR code; None where it is too long for one."""
    try:
        code = segno.make_qr(license.file, error="l")
    except segno.DataOverflowError:
        return None
    return mark_safe(code.svg_inline(border=4, light="#ffffff", omitsize=True))
