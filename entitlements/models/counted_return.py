"""Returns as they count for an item and for every item that it descends from (L4)."""

from django.db import models


class CountedReturn(models.Model):
    """One return as it counts for one item of the chain: the returned one, its parent, and so on up to the issued one.

    It is written with the movement and never changes, so that the sum of a year over everything below an item is one
    scan of an index.
    """

    item = models.ForeignKey("entitlements.LineItem", models.PROTECT, related_name="+", db_index=False)
    movement = models.ForeignKey("entitlements.Movement", models.PROTECT, related_name="+", db_index=False)
    copies = models.PositiveBigIntegerField()
    returned_at = models.DateTimeField()

    class Meta:
        indexes = [
            # the sum of a year for one item; copies are in it, so that the table is not read
            models.Index(fields=["item", "returned_at", "copies"], name="counted_return_of_year"),
        ]

    def __str__(self) -> str:
        return f"{self.copies} of {self.item_id} at {self.returned_at}"
