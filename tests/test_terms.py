"""docs/glossary.md decides on words, and scripts/check_terms.py fails on those that it forbids."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

pytestmark = pytest.mark.once

SCRIPT = "scripts/check_terms.py"
CATALOGUE = "mxportal/locale/de/LC_MESSAGES/django.po"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with the glossary, the check and nothing else."""
    for name in (SCRIPT, "docs/glossary.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(settings.BASE_DIR / name, tmp_path / name)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    return tmp_path


def faults(project: Path, name: str, text: str) -> list[str]:
    (project / name).parent.mkdir(parents=True, exist_ok=True)
    (project / name).write_text(text)
    done = subprocess.run([sys.executable, SCRIPT], cwd=project, check=False, capture_output=True, text=True)
    assert done.returncode == bool(done.stderr), done
    return done.stderr.splitlines()


def entry(english: str, german: str) -> str:
    return f'msgid ""\nmsgstr "Project-Id-Version: x"\n\nmsgid "{english}"\nmsgstr "{german}"\n'


def test_a_forbidden_german_word_on_screen_is_named_with_file_and_line(project: Path) -> None:
    found = faults(project, CATALOGUE, entry("The ledger", "Das Buchungsregister"))
    assert found == [f"{CATALOGUE}:5: “Buchungsregister”: use “Buchungsjournal”"]


@pytest.mark.parametrize(
    "text",
    [
        "Ask your admin.",
        "Ask your administrators.",
        "MOBOTIX has moved the account %(account)s.",
        "Move to another seller",
        "Your licences",
        "Everything is handed on.",
    ],
)
def test_a_forbidden_english_word_on_screen_is_found(text: str, project: Path) -> None:
    assert len(faults(project, CATALOGUE, entry(text, ""))) == 1


@pytest.mark.parametrize(
    ("english", "german"),
    [
        ("A Portal Admin of your company", "Ein Portal-Admin Ihres Unternehmens"),
        ("Portal Admins see every movement.", "Portal-Admins sehen jede Buchung."),
        ("Account %(email)s", "Konto %(email)s"),
        ("Expiring entitlements email", "Ablaufhinweise per E-Mail"),
        ("The seller transfers nothing. Move the mouse.", "Die Mailserver, der Verkäufer und der Kopfhörer"),
        ("Bulk split", "Sammelaufteilung"),
    ],
)
def test_right_words_and_words_that_only_look_alike_pass(english: str, german: str, project: Path) -> None:
    assert faults(project, CATALOGUE, entry(english, german)) == []


def test_a_german_word_is_forbidden_in_german_alone(project: Path) -> None:
    assert faults(project, CATALOGUE, entry("Split", "Aufteilen")) == []
    assert len(faults(project, CATALOGUE, entry("Split", "Split"))) == 1


def test_documents_are_checked_across_line_breaks_but_for_code_and_addresses(project: Path) -> None:
    text = "# Title\n\nFor MOBOTIX,\nwhich may move\nan account.\n\n`move an account` [x](move-account-licence.md)\n\n"
    assert faults(project, "README.md", text + "```sh\nlicence\n```\n") == [
        "README.md:4: “move an account”: use “transfer an account”"
    ]


def test_a_dagger_forbids_a_word_on_screens_and_in_the_handbook_only(project: Path) -> None:
    assert faults(project, "README.md", "Create the first admin.\n") == []
    assert len(faults(project, "docs/handbook/en/operators.md", "Create the first admin.\n")) == 1


def test_the_handbook_is_checked_in_its_language(project: Path) -> None:
    assert len(faults(project, "docs/handbook/de/index.md", "Das Konto wurde umgezogen.\n")) == 1
    assert faults(project, "docs/handbook/de/index.md", "Der Installateur ist Portal-Admin.\n") == []


def test_sentences_of_the_api_are_checked(project: Path) -> None:
    source = '"""Accounts."""\n\n\ndef account_list() -> None:\n    """The accounts that an admin sees."""\n'
    assert faults(project, "entitlements/api/accounts.py", source) == [
        "entitlements/api/accounts.py:5: “admin”: use “Portal Admin”"
    ]


def test_the_allow_list_of_the_glossary_lets_a_phrase_pass(project: Path) -> None:
    with (project / "docs/glossary.md").open("a") as glossary:
        glossary.write("- Move to another seller\n")
    assert faults(project, CATALOGUE, entry("Move to another seller", "")) == []
    assert len(faults(project, CATALOGUE, entry("Move it to another seller", ""))) == 1
