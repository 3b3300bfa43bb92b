"""Companies on the four tiers of the channel, and who sees them (A1–A6)."""

import secrets
from typing import TYPE_CHECKING, Self

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from accounts.models.address import Address
from accounts.models.relation import RelationStatus, SellingRelation
from mxportal.shared.fields import FoldedField, fold
from mxportal.shared.queries import LockingQuerySet

if TYPE_CHECKING:
    from accounts.models.user import User

ACCOUNT_ID_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # without characters that are misread: 0/O, 1/I
account_id_characters = RegexValidator(
    r"\A[A-Za-z0-9][A-Za-z0-9._-]*\Z",
    _("Use letters A–Z, digits, dots, dashes and underscores only, and begin with a letter or a digit."),
)


class Tier(models.TextChoices):
    """The places in the channel, highest first (A1)."""

    MOBOTIX = "mobotix", _("MOBOTIX")
    DISTRIBUTOR = "distributor", _("Distributor")
    INSTALLER = "installer", _("Installer")
    END_CUSTOMER = "end_customer", _("End customer")

    @property
    def rank(self) -> int:
        """Return 0 for MOBOTIX to 3 for End customers."""
        return list(Tier).index(self)

    def lower_tiers(self) -> "list[Tier]":
        """Return the tiers that an account of this tier may sell to (A2)."""
        return [tier for tier in Tier if tier.rank > self.rank]


MIDDLE_TIERS = (Tier.DISTRIBUTOR, Tier.INSTALLER)


class AccountStatus(models.TextChoices):
    """Active or inactive; nobody of an inactive account logs in, it receives nothing, and its history stays (A5)."""

    ACTIVE = "active", _("Active")
    INACTIVE = "inactive", _("Inactive")


def propose_account_id() -> str:
    """Return a short Account ID that says nothing about the company (8 characters, some 40 bits; A3)."""
    return "".join(secrets.choice(ACCOUNT_ID_ALPHABET) for _ in range(8))


def _seen_by(own: "Account") -> Q:
    """Return a condition: the account itself, its buyers, and those further down that are visible to partners (A4)."""
    relations = SellingRelation.objects.accepted().filter(buyer=OuterRef("pk"))
    buyers = SellingRelation.objects.accepted().filter(seller=own).values("buyer")
    further_down = Q(visible_to_partners=True) & Exists(relations.filter(seller__in=buyers))
    return Q(pk=own.pk) | Exists(relations.filter(seller=own)) | further_down


def is_target_of(actor: "User", path: str = "") -> Q:
    """Return what makes an account a target: active, on a lower tier, and the actor's account sells to it (E6).

    ``path`` leads from the model that is filtered to the account ("account__").
    """
    relation = f"{path}seller_relations__"
    return Q(
        **{
            f"{relation}seller": actor.account,
            f"{relation}status": RelationStatus.ACCEPTED,
            f"{path}status": AccountStatus.ACTIVE,
            f"{path}tier__in": actor.account.lower_tiers(),
        }
    )


class AccountQuerySet(LockingQuerySet["Account"]):
    """Who sees which account, and the filters of the lists."""

    def active(self) -> Self:
        """Keep accounts that may log in and receive copies (A5)."""
        return self.filter(status=AccountStatus.ACTIVE)

    def bought_from(self, seller: "Account") -> Self:
        """Keep the accounts that ``seller`` sells to, by an accepted relation.

        A pair has one relation, so the join gives no row twice; it is compiled faster than Exists.
        """
        return self.filter(seller_relations__seller=seller, seller_relations__status=RelationStatus.ACCEPTED)

    def targets_of(self, actor: "User") -> Self:
        """Return the accounts that the actor's account may split copies to (E6)."""
        return self.filter(is_target_of(actor))

    def related_to(self, actor: "User") -> Self:
        """Keep the accounts that the actor's account sells to; for MOBOTIX all but its own."""
        own = actor.account
        return self.exclude(pk=own.pk) if own.tier == Tier.MOBOTIX else self.bought_from(own)

    def visible_to(self, actor: "User") -> Self:
        """Keep the own account, its buyers, and those further down that are visible to partners; MOBOTIX sees all (A4).

        A serving account always has an accepted relation (A7 changes both), so it needs no condition of its own.
        """
        return self.all() if actor.account.is_mobotix else self.filter(_seen_by(actor.account))

    def name_visible_to(self, actor: "User") -> Self:
        """Keep those visible, and those of which only the name is: the actor's own sellers, and MOBOTIX (A4).

        Checks each account that meets the other filters, and never makes a list of all visible ones.
        """
        sellers = SellingRelation.objects.accepted().filter(buyer=actor.account, seller=OuterRef("pk"))
        if actor.account.is_mobotix:
            return self.all()
        return self.filter(_seen_by(actor.account) | Q(tier=Tier.MOBOTIX) | Exists(sellers))

    def managed_by(self, actor: "User") -> Self:
        """Keep accounts whose data and persons the actor's account manages (A2, U4).

        These are its own, End customers it sells to, and partners it sells to until their first admin has logged in.
        MOBOTIX manages all.
        """
        own = actor.account
        if own.tier == Tier.MOBOTIX:
            return self.all()
        not_taken_over = Q(tier=Tier.END_CUSTOMER) | Q(taken_over_at__isnull=True)
        sold_to = Exists(SellingRelation.objects.accepted().filter(seller=own, buyer=OuterRef("pk")))
        return self.filter(Q(pk=own.pk) | Q(not_taken_over, sold_to))

    def named_like(self, text: str) -> Self:
        """Keep accounts whose name or Account ID contains the text, without regard to case, in any script."""
        return self.filter(Q(name_key__contains=fold(text)) | Q(account_id__icontains=text.strip()))


class Account(Address):
    """A company on one tier (A3). Never deleted (A6)."""

    account_id = models.CharField(
        _("Account ID"),
        max_length=30,
        default=propose_account_id,
        validators=[account_id_characters],
        help_text=_(
            "Short, and cannot be changed later. It appears on orders, so it should not reveal who the customer is."
        ),
    )
    name = models.CharField(_("Account name"), max_length=200)
    name_key = FoldedField(of="name", max_length=400)
    description = models.CharField(_("Description"), max_length=500, blank=True)
    tier = models.CharField(_("Tier"), max_length=20, choices=Tier.choices)
    visible_to_partners = models.BooleanField(_("Visible to other partners?"), default=False)
    website = models.URLField(_("Website"), blank=True)
    status = models.CharField(
        _("Status"), max_length=10, choices=AccountStatus.choices, default=AccountStatus.ACTIVE
    )
    taken_over_at = models.DateTimeField(
        null=True,
        editable=False,
        help_text="First login of an admin of this account: its sellers manage it no more (U4).",
    )
    created_at = models.DateTimeField(_("Created"), auto_now_add=True)

    objects = AccountQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(Upper("account_id"), name="account_id_unique_without_case"),
            models.UniqueConstraint(
                fields=["tier"], condition=Q(tier=Tier.MOBOTIX), name="account_one_mobotix"
            ),
            models.CheckConstraint(condition=Q(tier__in=Tier.values), name="account_tier_known"),
            models.CheckConstraint(condition=Q(status__in=AccountStatus.values), name="account_status_known"),
        ]
        indexes = [
            # related accounts by name; the search in it has trigram indexes (migration 0002, PostgreSQL only)
            models.Index(fields=["name_key", "id"], name="account_by_name"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_mobotix(self) -> bool:
        """Return whether this is MOBOTIX's own account."""
        return self.tier == Tier.MOBOTIX

    @property
    def is_active(self) -> bool:
        """Return whether the account is active (A5)."""
        return self.status == AccountStatus.ACTIVE

    def lower_tiers(self) -> list[Tier]:
        """Return the tiers that this account may sell to (A2)."""
        return Tier(self.tier).lower_tiers()

    def partner_tiers(self) -> list[Tier]:
        """Return the tiers between this account's and End customer, which partner accounts have (A2)."""
        return [tier for tier in self.lower_tiers() if tier in MIDDLE_TIERS]
