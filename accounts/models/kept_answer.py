"""P2: what a request under a key was answered with."""

from django.db import models


class KeptAnswer(models.Model):
    """The answer to a request of the API, written in the transaction of its Operation and dropped after some time.

    It may hold Activation IDs and license files, so it is encrypted (``accounts.services.kept_answers``).
    """

    operation = models.OneToOneField(
        "accounts.Operation", models.PROTECT, primary_key=True, related_name="kept_answer"
    )
    request_hash = models.CharField(max_length=64)
    encrypted = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            # what is old enough to go
            models.Index(fields=["created_at"], name="kept_answer_by_time"),
        ]

    def __str__(self) -> str:
        return f"answer to {self.operation_id}"
