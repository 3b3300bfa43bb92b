"""Country codes from the names that people type in a spreadsheet."""

from functools import cache

from django.conf import settings
from django.utils.translation import override
from django_countries import countries

from mxportal.shared.fields import fold


def country_code(typed: str) -> str:
    """Return the ISO 3166 code for a typed code or a name in one of the portal's languages; "" for anything else."""
    return _codes().get(fold(typed), "")


@cache
def _codes() -> dict[str, str]:
    codes: dict[str, str] = {}
    for language, _name in settings.LANGUAGES:
        with override(language):
            codes.update({fold(str(name)): code for code, name in countries})
    return codes | {code.casefold(): code for code, _name in countries}
