"""The portal as a WSGI application, for gunicorn."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mxportal.settings")

site = get_wsgi_application()
if settings.METRICS_PORT:
    from mxportal.metrics import with_metrics

    application: object = with_metrics(site)
else:
    application = site
