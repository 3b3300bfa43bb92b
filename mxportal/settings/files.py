"""Languages and time zone, static files, and the size of uploads."""

import fontpkg_barlow
import fontpkg_ibm_plex_mono

from mxportal.settings.environment import BASE_DIR, SERVER, env

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "mxportal" / "locale"]
FORMAT_MODULE_PATH = "mxportal.formats"
TIME_ZONE = CELERY_TIMEZONE = env.str("PORTAL_TIME_ZONE", default="Europe/Berlin")
USE_TZ = True

STATIC_URL = "/static/"
# The portal's typefaces come from their packages (OFL) and are served under fonts/.
FONT_PACKAGES = [fontpkg_barlow, fontpkg_ibm_plex_mono]
# The handbook's pictures are served under handbook/en and handbook/de.
STATICFILES_DIRS = [
    BASE_DIR / "static",
    *(("fonts", package.ROOT / "files") for package in FONT_PACKAGES),
    *((f"handbook/{code}", BASE_DIR / "docs" / "handbook" / code / "pictures") for code, _name in LANGUAGES),
]
# Only for servers, because names with a hash and compressed copies take collectstatic 16 s.
STATIC_MANIFEST = env.bool("STATIC_MANIFEST", default=SERVER)
STATIC_ROOT = env.str("STATIC_ROOT", default=str(BASE_DIR / "staticfiles")) if STATIC_MANIFEST else None
WHITENOISE_USE_FINDERS = not STATIC_MANIFEST
# The limits of each address are lower (mxportal.bodies, entitlements.api.middleware).
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024 * 1024
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "mxportal.staticfiles.PortalStaticFilesStorage"
        if STATIC_MANIFEST
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
