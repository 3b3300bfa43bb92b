"""A folder in which the processes of one server share their counters, so that each of them can answer for all.

prometheus_client looks for it when it is imported: call `share` before that.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path


def share() -> None:
    """Make the folder for this process and its forks; it is removed with this process."""
    folder = tempfile.mkdtemp(prefix="portal-metrics-")
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
    atexit.register(_remove, Path(folder), os.getpid())


def _remove(folder: Path, owner: int) -> None:
    if os.getpid() == owner:  # forked processes call this, too
        shutil.rmtree(folder, ignore_errors=True)
