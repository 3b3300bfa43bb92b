"""The main menu marks where the page belongs."""

import pytest

from mxportal.shared.navigation import registered_entries


@pytest.mark.parametrize(
    ("route", "marked"),
    [
        ("home", ["Home"]),
        ("line_item_detail", ["Activation & Entitlements"]),
        ("account_detail", ["Accounts & Users"]),
        ("api_token_list", ["Accounts & Users"]),
        ("handbook_mobotix_page", ["Help"]),
        ("account_change_password", []),
    ],
)
def test_a_page_marks_its_entry_of_the_menu(route: str, marked: list[str]) -> None:
    """U3: a page that belongs to the person marks none."""
    assert [str(entry.label) for entry in registered_entries() if entry.is_current(route)] == marked
