"""Free space on the disks of this machine."""

import shutil
from pathlib import Path

from django.conf import settings
from django.db import connection

MEGABYTE = 1024 * 1024


def disks_have_room() -> bool:
    """Return whether VAR_DIR, and on SQLite the database's directory, have DISK_FREE_MB left."""
    directories = [Path(settings.VAR_DIR)]
    if connection.vendor == "sqlite":
        directories.append(Path(connection.settings_dict["NAME"]).absolute().parent)
    return all(shutil.disk_usage(path).free >= settings.DISK_FREE_MB * MEGABYTE for path in directories)
