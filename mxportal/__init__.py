"""The Mx License Portal: settings, addresses, and what its apps share."""

from mxportal.celery import app as celery_app

__all__ = ["celery_app"]
