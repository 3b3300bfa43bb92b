"""Keep the answers to requests under a key, together with what the request did (P2)."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from ninja import Schema
from ninja.responses import NinjaJSONEncoder

from accounts.models import Operation
from accounts.models.operation import keeping_answers
from accounts.services.kept_answers import Answer, AnswerGoneError, find_answer, keep_answer
from entitlements.api.auth import TokenRequest
from entitlements.api.bodies import read_json
from entitlements.api.problems import Problem

REPLAYED = "Idempotency-Replayed"
Shown = Schema | list[Any]


def once(
    request: TokenRequest,
    key: str,
    do: Callable[[], object],
    show: Callable[[Any], Shown],
    *,
    status: int = 200,
    headers: Callable[[Any], dict[str, str]] | None = None,
) -> HttpResponse:
    """Call the service ``do`` once for this key; the same request gets the first answer again, marked as a replay (P2).

    ``show`` makes the answer from the result that the service records, and ``headers`` its headers from what is shown.
    Both are called in the service's transaction, so that either the write and the answer are kept or neither is.
    """
    asked = _hash_of(request)
    if kept := _find(request, key, asked):
        return kept
    made: list[Answer] = []

    def keep(operation: Operation, result: Any) -> None:
        shown = show(result)
        answer = Answer(status, as_json(shown), headers(shown) if headers else {})
        keep_answer(operation, asked, answer)
        made.append(answer)

    with keeping_answers(keep):
        do()
    if made:
        return _response(made[0])
    twin = _find(request, key, asked)  # done by the request that held the lock
    if twin is None:  # another person of the account did it, and its answer is no longer kept
        raise _gone()
    return twin


def as_json(shown: Shown) -> str:
    """Return JSON as ninja writes all other answers."""
    plain = [one.model_dump() for one in shown] if isinstance(shown, list) else shown.model_dump()
    return json.dumps(plain, cls=NinjaJSONEncoder)


def _hash_of(request: TokenRequest) -> str:
    """Return the SHA-256 of the request, without regard to the order of members and white space in the body."""
    asked = [request.method, request.path, read_json(request.body)]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def _find(request: TokenRequest, key: str, asked: str) -> HttpResponse | None:
    try:
        kept = find_answer(actor=request.user, key=key, request_hash=asked)
    except AnswerGoneError as error:
        raise _gone() from error
    if kept is None:
        return None
    response = _response(kept)
    response[REPLAYED] = "true"
    return response


def _gone() -> Problem:
    detail = _(
        "This Idempotency-Key was used before, and its answer is no longer stored. Nothing was changed."
    )
    return Problem(409, "replay-expired", detail)


def _response(answer: Answer) -> HttpResponse:
    content_type = "application/json; charset=utf-8"
    return HttpResponse(answer.body, status=answer.status, content_type=content_type, headers=answer.headers)
