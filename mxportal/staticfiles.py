"""What of the packages' static files is published, and under which names."""

from django.contrib.staticfiles.apps import StaticFilesConfig
from whitenoise.storage import CompressedManifestStaticFilesStorage


class PortalStaticFilesConfig(StaticFilesConfig):
    """Leaves out the source maps, half of all bytes, which nobody needs here, and the cuts no page is set in."""

    ignore_patterns = [
        *StaticFilesConfig.ignore_patterns,
        "*.map",
        "redoc.standalone.js",  # the other page for descriptions of APIs that django-ninja brings
        *(f"*{cut}.ttf" for cut in ("Italic", "Thin", "Light", "ExtraBold", "Black")),
    ]


class PortalStaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Names with a hash and compressed copies, without looking for the source maps that are left out."""

    patterns = tuple(
        (files, tuple(rule for rule in rules if "sourceMappingURL" not in str(rule)))
        for files, rules in CompressedManifestStaticFilesStorage.patterns
    )
