"""E9: which license files a mail brings: those that are valid when it is delivered, and not too many."""

from collections.abc import Iterable

from django.db.models import QuerySet

from entitlements.models import License, LineItem
from entitlements.services.licenses import is_for_current_id

MOST_FILES = 10  # by themselves; more come in an archive
MOST_ATTACHED = 500  # some 750 kB


def valid_licenses(items: Iterable[LineItem]) -> QuerySet[License]:
    """Of one or more items, newest first."""
    return License.objects.filter(activation__item__in=items, ended_at=None).order_by("-pk")


def licenses_to_attach(items: Iterable[LineItem]) -> tuple[list[License], int]:
    """The newest that open with the Activation ID of the mail (E5), and how many are left out."""
    licenses = valid_licenses(items)
    newest = list(licenses.select_related("activation__device", "activation__item")[:MOST_ATTACHED])
    left_out = licenses.count() - MOST_ATTACHED if len(newest) == MOST_ATTACHED else 0
    return [license for license in newest if is_for_current_id(license)], left_out
