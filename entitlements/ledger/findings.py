"""Results of checks of a document or of the ledger (L7, E11)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from entitlements.models import SigningKey


class Kind(StrEnum):
    """The kinds of documents that the portal signs for others."""

    CERTIFICATE = "certificate"
    LICENSE = "license"


class Verdict(StrEnum):
    """The verdict over all checks of a document."""

    GOOD = "good"
    OUTDATED = "outdated"  # genuine, but some facts have changed since
    BAD = "bad"


@dataclass(frozen=True)
class Check:
    """A sentence about the document, and whether it holds.

    ``of_today`` marks a fact that can change without anybody's fault; where it has changed, the sentence says so.
    """

    sentence: str
    holds: bool
    of_today: bool = False


@dataclass(frozen=True)
class Document:
    """All checks of a document, in order."""

    kind: Kind
    checks: list[Check]

    @property
    def verdict(self) -> Verdict:
        """The verdict over all checks; a failed proof outweighs everything else."""
        failed = [check for check in self.checks if not check.holds]
        if not failed:
            return Verdict.GOOD
        return Verdict.OUTDATED if all(check.of_today for check in failed) else Verdict.BAD


@dataclass(frozen=True)
class Finding:
    """An entry of the ledger that differs from what is expected."""

    entry: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.entry}: expected {self.expected}, found {self.found}"


def key_check(key: SigningKey) -> Check:
    """Return the check of the key that signed a document (L6).

    A retired key signs nothing new, and what it signed stays genuine, unless the key was compromised.
    """
    if key.compromised_at is not None:
        compromised = _(
            "Only this portal has the key that signed it: it was marked as compromised on %(day)s; ask for a new one"
        )
        return Check(compromised % {"day": _day(key.compromised_at)}, False)
    if key.retired_at is None:
        return Check(_("The key that signed it is in use"), True)
    retired = _("The key that signed it was retired on %(day)s; what it had signed before stays genuine")
    return Check(retired % {"day": _day(key.retired_at)}, True)


def _day(moment: datetime) -> str:
    return date_format(moment.date(), "SHORT_DATE_FORMAT")
