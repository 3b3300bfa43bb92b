"""Keep answers, so that the same key gives the same answer, byte by byte, for API_ANSWER_DAYS (P2)."""

import json
import zlib
from dataclasses import asdict, dataclass, field
from datetime import timedelta

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.utils import timezone

from accounts.models import KeptAnswer, Operation, User
from accounts.models.operation import key_reused
from mxportal.shared.encryption import encryption

DELETE_BATCH = 1000


class AnswerGoneError(Exception):
    """The key was used, and its answer is not kept any more."""


@dataclass(frozen=True)
class Answer:
    """What a program got."""

    status: int
    body: str
    headers: dict[str, str] = field(default_factory=dict)


def find_answer(*, actor: User, key: str, request_hash: str) -> Answer | None:
    """Return the kept answer; None if the key is new to the actor and, with this request, to the account (P2).

    Raises AnswerGoneError, and ValidationError (KEY_REUSED) if the actor used the key for a different request.
    """
    found = Operation.objects.under_key(actor, key)
    for person, kept_hash, encrypted in found.values_list(
        "actor", "kept_answer__request_hash", "kept_answer__encrypted"
    ):
        if encrypted is not None and kept_hash == request_hash:
            return _decrypt(bytes(encrypted))
        if person == actor.pk:
            raise AnswerGoneError if encrypted is None else key_reused()
    return None


def keep_answer(operation: Operation, request_hash: str, answer: Answer) -> None:
    """Keep the answer within the transaction of the operation."""
    KeptAnswer.objects.create(operation=operation, request_hash=request_hash, encrypted=_encrypt(answer))


def _encrypt(answer: Answer) -> bytes:
    return encryption(settings.KEY_ENCRYPTION_KEY).encrypt(zlib.compress(json.dumps(asdict(answer)).encode()))


def _decrypt(encrypted: bytes) -> Answer:
    """Return the answer.

    Raises AnswerGoneError if it was encrypted with a key that the portal does not have any more.
    """
    try:
        text = zlib.decompress(encryption(settings.KEY_ENCRYPTION_KEY).decrypt(encrypted))
    except InvalidToken as error:
        raise AnswerGoneError from error
    return Answer(**json.loads(text))


def drop_old_answers() -> int:
    """Delete answers older than API_ANSWER_DAYS, some at a time. Their operations stay. Return how many."""
    old = KeptAnswer.objects.filter(created_at__lt=timezone.now() - timedelta(days=settings.API_ANSWER_DAYS))
    dropped = 0
    while pks := list(old.values_list("pk", flat=True)[:DELETE_BATCH]):
        dropped += KeptAnswer.objects.filter(pk__in=pks).delete()[0]
    return dropped
