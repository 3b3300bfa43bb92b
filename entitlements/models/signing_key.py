"""The keys that the portal signs with (L6)."""

from django.db import models
from django.db.models import Q

from mxportal.shared.queries import LockingQuerySet


class SigningKey(models.Model):
    """An Ed25519 key pair; one key signs at a time, and the public halves of earlier ones stay for verification (L6).

    The private half is encrypted with KEY_ENCRYPTION_KEY and is deleted once the key is retired. A signature by a
    compromised key proves nothing any more, because anybody who has the key may have made it.
    """

    key_id = models.CharField(max_length=43, unique=True, help_text="RFC 7638 thumbprint of the public key.")
    algorithm = models.CharField(max_length=10, default="Ed25519")
    public_key = models.CharField(max_length=43, help_text="32 bytes in base64url, as a JWK has them.")
    private_key = models.CharField(max_length=255, blank=True, help_text="A Fernet token.")
    created_at = models.DateTimeField(auto_now_add=True)
    retired_at = models.DateTimeField(null=True)
    compromised_at = models.DateTimeField(null=True, help_text="When it was marked as compromised.")

    objects = LockingQuerySet["SigningKey"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["algorithm"], condition=Q(retired_at__isnull=True), name="signing_key_one_active"
            ),
            models.CheckConstraint(
                condition=Q(retired_at__isnull=True) & ~Q(private_key="")
                | Q(retired_at__isnull=False, private_key=""),
                name="signing_key_retired_cannot_sign",
            ),
            models.CheckConstraint(
                condition=Q(compromised_at__isnull=True) | Q(retired_at__isnull=False),
                name="signing_key_compromised_is_retired",
            ),
        ]

    def __str__(self) -> str:
        return self.key_id
