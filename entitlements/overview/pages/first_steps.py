"""Home: the first steps of an account that has sold nothing yet."""

from collections.abc import Callable
from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, User
from accounts.permissions import Permission
from entitlements.models import Entitlement


@dataclass(frozen=True)
class Step:
    """One of them: what to do, why or how, where, and whether it is done."""

    label: str | Promise
    hint: str | Promise
    url: str
    is_done: bool


def first_steps(actor: User) -> list[Step]:
    """A customer, a colleague, the first split: those that the actor's role may take (U12).

    The list ends with the first sale: who works alone is not asked for a colleague for ever.
    """
    if not actor.is_admin or _sold(actor):
        return []
    steps = [(Permission.CREATE_ACCOUNTS, _customer), (Permission.MANAGE_USERS, _colleague), _sale(actor)]
    return [step(actor) for permission, step in steps if actor.may(permission)]


def _sold(actor: User) -> bool:
    return Entitlement.objects.visible_to(actor).filter(seller=actor.account).exists()


def _customer(actor: User) -> Step:
    """Of the tier below, for that is whom most sell to."""
    is_partner = bool(actor.account.partner_tiers())
    return Step(
        label=_("Create the first partner account") if is_partner else _("Create the first customer account"),
        hint=_("The company that you sell to, and the person who receives your e-mails."),
        url=reverse("account_create", args=["partner" if is_partner else "customer"]),
        is_done=Account.objects.related_to(actor).exists(),
    )


def _colleague(actor: User) -> Step:
    others = (
        User.objects.visible_to(actor).filter(account=actor.account, can_log_in=True).exclude(pk=actor.pk)
    )
    return Step(
        label=_("Invite a colleague"),
        hint=_("They receive user ID and password by e-mail, and can stand in for you."),
        url=reverse("user_create", args=[actor.account_id]),
        is_done=others.exists(),
    )


def _sale(actor: User) -> tuple[Permission, Callable[[User], Step]]:
    """MOBOTIX issues; everybody else splits."""
    return (
        (Permission.CREATE_ENTITLEMENTS, _entitlement)
        if actor.account.is_mobotix
        else (Permission.SPLIT, _split)
    )


def _entitlement(actor: User) -> Step:
    return Step(
        label=_("Create the first entitlement"),
        hint=_("Choose the account, the products and the quantities of an order."),
        url=reverse("entitlement_create"),
        is_done=False,
    )


def _split(actor: User) -> Step:
    return Step(
        label=_("Make the first split"),
        hint=_("Tick one of your line items in the list and choose Action → Split."),
        url=reverse("line_item_list"),
        is_done=False,
    )
