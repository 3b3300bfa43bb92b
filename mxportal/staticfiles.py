"""Which static files of packages are published, and under which names."""

from django.contrib.staticfiles.apps import StaticFilesConfig
from whitenoise.storage import CompressedManifestStaticFilesStorage


class PortalStaticFilesConfig(StaticFilesConfig):
    """Leaves out source maps, half of all bytes, which nobody needs here, and cuts of typefaces that no page uses."""

    ignore_patterns = [
        *StaticFilesConfig.ignore_patterns,
        "*.map",
        "redoc.standalone.js",  # django-ninja's other page for descriptions
        *(f"*{cut}.ttf" for cut in ("Italic", "Thin", "Light", "ExtraBold", "Black")),
    ]


class PortalStaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Names files with a hash and compresses them, without looking for the source maps that are left out."""

    patterns = tuple(
        (files, tuple(rule for rule in rules if "sourceMappingURL" not in str(rule)))
        for files, rules in CompressedManifestStaticFilesStorage.patterns
    )
