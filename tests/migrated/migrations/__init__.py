"""Those of entitlements, and after them the ones of this folder."""

from pathlib import Path

import entitlements.migrations

REAL = Path(entitlements.migrations.__file__).parent
LEAF = max(path.stem for path in REAL.glob("0*.py"))
__path__ = [str(REAL), *__path__]
