"""What an installation says of itself: server or embedded default, its directory, its keys and its address."""

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import environ
from cryptography.fernet import Fernet, MultiFernet
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent.parent
env = environ.Env()

DATABASE_URL = env.str("DATABASE_URL", default="")
SERVER = bool(DATABASE_URL)
NEEDED_BY_A_SERVER = ["SECRET_KEY", "KEY_ENCRYPTION_KEY", "SITE_URL", "REDIS_URL", "EMAIL_URL", "MAIL_FROM"]
if SERVER and (missing := [name for name in NEEDED_BY_A_SERVER if not env.str(name, default="")]):
    raise ImproperlyConfigured(
        f"DATABASE_URL is set, so this is a server, and these environment variables are missing: {', '.join(missing)}."
    )

VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var")))
VAR_DIR.mkdir(parents=True, exist_ok=True)


def _kept_key(name: str, make: Callable[[], str]) -> str:
    """Return a key of the embedded default, made once by any number of processes, and readable only by its owner."""
    path = VAR_DIR / name
    if not path.exists():
        fresh = path.with_name(f"{name}.{os.getpid()}")
        fresh.touch(mode=0o600)
        fresh.write_text(make(), encoding="ascii")
        with suppress(FileExistsError):
            path.hardlink_to(fresh)
        fresh.unlink()
    return path.read_text(encoding="ascii").strip()


SECRET_KEY = env.str("SECRET_KEY", default="") or _kept_key("secret_key", lambda: secrets.token_urlsafe(64))
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
# Encrypt the private keys that certificates and the ledger are signed with, before they reach the database (L6): the
# first one encrypts, each of them opens.
KEY_ENCRYPTION_KEY = (
    env.str("KEY_ENCRYPTION_KEY", default="")
    or _kept_key("key_encryption_key", lambda: Fernet.generate_key().decode())
).replace(" ", "")
try:
    MultiFernet([Fernet(key) for key in KEY_ENCRYPTION_KEY.split(",")])
except ValueError as error:
    raise ImproperlyConfigured(
        "KEY_ENCRYPTION_KEY must be 32 random bytes in URL-safe base64; while you change it, the new and the old one "
        "with a comma between."
    ) from error
DEBUG = False
DEMO = env.bool("DEMO", default=False)
SITE_URL = (env.str("SITE_URL", default="") or f"http://127.0.0.1:{env.str('PORT', default='8000')}").rstrip(
    "/"
)
site = urlsplit(SITE_URL)
if site.scheme not in {"http", "https"} or not site.hostname:
    raise ImproperlyConfigured(
        f"SITE_URL must look like https://licenses.example.com, but it is {SITE_URL!r}."
    )
ALLOWED_HOSTS = [site.hostname] if SERVER else [site.hostname, "127.0.0.1", "localhost", "[::1]"]
CSRF_TRUSTED_ORIGINS = [f"{site.scheme}://{site.netloc}"]
