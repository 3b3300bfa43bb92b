"""Brings the database up to date, makes the demo company chain and prints its logins: one start of Python for all."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mxportal.settings")

import django
from django.conf import settings
from django.core.management import call_command

django.setup()
call_command("migrate", verbosity=0, interactive=False)
call_command("make_demo")
print(f"\nMx License Portal: {settings.SITE_URL}  (Ctrl+C ends it)\n", flush=True)
