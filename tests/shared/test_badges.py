"""Every state that the portal keeps has a badge."""

import pytest
from django.db.models import TextChoices
from django.utils.translation import override

from accounts.models.account import AccountStatus
from accounts.models.user import UserStatus
from entitlements.models import BulkState, State
from mxportal.shared.badges import badge_of
from notifications.models import Status


@pytest.mark.parametrize("choices", [AccountStatus, UserStatus, State, BulkState, Status])
def test_every_state_shows_its_label_in_both_languages(choices: type[TextChoices]) -> None:
    """E14: a state that no app registered would show its English name."""
    for language in ("en", "de"):
        with override(language):
            for choice in choices:
                assert str(badge_of(choice.value).label) == str(choice.label), choice
