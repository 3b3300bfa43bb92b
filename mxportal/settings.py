"""The one settings file. What differs between installations comes from the environment (docs/operating.md).

Without DATABASE_URL this is the embedded default: SQLite, an in-memory broker, mails as files, all in one process.
With it, it is a server: PostgreSQL, Redis and a mail server must be named, and what is missing is said at once.
"""

import logging
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import environ
import fontpkg_barlow
import fontpkg_ibm_plex_mono
from cryptography.fernet import Fernet, MultiFernet
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from kombu.entity import Queue

from mxportal import logs
from mxportal.schedule import beat_schedule

BASE_DIR = Path(__file__).resolve().parent.parent
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
    """A key of the embedded default: made once, however many processes start at once; readable by its owner only."""
    path = VAR_DIR / name
    if not path.exists():
        fresh = path.with_name(f"{name}.{os.getpid()}")
        fresh.touch(mode=0o600)
        fresh.write_text(make(), encoding="ascii")
        with suppress(FileExistsError):
            path.hardlink_to(fresh)
        fresh.unlink()
    return path.read_text(encoding="ascii").strip()


# --- The site -------------------------------------------------------------------------------------------------------

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
_site = urlsplit(SITE_URL)
if _site.scheme not in {"http", "https"} or not _site.hostname:
    raise ImproperlyConfigured(
        f"SITE_URL must look like https://licenses.example.com, but it is {SITE_URL!r}."
    )
ALLOWED_HOSTS = [_site.hostname] if SERVER else [_site.hostname, "127.0.0.1", "localhost", "[::1]"]
CSRF_TRUSTED_ORIGINS = [f"{_site.scheme}://{_site.netloc}"]

INSTALLED_APPS = [
    "mxportal",
    "accounts",
    "entitlements",
    "handbook",
    "notifications",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "mxportal.staticfiles.PortalStaticFilesConfig",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "crispy_forms",
    "crispy_bootstrap5",
    "csp",
    "django_include_bootstrap",
    "django_htmx",
    "django_countries",
    "ninja",
]
MIDDLEWARE = [
    "mxportal.health.ProbeMiddleware",
    "mxportal.request_log.RequestLogMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "mxportal.bodies.BodyLimitMiddleware",
    "mxportal.maintenance.MaintenanceMiddleware",
    "entitlements.api.middleware.ApiMiddleware",
    "accounts.middleware.CleanCookiesMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.relogin.KeepingLoginRequiredMiddleware",
    "accounts.known_browsers.KnownBrowserMiddleware",
    "accounts.middleware.UserPreferencesMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.PasswordChangeMiddleware",
    "accounts.middleware.QuotaMiddleware",
    "accounts.middleware.PrivatePagesMiddleware",
]
# Prometheus asks the web server and the worker on ports of their own, which no proxy hands on; 0 is off.
METRICS_PORT = env.int("METRICS_PORT", default=0)
WORKER_METRICS_PORT = env.int("WORKER_METRICS_PORT", default=0)
METRICS_HOST = env.str("METRICS_HOST", default="127.0.0.1")
# /healthz and /readyz besides on a port that answers although every request thread waits; 0 is off.
HEALTH_PORT = env.int("HEALTH_PORT", default=0)
HEALTH_HOST = env.str("HEALTH_HOST", default="127.0.0.1")
if METRICS_PORT:
    MIDDLEWARE = [
        "django_prometheus.middleware.PrometheusBeforeMiddleware",
        *MIDDLEWARE,
        "mxportal.metrics.MetricsMiddleware",
    ]
# Threads of each web process that receive requests; the WEB_THREADS that answer them get each of them whole.
WEB_RECEIVERS = env.int("WEB_RECEIVERS", default=64)
ROOT_URLCONF = "mxportal.urls"
WSGI_APPLICATION = "mxportal.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
FORM_RENDERER = "django.forms.renderers.DjangoTemplates"
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"

# --- Database -------------------------------------------------------------------------------------------------------

# `migrate` alone is given it: as the owner it makes the tables, and gives the role of DATABASE_URL its rights on them.
DATABASE_OWNER_URL = env.str("DATABASE_OWNER_URL", default="")
DATABASE_APP_ROLE = env.db_url_config(DATABASE_URL) if DATABASE_OWNER_URL else None
DATABASES = {
    "default": env.db_url_config(DATABASE_OWNER_URL or DATABASE_URL or f"sqlite:///{VAR_DIR / 'db.sqlite3'}")
}
DATABASES["default"] |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
# Nobody waits for a database that hangs; commands may take as long as they need (manage.py), bulk jobs longer.
DATABASE_CONNECT_SECONDS = env.int("DATABASE_CONNECT_SECONDS", default=5)
DATABASE_STATEMENT_SECONDS = env.int("DATABASE_STATEMENT_SECONDS", default=30)
DATABASE_BULK_STATEMENT_SECONDS = env.int("DATABASE_BULK_STATEMENT_SECONDS", default=600)
# PgBouncer in transaction mode: nothing may last longer than a transaction, so the role has what is set below
# (docs/operating.md).
DATABASE_POOLED = env.bool("DATABASE_POOLED", default=False)
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # IMMEDIATE is the lock: every transaction waits for its turn to write before it reads. With recursive triggers,
    # a row that REPLACE pushes out meets the ledger's triggers against deletion too.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA recursive_triggers=ON;",
    }
else:
    _options = DATABASES["default"].setdefault("OPTIONS", {})
    _options["connect_timeout"] = DATABASE_CONNECT_SECONDS
    DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = DATABASE_POOLED
    if not DATABASE_POOLED:
        # An index page costs an SSD no more than the next page: with the default of 4 the planner leaves a tier's
        # index.
        _ours = f"-c random_page_cost=1.1 -c statement_timeout={DATABASE_STATEMENT_SECONDS}s"
        _options["options"] = f"{_ours} {_options.get('options', '')}"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Redis, cache, Celery -------------------------------------------------------------------------------------------

REDIS_URL = env.str("REDIS_URL", default="") or "memory://"
EMBEDDED_WORKER = REDIS_URL == "memory://"  # worker and beat are then threads of the one web process
if EMBEDDED_WORKER:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "OPTIONS": {"MAX_ENTRIES": 20_000},  # beyond it counts of limits would be dropped
        }
    }
else:
    CACHES = {
        "default": {"BACKEND": "mxportal.shared.redis_cache.ForgivingRedisCache", "LOCATION": REDIS_URL}
    }

CELERY_BROKER_URL = "memory://localhost//" if EMBEDDED_WORKER else REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
OUTBOX_SWEEP_SECONDS = env.float("OUTBOX_SWEEP_SECONDS", default=30)
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"  # keeps no file: what must not be lost is a row
CELERY_BEAT_SCHEDULE = beat_schedule(sweep_seconds=OUTBOX_SWEEP_SECONDS)
# Mails have a queue of their own, so that a slow mail server keeps nobody else waiting. A worker that is not told which
# queues to take (-Q) takes both: who starts one plain worker loses no mail.
CELERY_TASK_DEFAULT_QUEUE = "celery"
CELERY_TASK_QUEUES = [Queue(name, routing_key=name) for name in ("celery", "mails")]
CELERY_TASK_CREATE_MISSING_QUEUES = False  # a wrong -Q is refused
CELERY_TASK_ROUTES = {"notifications.*": {"queue": "mails"}}
# A task of a killed worker is handed out again after this time. It stands in three settings, and the shortest wins.
CELERY_VISIBILITY_TIMEOUT = env.int("TASK_VISIBILITY_SECONDS", default=180)
CELERY_RESULT_BACKEND_TRANSPORT_OPTIONS = {"visibility_timeout": CELERY_VISIBILITY_TIMEOUT}
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, float] = {"visibility_timeout": CELERY_VISIBILITY_TIMEOUT}
if EMBEDDED_WORKER:
    CELERY_BROKER_TRANSPORT_OPTIONS["polling_interval"] = 0.1

# --- Mail -----------------------------------------------------------------------------------------------------------

_mail = env.email_url_config(env.str("EMAIL_URL", default="") or "filemail://")
EMAIL_BACKEND = _mail["EMAIL_BACKEND"].replace("django.core.mail.backends.smtp", "notifications.smtp")
EMAIL_HOST = _mail["EMAIL_HOST"] or "localhost"
EMAIL_PORT = _mail["EMAIL_PORT"] or 25
EMAIL_HOST_USER = _mail["EMAIL_HOST_USER"] or ""
EMAIL_HOST_PASSWORD = _mail["EMAIL_HOST_PASSWORD"] or ""
EMAIL_USE_TLS = _mail.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = _mail.get("EMAIL_USE_SSL", False)
EMAIL_FILE_PATH = _mail["EMAIL_FILE_PATH"] or str(VAR_DIR / "mail")
EMAIL_TIMEOUT = env.int("EMAIL_TIMEOUT", default=20)  # seconds, for each step of SMTP
# A batch takes no further mail after the first; the second limits opening a connection, and each mail. Together they
# stay below the visibility time-out, so that no batch is handed out twice (N6).
OUTBOX_BATCH_SECONDS = CELERY_VISIBILITY_TIMEOUT / 5
EMAIL_DEADLINE = CELERY_VISIBILITY_TIMEOUT / 4
OUTBOX_PROBE_SECONDS = env.int(
    "OUTBOX_PROBE_SECONDS", default=30
)  # between two questions to an unreachable server
# How long one deliverer may take for one mail: far longer than a render and all steps of SMTP at EMAIL_TIMEOUT.
OUTBOX_LEASE_SECONDS = env.int("OUTBOX_LEASE_SECONDS", default=300)
# The pauses after the first, second, … failed attempt; after the last one, some three days in, we give up (N2).
_hours = [hours * 3600 for hours in (2, 6, 12, 12, 12, 12, 12)]
OUTBOX_PAUSE_SECONDS = env.list("OUTBOX_PAUSE_SECONDS", cast=int, default=[60, 300, 1800, *_hours])
MAIL_FROM = env.str("MAIL_FROM", default="") or "Mx License Portal <licenses@portal.example>"
DEFAULT_FROM_EMAIL = SERVER_EMAIL = MAIL_FROM

# --- Login ----------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.PortalBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
CSRF_FAILURE_VIEW = "accounts.relogin.csrf_failure"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "accounts.forms.login.LoginForm",
    "reset_password": "accounts.forms.login.ResetPasswordForm",
    "reset_password_from_key": "accounts.forms.login.ResetPasswordKeyForm",
    "change_password": "accounts.forms.login.ChangePasswordForm",
}
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = [
    "username*",
    "password1*",
]  # nobody signs up here; allauth's checks want the two to agree
ACCOUNT_USER_MODEL_USERNAME_FIELD = "login"
ACCOUNT_USER_MODEL_EMAIL_FIELD = "login"
ACCOUNT_PRESERVE_USERNAME_CASING = False
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_REDIRECT_URL = LOGIN_URL
# Counted in the cache before Argon2 runs, which costs 100 ms and 100 MiB an attempt. Without Redis they let pass.
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "change_password": "10/m/user",
    "reset_password_from_key": "20/m/ip",
}
# Counted in the database (accounts.services.attempts): so many, in so many seconds.
ATTEMPTS = {
    "login": (5, 300),  # wrong ones, for one user ID
    "login-address": (10, 60),  # wrong ones, from one address
    "login-browser": (5, 300),  # wrong ones, in a browser that the person has logged in with before
    "reset": (5, 3600),  # for one user ID: each sends a mail
    "reset-address": (20, 60),  # from one address
}
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_ENGINE = "mxportal.sessions"

# --- Behind a proxy, and what browsers are told ---------------------------------------------------------------------

# How many proxies of ours stand in front. They must append to X-Forwarded-For and set X-Forwarded-Proto themselves.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
_https = _site.scheme == "https"
SECURE_SSL_REDIRECT = _https
SECURE_REDIRECT_EXEMPT = ["^healthz$", "^readyz$"]  # asked from within, past the proxy
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=31_536_000) if _https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _https
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = _https
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
SILENCED_SYSTEM_CHECKS = [
    "security.W021"
]  # the preload list is for the owner of the whole domain to decide on
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

# --- Languages and time ---------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "mxportal" / "locale"]
FORMAT_MODULE_PATH = "mxportal.formats"
TIME_ZONE = CELERY_TIMEZONE = env.str("PORTAL_TIME_ZONE", default="Europe/Berlin")
USE_TZ = True

# --- Static files ---------------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
# The portal's typefaces come from their packages (OFL) and are served under fonts/.
FONT_PACKAGES = [fontpkg_barlow, fontpkg_ibm_plex_mono]
# So do the handbook's pictures, under handbook/en and handbook/de.
STATICFILES_DIRS = [
    BASE_DIR / "static",
    *(("fonts", package.ROOT / "files") for package in FONT_PACKAGES),
    *((f"handbook/{code}", BASE_DIR / "docs" / "handbook" / code / "pictures") for code, _name in LANGUAGES),
]
# Names with a hash and compressed copies cost 16 s of collectstatic: for servers only.
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

# --- Log ------------------------------------------------------------------------------------------------------------

LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOG_FORMAT = env.str("LOG_FORMAT", default="json" if SERVER else "line")
if LOG_FORMAT not in logs.FORMATS:
    raise ImproperlyConfigured(f"LOG_FORMAT is one of {', '.join(logs.FORMATS)}, but it is {LOG_FORMAT!r}.")
LOGGING = logs.logging_config(LOG_FORMAT, LOG_LEVEL)
DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID = bool(TRUSTED_PROXIES)
DJANGO_STRUCTLOG_USER_ID_FIELD = ""  # bound in accounts.middleware, where the user is known
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False  # a proxy's log has it, under the same ID
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = logging.DEBUG
DJANGO_STRUCTLOG_STATUS_4XX_LOG_LEVEL = logging.INFO

# --- The portal's own rules -----------------------------------------------------------------------------------------

TEMPORARY_PASSWORD_DAYS = env.int("TEMPORARY_PASSWORD_DAYS", default=7)  # U4
UNDO_DAYS = env.int("UNDO_DAYS", default=14)  # E8
# L4: of an item's quantity, and at least so many copies
RETURNS_A_YEAR_PERCENT = env.int("RETURNS_A_YEAR_PERCENT", default=5)
RETURNS_A_YEAR_LEAST = env.int("RETURNS_A_YEAR_LEAST", default=2)
API_REQUESTS_A_MINUTE = env.int("API_REQUESTS_A_MINUTE", default=600)  # P4, of one token
API_REQUESTS_A_MINUTE_WITHOUT_TOKEN = env.int(
    "API_REQUESTS_A_MINUTE_WITHOUT_TOKEN", default=60
)  # of one address
API_LOG_DAYS = env.int("API_LOG_DAYS", default=90)
API_TOKEN_DAYS = env.int("API_TOKEN_DAYS", default=365)  # P1
API_TOKEN_SUSPENDED_DAYS = env.int("API_TOKEN_SUSPENDED_DAYS", default=30)
API_TOKEN_NOTICE_DAYS = env.list("API_TOKEN_NOTICE_DAYS", cast=int, default=[30, 7])
API_ANSWER_DAYS = env.int("API_ANSWER_DAYS", default=30)  # P2: how long the same key gives the same answer
# L2: wrong IDs of one address; of the form of an old system, and of our own, which nobody can guess
ACTIVATION_GUESSES_AN_HOUR = env.int("ACTIVATION_GUESSES_AN_HOUR", default=10)
ACTIVATION_MISSES_AN_HOUR = env.int("ACTIVATION_MISSES_AN_HOUR", default=1000)
VERIFICATIONS_A_MINUTE = env.int("VERIFICATIONS_A_MINUTE", default=30)  # of one address on /verify/
EXPIRING_DAYS = env.int("EXPIRING_DAYS", default=90)
EXPIRING_NOTICE_DAYS = env.list("EXPIRING_NOTICE_DAYS", cast=int, default=[90, 30, 7])  # N5
MAIL_LATE_MINUTES = env.int("MAIL_LATE_MINUTES", default=10)
# E11: where each day's head of the ledger goes, so that no database alone can deny it
LEDGER_HEAD_RECIPIENTS = env.list("LEDGER_HEAD_RECIPIENTS", default=[])
LEDGER_HEAD_DIRECTORY = env.str("LEDGER_HEAD_DIRECTORY", default="")
TIMESTAMP_URL = env.str("TIMESTAMP_URL", default="")  # a server of RFC 3161
TIMESTAMP_CA = env.str("TIMESTAMP_CA", default="")
if TIMESTAMP_URL and not TIMESTAMP_CA:
    raise ImproperlyConfigured(
        "TIMESTAMP_URL needs TIMESTAMP_CA, the file with the server's root certificate (PEM)."
    )
PINNED_SIGNING_KEYS = env.list("PINNED_SIGNING_KEYS", default=[])  # L6: key IDs, for verify_ledger
SEAL_LATE_MINUTES = env.int("SEAL_LATE_MINUTES", default=10)
DISK_FREE_MB = env.int("DISK_FREE_MB", default=200)
# Q4: of one person, of what costs much
UPLOADS_AN_HOUR = env.int("UPLOADS_AN_HOUR", default=120)
MAILS_AN_HOUR = env.int("MAILS_AN_HOUR", default=500)
DOCUMENTS_AN_HOUR = env.int("DOCUMENTS_AN_HOUR", default=2000)
MAX_MAIL_RECIPIENTS = env.int("MAX_MAIL_RECIPIENTS", default=20)
PAGE_SIZE = env.int("PAGE_SIZE", default=50)
