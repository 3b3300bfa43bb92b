"""The German catalogue holds every text of the sources, translated and not fuzzy, and its compiled form is up to date.

Gathers the texts with makemessages in a copy of the sources, so nothing is written here. Needs gettext.
"""

import gettext
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CATALOGUE = Path("mxportal/locale/de/LC_MESSAGES/django.po")


def copy_sources(target: Path) -> None:
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    for name in names:
        if name and not name.startswith(("tests/", "static/")) and (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)


def gathered(directory: Path) -> Path:
    """The catalogue as makemessages would leave it."""
    copy_sources(directory)
    command = [
        sys.executable,
        "manage.py",
        "makemessages",
        "-l",
        "de",
        "--no-location",
        "--no-obsolete",
        "--no-wrap",
    ]
    environment = os.environ | {"VAR_DIR": str(directory / "var")}
    subprocess.run(command, cwd=directory, check=True, stdout=subprocess.DEVNULL, env=environment)
    return directory / CATALOGUE


def count_open(catalogue: Path) -> str:
    """msgfmt's own words about what is not translated or fuzzy; empty when nothing is."""
    command = ["msgfmt", "--check", "--statistics", "--output-file=/dev/null", str(catalogue)]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, env=os.environ | {"LC_ALL": "C"}
    )
    if done.returncode or re.search(r"fuzzy|untranslated", done.stderr):
        return done.stderr.strip()
    return ""


def open_texts(catalogue: Path) -> str:
    both = ["msgattrib", "--no-obsolete", "--no-wrap"]
    untranslated = subprocess.run(
        [*both, "--untranslated", catalogue], check=True, capture_output=True, text=True
    ).stdout
    fuzzy = subprocess.run(
        [*both, "--only-fuzzy", catalogue], check=True, capture_output=True, text=True
    ).stdout
    return "\n".join(re.findall(r'^msgid "(?:.+)"$', untranslated + fuzzy, re.MULTILINE))


def is_compiled(catalogue: Path) -> bool:
    """Whether the .mo beside it, which bare machines use, says the same."""
    compiled = catalogue.with_suffix(".mo")
    if not compiled.exists():
        return False
    with tempfile.TemporaryDirectory() as directory:
        fresh = Path(directory) / "django.mo"
        subprocess.run(["msgfmt", "--output-file", fresh, str(catalogue)], check=True)
        return _texts(compiled) == _texts(fresh)


def _texts(compiled: Path) -> dict[str, str]:
    with compiled.open("rb") as file:
        return gettext.GNUTranslations(file)._catalog


def faults() -> list[str]:
    if not shutil.which("xgettext"):
        return ["gettext is needed: apt-get install gettext"]
    if not (ROOT / CATALOGUE).exists():
        return [f"{CATALOGUE} is missing: run make messages."]
    found = []
    with tempfile.TemporaryDirectory() as directory:
        catalogue = gathered(Path(directory))
        if statistics := count_open(catalogue):
            found.append(f"Texts without a translation ({statistics}):\n{open_texts(catalogue)}")
    if not is_compiled(ROOT / CATALOGUE):
        found.append("The compiled catalogue is out of date: run make messages.")
    return found


if __name__ == "__main__":
    sys.exit("\n".join(faults()) or 0)
