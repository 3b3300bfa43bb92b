"""What the portal as a whole keeps."""

from django.db import models


class Maintenance(models.Model):
    """One row at most; where it is there, the portal is being maintained (O3)."""

    since = models.DateTimeField(auto_now_add=True)
    message = models.CharField(max_length=500, blank=True)

    def __str__(self) -> str:
        return f"since {self.since}"
