"""Do a request that is sent twice only once (E7)."""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from mxportal.shared.forms import KEY_REUSED

if TYPE_CHECKING:
    from accounts.models.user import User


Keeper = Callable[["Operation", Any], None]
_keeper: ContextVar[Keeper | None] = ContextVar("keeper", default=None)


@contextmanager
def keeping_answers(keep: Keeper) -> Iterator[None]:
    """Call ``keep`` with each new Operation and its result, in the transaction that records it (P2)."""
    token = _keeper.set(keep)
    try:
        yield
    finally:
        _keeper.reset(token)


def key_reused() -> ValidationError:
    """Return the error of a key that was used for a different request."""
    return ValidationError(
        _("This form was already sent with other values. Check the values and send it again."),
        code=KEY_REUSED,
    )


def hash_request(kind: str, request: dict[str, Any]) -> str:
    """Return the SHA-256 of a request, independent of the order of its parts."""
    text = json.dumps([kind, request], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


class OperationQuerySet(models.QuerySet["Operation"]):
    """Done requests."""

    def under_key(self, actor: "User", key: str) -> "OperationQuerySet":
        """Return what the actor did under the key, first; then, for a program, what others of its account did.

        A token that another admin confirms acts as that one from then on, and its program sends the same key again.
        """
        if actor.narrowed_to is None:
            return self.filter(actor=actor, key=key)
        of_account = self.filter(actor__account=actor.account_id, key=key)
        return of_account.order_by(models.Case(models.When(actor=actor.pk, then=0), default=1), "pk")


class Operation(models.Model):
    """One writing request that was carried out."""

    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    key = models.CharField(max_length=64)
    kind = models.CharField(max_length=40)
    request_hash = models.CharField(max_length=64)
    result_id = models.BigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OperationQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["actor", "key"], name="operation_key_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"

    @staticmethod
    def once(actor: "User", key: str, kind: str, request: dict[str, Any]) -> "Once":
        """Return the request with the result of its twin, if that was done before (E7).

        Call it after the lock: a twin that waited for the lock then finds its sibling's row. Raises ValidationError
        where the key was used for a different request.
        """
        return Once(actor, key, kind, request)


class Once:
    """One writing request: ``result`` of the same request done before, or None, and ``keep`` for what it does now."""

    def __init__(self, actor: "User", key: str, kind: str, request: dict[str, Any]) -> None:
        self._new = Operation(actor=actor, key=key, kind=kind, request_hash=hash_request(kind, request))
        self.result = self._find_result()

    def _find_result(self) -> int | None:
        found = Operation.objects.under_key(self._new.actor, self._new.key)
        for person, request_hash, result in found.values_list("actor", "request_hash", "result_id"):
            if request_hash == self._new.request_hash:
                return result
            if person == self._new.actor_id:
                raise key_reused()
        return None

    def keep(self, result: models.Model | int) -> None:
        """Keep the key with its request and result (a row, or a number), in the transaction of what it did.

        Call it last: the answer of the API is made of what the transaction has written by then.
        """
        self._new.result_id = result if isinstance(result, int) else result.pk
        self._new.save(force_insert=True)
        if keep := _keeper.get():
            keep(self._new, result)
