"""Render the mails of this app at delivery (N4)."""

from datetime import timedelta

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.timesince import timeuntil
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from accounts.models import Account, ApiToken, SellingRelation, User
from accounts.services.credentials import (
    CREDENTIALS,
    PASSWORD_RESET,
    TOKENS_SUSPENDED,
    addressee_of_reset,
    login_url,
    make_temporary_password,
)
from accounts.services.relations import NAMESAKE, RELATION_REQUESTED
from accounts.services.token_notices import TOKEN_ENDS
from accounts.services.transfers import MOVED, MOVED_AWAY
from notifications.messages import Message, render_message
from notifications.models import Mail
from notifications.registry import renders


@renders(CREDENTIALS, _("User ID and temporary password"))
def render_credentials(mail: Mail) -> Message | None:
    """Render user ID, temporary password and link (U4)."""
    made = make_temporary_password(mail=mail)  # None if the user has another address by now (N8)
    if made is None:
        return None
    user, password = made
    context = {
        "user": user,
        "password": password,
        "login_url": login_url(),
        "valid_until": user.temporary_password_until,
        "days": settings.TEMPORARY_PASSWORD_DAYS,
    }
    return render_message("emails/credentials", context, fresh_secret=True)


@renders(PASSWORD_RESET, _("Link for a new password"))
def render_password_reset(mail: Mail) -> Message | None:
    """Render a one-time link, only for the person who has this user ID at the moment of delivery (U8)."""
    user = addressee_of_reset(mail=mail)
    if user is None:
        return None
    key = {"uidb36": user_pk_to_url_str(user), "key": default_token_generator.make_token(user)}
    url = settings.SITE_URL + reverse("account_reset_password_from_key", kwargs=key)
    with override(user.language):
        context = {"user": user, "reset_url": url, "valid_for": _valid_for()}
        return render_message("emails/password_reset", context, fresh_secret=True)


def _valid_for() -> str:
    """Return how long a link for a new password works, in the language of the mail: "3 days"."""
    now = timezone.now()
    return timeuntil(now + timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT), now)


@renders(RELATION_REQUESTED, _("Request for a relation"))
def render_relation_request(mail: Mail) -> Message | None:
    """Render the request of a further seller to the account (A2)."""
    relation = (
        SellingRelation.objects.requested()
        .filter(pk=mail.context["relation"])
        .select_related("seller")
        .first()
    )
    if relation is None:
        return None
    url = settings.SITE_URL + reverse("account_detail", args=[relation.buyer_id])
    return render_message("emails/relation_request", {"seller": relation.seller, "account_url": url})


@renders(MOVED, _("Account transferred"))
def render_moved(mail: Mail) -> Message | None:
    """Render the transfer for the admins of the account and of its new seller (A7)."""
    account = Account.objects.get(pk=mail.context["account"])
    context = {
        "mail": mail,
        "account": account,
        "seller": Account.objects.get(pk=mail.context["seller"]),
        "account_url": settings.SITE_URL + reverse("account_detail", args=[account.pk]),
    }
    return render_message("emails/account_moved", context)


@renders(MOVED_AWAY, _("Account transferred to another seller"))
def render_moved_away(mail: Mail) -> Message | None:
    """Render the transfer for the former seller, with the Account ID, which it knows, and without names (A7, A4)."""
    account = Account.objects.get(pk=mail.context["account"])
    return render_message("emails/account_moved_away", {"mail": mail, "account": account})


@renders(NAMESAKE, _("Two buyers with the same name"))
def render_namesake(mail: Mail) -> Message | None:
    """Render for the admins of a seller that two of its buyers have one name, with the buyer's present name (A3)."""
    account = Account.objects.get(pk=mail.context["account"])
    url = settings.SITE_URL + reverse("account_detail", args=[account.pk])
    return render_message("emails/namesake", {"mail": mail, "account": account, "account_url": url})


@renders(TOKENS_SUSPENDED, _("API tokens suspended"))
def render_tokens_suspended(mail: Mail) -> Message | None:
    """Render which tokens wait for confirmation; return None if none does any more (P1)."""
    person = User.objects.get(pk=mail.context["person"])
    tokens = ApiToken.objects.filter(user=person, revoked_at=None).exclude(suspended_at=None).order_by("pk")
    names = [token.name for token in tokens if not token.is_ended]
    if not names:
        return None
    context = {"mail": mail, "person": person, "names": names, "days": settings.API_TOKEN_SUSPENDED_DAYS}
    return render_message("emails/tokens_suspended", context | {"tokens_url": _tokens_url()})


@renders(TOKEN_ENDS, _("API token expires"))
def render_token_ends(mail: Mail) -> Message | None:
    """Render that a token ends soon; return None if it was revoked in the meantime (P1)."""
    token = ApiToken.objects.get(pk=mail.context["token"])
    if token.is_ended:
        return None
    return render_message("emails/token_ends", {"mail": mail, "token": token, "tokens_url": _tokens_url()})


def _tokens_url() -> str:
    return settings.SITE_URL + reverse("api_token_list")
