"""The table of locks, the way to the log-in: for each the race that only it decides rightly."""

from allauth.account.forms import default_token_generator

from accounts.services.credentials import LinkUsedError, set_password_by_link
from tests.factories import Cast
from tests.guards.locks_accounts import CREDENTIALS, make_seller
from tests.guards.races import Race, inside, proves


@proves(f"{CREDENTIALS}.set_password_by_link")
def one_link_at_once(cast: Cast) -> Race:
    """U8: a link sets one password, however often it is sent at once."""
    user = make_seller(cast)
    link = {"user_id": user.pk, "token": default_token_generator.make_token(user)}
    return Race(
        other=lambda: inside(set_password_by_link)(password="first of two 4711", **link),
        ours=lambda: set_password_by_link(password="second of two 4711", **link),
        right=lambda outcome: isinstance(outcome, LinkUsedError),
    )
