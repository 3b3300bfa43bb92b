"""Bulk splits: many splits in one step, their lines while these are checked, and the items that they created (E7)."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.fields.json import KT
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from mxportal.shared.queries import LockingQuerySet

if TYPE_CHECKING:
    from accounts.models import User


class BulkState(models.TextChoices):
    """The state of a bulk split; the row is the job, and a worker takes up each one in a state of WORKING."""

    CHECKING = "checking", _("Being checked")
    READY = "ready", _("Ready to split")
    RUNNING = "running", _("Being split")
    DONE = "done", pgettext_lazy("state", "Split")
    MAILING = "mailing", _("Being e-mailed")
    UNDOING = "undoing", _("Being undone")
    UNDONE = "undone", _("Undone")
    FAILED = "failed", _("Failed")
    DISCARDED = "discarded", _("Discarded")


WORKING = (BulkState.CHECKING, BulkState.RUNNING, BulkState.MAILING, BulkState.UNDOING)
CARRIED_OUT = (BulkState.DONE, BulkState.MAILING, BulkState.UNDOING, BulkState.UNDONE)
WAITING = (BulkState.READY, BulkState.FAILED)  # for a person who corrects them or carries them out
DRAFTS = (BulkState.CHECKING, *WAITING)


class Origin(models.TextChoices):
    """How the lines of a bulk split were entered."""

    TABLE = "table", _("Table on screen")
    FILE = "file", _("File")
    PASTE = "paste", _("Pasted text")
    API = "api", _("Program")


class BulkSplitQuerySet(LockingQuerySet["BulkSplit"]):
    """Queries for bulk splits, among them who sees them."""

    def visible_to(self, actor: "User") -> Self:
        """Keep the bulk splits of the actor's account (E8, E13).

        MOBOTIX also sees those that were carried out, because it may undo them.
        """
        own = Q(account=actor.account)
        return self.filter(own | Q(state__in=CARRIED_OUT) if actor.account.is_mobotix else own)

    def to_correct(self, bulks: Iterable["BulkSplit"]) -> Self:
        """Keep the drafts among ``bulks`` whose last check has findings.

        Only drafts are queried, because findings are large.
        """
        drafts = [bulk.pk for bulk in bulks if bulk.state == BulkState.READY]
        found = self.alias(lines_found=KT("findings__lines"), sources_found=KT("findings__sources"))
        wrong = Q(lines_found__startswith='{"') | Q(sources_found__startswith='{"')
        return found.filter(wrong, pk__in=drafts)

    def working(self) -> Self:
        """Keep jobs that a worker has in hand, or should have."""
        return self.filter(state__in=WORKING)


class BulkSplit(models.Model):
    """One bulk split; ``lines`` and ``findings`` are kept until it is carried out or discarded (E7).

    ``mailed_by`` is the person who last asked for "Email all", and ``attach_certificate`` is what that person last
    chose.
    """

    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    account = models.ForeignKey("accounts.Account", models.PROTECT, related_name="+", db_index=False)
    state = models.CharField(max_length=10, choices=BulkState.choices, default=BulkState.CHECKING)
    origin = models.CharField(max_length=10, choices=Origin.choices, default=Origin.TABLE)
    file_name = models.CharField(max_length=200, blank=True)
    sources = models.ManyToManyField("entitlements.LineItem", related_name="+")
    items = models.ManyToManyField("entitlements.LineItem", related_name="bulk_splits")
    create_customers = models.BooleanField(_("Create unknown end customers"), default=False)
    send_mail = models.BooleanField(_("Send e-mail"), default=True)
    attach_certificate = models.BooleanField(_("Attach certificate"), default=False)
    lines = models.JSONField(default=list)
    findings = models.JSONField(default=dict)
    line_count = models.PositiveIntegerField(default=0)
    copies = models.PositiveBigIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    failure = models.CharField(max_length=500, blank=True)
    mailed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    undo_reason = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(_("Created"), auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    objects = BulkSplitQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=BulkState.values), name="bulk_split_state_known"),
            models.CheckConstraint(
                condition=Q(state__in=["undoing", "undone"], undone_by__isnull=False)
                | ~Q(state__in=["undoing", "undone"]),
                name="bulk_split_undone_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(state="mailing", mailed_by__isnull=False) | ~Q(state="mailing"),
                name="bulk_split_mailed_by_somebody",
            ),
        ]
        indexes = [
            # the account's list, newest first
            models.Index(fields=["account", "-id"], name="bulk_split_by_account"),
            # the sweep: jobs in hand, and old drafts
            models.Index(
                fields=["changed_at"],
                name="bulk_split_open",
                condition=Q(state__in=["checking", "ready", "running", "mailing", "undoing", "failed"]),
            ),
        ]

    def __str__(self) -> str:
        return f"bulk split {self.pk}"

    @property
    def version(self) -> str:
        """A text that changes with every change of the row.

        A page carries it, so that nobody splits lines that the page does not show.
        """
        return self.changed_at.isoformat()

    @property
    def worker(self) -> "User":
        """The person who asked for the job in hand, with whose rights it runs."""
        asked = {BulkState.MAILING: self.mailed_by, BulkState.UNDOING: self.undone_by}
        return asked.get(BulkState(self.state)) or self.actor
