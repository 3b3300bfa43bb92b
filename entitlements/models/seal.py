"""The sealed ledger: movements and records as leaves of a hash tree (RFC 6962), with signed heads (E11).

Triggers keep the tables append-only.
"""

from django.db import models

HASH_BYTES = 32


class UnsealedMovement(models.Model):
    """A movement that waits for its leaf.

    The ledger's trigger writes the row, because the numbers of movements do not follow the order of their commits.
    """

    movement = models.OneToOneField(
        "entitlements.Movement", models.PROTECT, primary_key=True, related_name="unsealed"
    )

    def __str__(self) -> str:
        return f"movement {self.movement_id}"


class UnsealedRecord(models.Model):
    """A row of another table that waits to be sealed; a trigger writes it when the row is created."""

    kind = models.CharField(max_length=20)
    subject = models.BigIntegerField(help_text="The row's number.")

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"


class RecordBackfill(models.Model):
    """A kind of record whose older rows, up to ``last``, are still to be sealed; deleted once all are."""

    kind = models.CharField(max_length=20, primary_key=True)
    position = models.BigIntegerField(default=0, help_text="Rows up to this number are sealed.")
    last = models.BigIntegerField(null=True, help_text="Set when sealing begins.")

    def __str__(self) -> str:
        return f"{self.kind} from {self.position}"


class LedgerLeaf(models.Model):
    """The place of a movement, or of records (SealedRecords), in the tree; the leaves are numbered from 0 on."""

    number = models.BigIntegerField(primary_key=True)
    movement = models.OneToOneField("entitlements.Movement", models.PROTECT, null=True, related_name="leaf")
    salt = models.BinaryField(max_length=HASH_BYTES)
    hash = models.BinaryField(max_length=HASH_BYTES)

    def __str__(self) -> str:
        return f"leaf {self.number}"


class SealedRecords(models.Model):
    """The records under one leaf: the numbers of their rows, 8 bytes each, and their hashes, 32 bytes each."""

    leaf = models.OneToOneField(LedgerLeaf, models.PROTECT, primary_key=True, related_name="records")
    kind = models.CharField(max_length=20)
    subjects = models.BinaryField()
    hashes = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.kind} under leaf {self.leaf_id}"


class LedgerNode(models.Model):
    """The hash of a complete subtree of at least two leaves, numbered by ``merkle.node_number``."""

    number = models.BigIntegerField(primary_key=True)
    hash = models.BinaryField(max_length=HASH_BYTES)

    def __str__(self) -> str:
        return f"node {self.number}"


class LedgerHead(models.Model):
    """The signed statement of the tree's root at one size.

    ``previous`` is the hash of the head before, so that no head can be missing.
    """

    size = models.BigIntegerField(primary_key=True)
    root = models.BinaryField(max_length=HASH_BYTES)
    sealed_at = models.DateTimeField()
    previous = models.BinaryField(max_length=HASH_BYTES)
    key = models.ForeignKey("entitlements.SigningKey", models.PROTECT, related_name="+")
    signature = models.BinaryField(max_length=64)

    def __str__(self) -> str:
        return f"head at {self.size}"
