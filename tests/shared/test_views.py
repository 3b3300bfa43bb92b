"""What every view uses."""

import pytest

from mxportal.shared.views import own_address

pytestmark = pytest.mark.once


@pytest.mark.parametrize("address", ["/", "/entitlements/?page=2", "/verify/%C3%A4/"])
def test_a_path_of_this_site(address: str) -> None:
    """One goes back to where one came from."""
    assert own_address(address, "/home/") == address


@pytest.mark.parametrize(
    "address",
    [
        "",
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "javascript:x",
        "/\t//evil.example",
        "/\n/evil.example",
        "/\x00/evil.example",
        "/ /evil.example",
    ],
)
def test_never_to_another_site(address: str) -> None:
    """Browsers read a backslash as a slash, and drop tabs and line breaks."""
    assert own_address(address, "/home/") == "/home/"
