"""The answer to a request under a key (P2)."""

from django.db import models


class KeptAnswer(models.Model):
    """The answer to a request of the API, written in the transaction of its Operation and deleted after some time.

    It is encrypted, because it can contain Activation IDs and license files (``accounts.services.kept_answers``).
    """

    operation = models.OneToOneField(
        "accounts.Operation", models.PROTECT, primary_key=True, related_name="kept_answer"
    )
    request_hash = models.CharField(max_length=64)
    encrypted = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            # old answers to delete
            models.Index(fields=["created_at"], name="kept_answer_by_time"),
        ]

    def __str__(self) -> str:
        return f"answer to {self.operation_id}"
