"""The mail server and the outbox."""

from mxportal.settings.environment import VAR_DIR, env
from mxportal.settings.tasks import CELERY_VISIBILITY_TIMEOUT

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
