#!/usr/bin/env python
"""Django's command line, with the portal's settings."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mxportal.settings")
    os.environ["DATABASE_STATEMENT_SECONDS"] = (
        "0"  # a migration or a check of the ledger takes as long as it needs
    )
    execute_from_command_line(sys.argv)
