"""What the portal as a whole stores."""

from django.db import models


class Maintenance(models.Model):
    """At most one row; while it exists, the portal is in maintenance (O3)."""

    since = models.DateTimeField(auto_now_add=True)
    message = models.CharField(max_length=500, blank=True)

    def __str__(self) -> str:
        return f"since {self.since}"
