"""The log."""

import logging

from django.core.exceptions import ImproperlyConfigured

from mxportal import logs
from mxportal.settings.browsers import TRUSTED_PROXIES
from mxportal.settings.environment import SERVER, env

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
