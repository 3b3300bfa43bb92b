"""The pages of API tokens."""

from collections.abc import Iterator

from mxportal.shared.forms import new_key
from tests.browser.visit import Visit, page, sent
from tests.browser.world import World


def token_pages(world: World) -> Iterator[Visit]:
    """API tokens: none yet, and in every state; the one answer that shows a token."""
    yield page("lonely", "api_token_list")
    yield page("lonely", "api_request_list")
    yield page("installer", "api_token_list")
    yield page("mobotix", "api_request_list")
    yield page("installer", "api_request_list")
    yield page("mobotix", "api_token_create")
    yield sent("installer", "api_token_create")
    yield sent("installer", "api_token_create", key=new_key(), name="ERP", scopes="read")
    yield page("installer", "api_token_revoke", world.token.pk)
