"""Line items, their quantities, and who sees them (E2–E5, E12)."""

import secrets
from datetime import date, timedelta
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.lookups import GreaterThan
from django.utils.translation import gettext_lazy as _

from accounts.models import Tier
from entitlements.identifiers.activation_ids import GROUP, new_activation_id
from mxportal.shared.days import today
from mxportal.shared.fields import FoldedField
from mxportal.shared.queries import LockingQuerySet

if TYPE_CHECKING:
    from accounts.models import Account, User

PERMANENT = date(9999, 12, 31)  # a date and not NULL, so that keyset pages by expiration work
CHAIN = {Tier.DISTRIBUTOR: "distributor", Tier.INSTALLER: "installer", Tier.END_CUSTOMER: "end_customer"}


VERIFICATION_BYTES = 16  # 128 bits (E10)


def new_verification_code() -> str:
    """Return a code for a certificate's QR code, which leads to the public page and is not the Activation ID (E10)."""
    return secrets.token_urlsafe(VERIFICATION_BYTES)


class State(models.TextChoices):
    """The state of a line item (E3). "Expired" is not one: it follows from the date."""

    DRAFT = "draft", _("Draft")
    DEPLOYED = "deployed", _("Deployed")
    INACTIVE = "inactive", _("Inactive")
    OBSOLETE = "obsolete", _("Obsolete")


class LineItemQuerySet(LockingQuerySet["LineItem"]):
    """Queries for line items: who sees which, and the filters of the list."""

    def visible_to(self, actor: "User") -> Self:
        """Keep items whose chain or serving account is the actor's account (E12).

        MOBOTIX sees all items, and is the only one to see drafts (E3).
        """
        own = actor.account
        if own.tier == Tier.MOBOTIX:
            return self.all()
        in_chain = Q(**{CHAIN[Tier(own.tier)]: own})
        return self.filter(in_chain | Q(serving_account=own)).exclude(state=State.DRAFT)

    def visible_to_as(self, actor: "User", column: str) -> Self:
        """Keep the part of ``visible_to`` that has the actor's account in ``column``, which an index serves.

        Owner and seller of an item belong to its chain, so any of these columns makes the item visible (E12).
        """
        items = self.filter(**{column: actor.account})
        return items if actor.account.is_mobotix else items.exclude(state=State.DRAFT)

    def owned_by(self, account: "Account") -> Self:
        """Keep the items of the tab "Ours"."""
        return self.filter(owner=account)

    def sold_by(self, account: "Account") -> Self:
        """Keep the items of the tab "Sold by us".

        This account split or issued them, or looks after them since a transfer (A7).
        """
        return self.filter(Q(seller=account) | Q(serving_account=account))

    def looked_after_by(self, account: "Account") -> Self:
        """Keep items that the account serves, and those that it sold and no account serves (E13, A7).

        The predicate ``looks_after`` says the same of one item.
        """
        return self.filter(Q(serving_account=account) | Q(serving_account__isnull=True, seller=account))

    def further_down(self, account: "Account") -> Self:
        """Keep the items of the tab "Further down", which the account's buyers sold to others."""
        return self.exclude(owner=account).exclude(seller=account).exclude(serving_account=account)

    def deployed(self) -> Self:
        """Keep items that can be split, e-mailed and activated unless they have expired (E3)."""
        return self.filter(state=State.DEPLOYED)

    def expired(self) -> Self:
        """Keep items whose expiration day is over (E14)."""
        return self.filter(expires_on__lt=today())

    def not_expired(self) -> Self:
        """Keep items whose expiration day is today or later (E14)."""
        return self.filter(expires_on__gte=today())

    def to_hand_on(self) -> Self:
        """Keep items with copies that can be split now (E3)."""
        return self.deployed().not_expired().filter(has_available=True)

    def expiring_within(self, days: int) -> Self:
        """Keep items that expire within so many days, today included (E14)."""
        return self.filter(expires_on__gte=today(), expires_on__lte=today() + timedelta(days=days))


class LineItem(models.Model):
    """Copies of a product with their Activation ID (E2).

    Only the ledger's triggers write the balances (E11); product, owner, parent and chain never change.
    """

    activation_id = models.CharField(
        _("Activation ID"), max_length=60, unique=True, default=new_activation_id, editable=False
    )
    activation_id_end = FoldedField(of="activation_id_tail", max_length=GROUP)
    entitlement = models.ForeignKey("entitlements.Entitlement", models.PROTECT, related_name="line_items")
    product = models.ForeignKey("entitlements.Product", models.PROTECT, related_name="line_items")
    quantity = models.PositiveBigIntegerField(_("Quantity"), default=0, editable=False)
    available = models.PositiveBigIntegerField(_("Available"), default=0, editable=False)
    split = models.PositiveBigIntegerField(_("Split"), default=0, editable=False)
    activated = models.PositiveBigIntegerField(_("Activated"), default=0, editable=False)
    has_available = models.GeneratedField(
        expression=GreaterThan(F("available"), 0),
        output_field=models.BooleanField(),
        db_persist=True,
        help_text="For indexes: none may hold a balance, or each movement would renew all of them.",
    )
    ledger_position = models.BigIntegerField(
        default=0, editable=False, help_text="The movement that the balances were last changed by."
    )
    starts_on = models.DateField(_("Start date"))
    expires_on = models.DateField(_("Expiration date"), default=PERMANENT)
    state = models.CharField(_("State"), max_length=10, choices=State.choices, default=State.DEPLOYED)
    owner = models.ForeignKey("accounts.Account", models.PROTECT, related_name="line_items", db_index=False)
    seller = models.ForeignKey(
        "accounts.Account", models.PROTECT, related_name="line_items_sold", db_index=False
    )
    serving_account = models.ForeignKey(
        "accounts.Account", models.PROTECT, null=True, related_name="line_items_served", db_index=False
    )
    contact = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="line_items")
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="splits", verbose_name=_("Split from")
    )
    distributor = models.ForeignKey(
        "accounts.Account", models.PROTECT, null=True, related_name="+", db_index=False
    )
    installer = models.ForeignKey(
        "accounts.Account", models.PROTECT, null=True, related_name="+", db_index=False
    )
    end_customer = models.ForeignKey(
        "accounts.Account", models.PROTECT, null=True, related_name="+", db_index=False
    )
    verification_code = models.CharField(
        max_length=30, unique=True, default=new_verification_code, editable=False
    )
    mails = models.ManyToManyField("notifications.Mail", related_name="line_items", editable=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(_("Created"), auto_now_add=True)

    objects = LineItemQuerySet.as_manager()

    class Meta:
        constraints = [
            # conservation (E4); the triggers, which alone write these columns, keep the sum over the splits
            models.CheckConstraint(
                condition=Q(quantity=F("available") + F("split") + F("activated")),
                name="line_item_conservation",
            ),
            models.CheckConstraint(
                condition=Q(quantity__gte=0, available__gte=0, split__gte=0, activated__gte=0),
                name="line_item_no_negative_balance",
            ),
            models.CheckConstraint(
                condition=Q(expires_on__gte=F("starts_on")), name="line_item_ends_after_start"
            ),
            models.CheckConstraint(condition=Q(state__in=State.values), name="line_item_state_known"),
            models.CheckConstraint(
                condition=Q(state=State.DRAFT, parent__isnull=True) | ~Q(state=State.DRAFT),
                name="line_item_draft_is_issued",
            ),
            models.CheckConstraint(condition=~Q(seller=F("owner")), name="line_item_between_two"),
            models.CheckConstraint(
                condition=Q(end_customer__isnull=True, serving_account__isnull=True)
                | Q(end_customer=F("owner"), serving_account__isnull=False),
                name="line_item_end_customer_is_served",
            ),
        ]
        indexes = [
            # List Entitlements of one account, newest first, and by expiration: one index scan at a million rows
            models.Index(fields=["distributor", "-id"], name="item_distributor_newest"),
            models.Index(fields=["distributor", "expires_on", "id"], name="item_distributor_expiry"),
            models.Index(fields=["installer", "-id"], name="item_installer_newest"),
            models.Index(fields=["installer", "expires_on", "id"], name="item_installer_expiry"),
            # "Ours" and "Sold by us"
            models.Index(fields=["owner", "-id"], name="item_owner_newest"),
            models.Index(fields=["owner", "expires_on", "id"], name="item_owner_expiry"),
            models.Index(fields=["seller", "-id"], name="item_seller_newest"),
            models.Index(fields=["seller", "expires_on", "id"], name="item_seller_expiry"),
            # items of the serving account (E12)
            models.Index(fields=["serving_account", "-id"], name="item_serving_newest"),
            models.Index(fields=["serving_account", "expires_on", "id"], name="item_serving_expiry"),
            # MOBOTIX's list by expiration
            models.Index(fields=["expires_on", "id"], name="item_expiry"),
            # drafts, inactive and obsolete items, which are few
            models.Index(fields=["state", "-id"], name="item_rare_state", condition=~Q(state=State.DEPLOYED)),
            # Home: items to split
            models.Index(
                fields=["owner", "-id"],
                name="item_to_hand_on",
                condition=Q(has_available=True, state=State.DEPLOYED),
            ),
            # search by the last group of an Activation ID
            models.Index(fields=["activation_id_end", "-id"], name="item_last_group"),
            # foreign key of a chain column that no list reads
            models.Index(fields=["end_customer"], name="item_end_customer"),
        ]

    def __str__(self) -> str:
        return f"{self._meta.model_name} {self.pk}"

    @property
    def activation_id_tail(self) -> str:
        """The last group of the Activation ID, which the accounts up the chain see (E5)."""
        return self.activation_id[-GROUP:]

    @property
    def is_permanent(self) -> bool:
        """Whether the item has no expiration date."""
        return self.expires_on == PERMANENT

    @property
    def is_expired(self) -> bool:
        """Whether the expiration day has ended in MOBOTIX's time zone (E14)."""
        return self.expires_on < today()

    def refresh_balances(self) -> None:
        """Read the quantities and the state again after a service changed them or refused to."""
        self.refresh_from_db(fields=["quantity", "available", "split", "activated", "state"])

    @property
    def is_usable(self) -> bool:
        """Whether the item can be split, e-mailed and activated: Deployed and not expired (E3)."""
        return self.state == State.DEPLOYED and not self.is_expired
