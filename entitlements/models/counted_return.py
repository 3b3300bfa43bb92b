"""L4: what was returned, as it counts for the item and for every item that it descends from."""

from django.db import models


class CountedReturn(models.Model):
    """One return as one level of the chain counts it: the item, what it was split from, and so on up to the issued one.

    Written with the movement and never changed, so that a year of everything below an item is one scan of an index.
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
