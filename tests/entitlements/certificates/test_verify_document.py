"""``manage.py verify_document`` for license files; with the Activation ID also for their content (L7)."""

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from entitlements.activation.services.activate import activate_as_bearer, return_as_bearer
from entitlements.ledger.signing import active_key
from entitlements.models import License
from tests.entitlements.activation.devices import MAC, host
from tests.entitlements.activation.test_license_files import packed
from tests.factories import Chain, make_cast, make_chain
from tests.roles import rotate_signing_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def chain() -> Chain:
    return make_chain(make_cast())


@pytest.fixture
def license(chain: Chain) -> License:
    return activate_as_bearer(activation_id=chain.served.activation_id, host=host(), copies=2)


def portal_says(text: str, tmp_path: Path, *options: str) -> tuple[bool, str]:
    path, output = tmp_path / "license.lic", io.StringIO()
    path.write_text(text)
    try:
        call_command("verify_document", str(path), *options, stdout=output)
    except CommandError as error:
        return False, output.getvalue() + str(error)
    return True, output.getvalue()


def test_a_valid_one(license: License, tmp_path: Path) -> None:
    """L5: every check of a valid license holds."""
    holds, said = portal_says(license.file, tmp_path)
    assert holds, said
    assert "holds: This portal signed the license file." in said


def test_rotation_drill(chain: Chain, license: License, tmp_path: Path) -> None:
    """L6: after a rotation the old license still verifies, the new key signs, and a returned one fails."""
    old = active_key()
    new = rotate_signing_key()
    assert portal_says(license.file, tmp_path)[0]
    second = activate_as_bearer(
        activation_id=chain.served.activation_id, host=host("00:03:C5:00:00:01"), copies=1
    )
    assert (license.key, second.key) == (old, new)
    assert portal_says(second.file, tmp_path)[0]
    return_as_bearer(activation_id=chain.served.activation_id, host=host())
    holds, said = portal_says(license.file, tmp_path)
    assert not holds
    assert "CHANGED: It ended on" in said
    assert portal_says(second.file, tmp_path)[0]


def test_of_another_key(tmp_path: Path) -> None:
    """L6: a license of an unknown key is not genuine."""
    holds, said = portal_says(packed(), tmp_path)
    assert not holds
    assert "DOES NOT HOLD: This portal signed the license file." in said


def test_inside(chain: Chain, license: License, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """L5: with host ID and Activation ID, typed in any form, it checks the content."""
    monkeypatch.setattr("sys.stdin", io.StringIO(chain.served.activation_id.lower() + "\n"))
    holds, said = portal_says(license.file, tmp_path, "--host-id", "0003c5aabbcc")
    assert holds, said
    assert f"license {license.license_id}: 2 × Video Analytics" in said
    assert f"device {MAC} Entrance" in said
    assert "The license file names the key that signed it" in said


@pytest.mark.parametrize(
    ("activation_id", "host_id"), [("", MAC), ("7KQ4", MAC), (None, "00:03:C5:00:00:09")]
)
def test_not_with_others(
    chain: Chain,
    license: License,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    activation_id: str | None,
    host_id: str,
) -> None:
    """L5: other IDs give a sentence, no traceback."""
    typed = chain.served.activation_id if activation_id is None else activation_id
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    holds, said = portal_says(license.file, tmp_path, "--host-id", host_id)
    assert not holds
    assert "another Activation ID or another host ID" in said


def test_typed_at_a_terminal(
    chain: Chain, license: License, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E5: the terminal does not show the typed Activation ID."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("getpass.getpass", lambda prompt: chain.served.activation_id)
    assert portal_says(license.file, tmp_path, "--host-id", MAC)[0]


@pytest.mark.parametrize("text", ["", "{}", "-----BEGIN MACHINE FILE-----"])
def test_what_is_none(text: str, tmp_path: Path) -> None:
    """L7: other files give an error."""
    holds, said = portal_says(text, tmp_path, "--host-id", MAC)
    assert not holds
    assert "Traceback" not in said
