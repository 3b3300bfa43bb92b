"""import-linter's contracts in pyproject.toml refuse what they are there for."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

PACKAGES = ("mxportal", "notifications", "accounts", "entitlements", "handbook")
PLANTED = {
    "across wings": ("entitlements/items/checks.py", "from entitlements.overview.pages import home"),
    "within a wing": ("entitlements/splits/services/undo.py", "from entitlements.splits import forms"),
    "out of an app": ("mxportal/shared/text.py", "from accounts.models import User"),
    "a loose module": ("entitlements/loose.py", "LOOSE = True"),
}


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A copy of the sources, without what is not Python."""
    for package in PACKAGES:
        shutil.copytree(
            settings.BASE_DIR / package,
            tmp_path / package,
            ignore=lambda folder, names: [
                name for name in names if not name.endswith(".py") and not (Path(folder) / name).is_dir()
            ],
        )
    shutil.copy(settings.BASE_DIR / "pyproject.toml", tmp_path)
    return tmp_path


def lint(sources: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter there."""
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    return subprocess.run(command, cwd=sources, check=False, capture_output=True, text=True)


@pytest.mark.slow
def test_the_sources_keep_them(sources: Path) -> None:
    done = lint(sources)
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("place", PLANTED)
def test_an_upward_import_is_refused(sources: Path, place: str) -> None:
    """Planted in a copy. A module outside every wing is refused, too, so that nothing escapes the contracts."""
    path, line = PLANTED[place]
    module = sources / path
    module.write_text((module.read_text() if module.exists() else "") + f"\n{line}\n")
    done = lint(sources)
    assert done.returncode == 1, done.stdout
    assert path.removesuffix(".py").replace("/", ".").rpartition(".")[2] in done.stdout
