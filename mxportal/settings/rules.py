"""The portal's own rules: periods, limits, and where the ledger's heads go."""

from django.core.exceptions import ImproperlyConfigured

from mxportal.settings.environment import env

TEMPORARY_PASSWORD_DAYS = env.int("TEMPORARY_PASSWORD_DAYS", default=7)  # U4
UNDO_DAYS = env.int("UNDO_DAYS", default=14)  # E8
# Of an item's quantity, and at least so many copies (L4).
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
# Wrong IDs from one address: in the form of an old system, and in ours, which nobody can guess (L2).
ACTIVATION_GUESSES_AN_HOUR = env.int("ACTIVATION_GUESSES_AN_HOUR", default=10)
ACTIVATION_MISSES_AN_HOUR = env.int("ACTIVATION_MISSES_AN_HOUR", default=1000)
VERIFICATIONS_A_MINUTE = env.int("VERIFICATIONS_A_MINUTE", default=30)  # of one address on /verify/
EXPIRING_DAYS = env.int("EXPIRING_DAYS", default=90)
EXPIRING_NOTICE_DAYS = env.list("EXPIRING_NOTICE_DAYS", cast=int, default=[90, 30, 7])  # N5
MAIL_LATE_MINUTES = env.int("MAIL_LATE_MINUTES", default=10)
# Where each day's head of the ledger goes, so that it is proven outside of the database, too (E11).
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
# Of one person, for what costs much (Q4).
UPLOADS_AN_HOUR = env.int("UPLOADS_AN_HOUR", default=120)
MAILS_AN_HOUR = env.int("MAILS_AN_HOUR", default=500)
DOCUMENTS_AN_HOUR = env.int("DOCUMENTS_AN_HOUR", default=2000)
MAX_MAIL_RECIPIENTS = env.int("MAX_MAIL_RECIPIENTS", default=20)
PAGE_SIZE = env.int("PAGE_SIZE", default=50)
