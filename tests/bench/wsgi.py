"""The portal for gunicorn, with the bench's addresses beside its own."""

from django.core.wsgi import get_wsgi_application

from tests.bench.__main__ import configure

configure()
application = get_wsgi_application()
