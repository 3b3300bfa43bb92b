"""E7: whatever is sent twice is done once: by its key, or because doing it again changes nothing."""

import threading
from contextlib import suppress
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import IntegrityError, connection
from django.db.models import DateTimeField

from accounts.models import Operation
from accounts.models.operation import Once
from mxportal.shared.forms import KEY_REUSED, new_key
from tests.concurrency.test_split_race import at_once
from tests.factories import make_cast
from tests.guards import keys, keys_devices
from tests.guards.code import writing_services
from tests.guards.unkeyed import EACH_TIME, UNKEYED
from tests.roles import as_owner

KEYED = keys.KEYED | keys_devices.KEYED
FILES = {"KEYED": "keys*.py", "UNKEYED": "unkeyed.py"}
# which give the same answer again even without their keys
SAME_ANYWAY = {
    "entitlements.activation.services.activate.activate",
    "entitlements.activation.services.activate.activate_many",
    "entitlements.mailing.services.resending.send_all_again 2",
}


def contents(*, but: tuple[str, ...] = ()) -> dict[str, list[Any]]:
    """Everything that the portal knows, without the times."""
    own = [apps.get_app_config(label) for label in ("accounts", "entitlements", "notifications")]
    models = [model for config in own for model in config.get_models(include_auto_created=True)]
    columns = {
        model: [
            field.attname for field in model._meta.concrete_fields if not isinstance(field, DateTimeField)
        ]
        for model in models
        if model._meta.label not in but
    }
    return {
        model._meta.label: list(model._base_manager.order_by("pk").values_list(*names))
        for model, names in columns.items()
    }


def look_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the look-up away."""
    monkeypatch.setattr(Once, "_find_result", lambda self: None)


def drop_constraint() -> None:
    """Take the other guard away; PostgreSQL's transaction brings it back."""
    constraint = next(one for one in Operation._meta.constraints if one.name == "operation_key_once")
    with as_owner(), connection.schema_editor() as editor:
        connection.check_constraints()
        editor.remove_constraint(Operation, constraint)


def differences(services: set[str], lines: set[str], table: str) -> str:
    """What to do to the table, a line each."""
    new = [f'add "{name}" to {table} in tests/guards/{FILES[table]}' for name in services - lines]
    stale = [f'take "{name}" out of {table} in tests/guards/{FILES[table]}' for name in lines - services]
    return "".join(f"{line}\n" for line in sorted(new + stale))


@pytest.mark.slow
def test_the_tables_name_every_service_that_writes() -> None:
    """A new one needs its request: in KEYED, where a second line of a service ends in a number, or in UNKEYED."""
    keyed = {name.removesuffix(" 2") for name in KEYED}
    wrong = differences(writing_services(keyed=True), keyed, "KEYED")
    wrong += differences(writing_services(keyed=False), {*UNKEYED, *EACH_TIME}, "UNKEYED")
    assert not wrong, wrong


@pytest.mark.django_db
@pytest.mark.parametrize("name", KEYED)
def test_the_same_request_again_gives_the_same_answer(name: str) -> None:
    """Not one row changes."""
    asked, key = KEYED[name](make_cast()), new_key()
    answer = asked.service(key=key, **asked.request)
    before = contents()
    assert asked.service(key=key, **asked.request) == answer
    assert contents() == before


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("name", KEYED)
def test_another_request_with_the_same_key_is_refused(name: str) -> None:
    """And does nothing. Where there is but one request, another service's had the key."""
    asked, key = KEYED[name](make_cast()), new_key()
    if asked.changes:
        asked.service(key=key, **asked.request)
    else:
        Operation.once(asked.request["actor"], key, "another", {}).keep(1)
    before = contents()
    with pytest.raises(ValidationError) as refused:
        asked.service(key=key, **asked.request | asked.changes)
    assert refused.value.code == KEY_REUSED
    assert contents() == before


@pytest.mark.django_db
@pytest.mark.parametrize("name", KEYED)
def test_without_the_look_up_the_constraint_refuses(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or what is in the way of doing it twice: never is it done again unnoticed."""
    asked, key = KEYED[name](make_cast()), new_key()
    asked.service(key=key, **asked.request)
    before = contents()
    look_for_nothing(monkeypatch)
    with pytest.raises(asked.otherwise or IntegrityError):
        asked.service(key=key, **asked.request)
    assert contents() == before


@pytest.mark.postgres
@pytest.mark.django_db
@pytest.mark.parametrize("name", [name for name in KEYED if name not in SAME_ANYWAY])
def test_without_both_it_would_be_done_twice(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or be refused: in no case does who asks twice get the same answer."""
    asked, key = KEYED[name](make_cast()), new_key()
    answer = asked.service(key=key, **asked.request)
    before = contents(but=("accounts.Operation",))
    look_for_nothing(monkeypatch)
    drop_constraint()
    try:
        again = asked.service(key=key, **asked.request)
    except ValidationError:
        assert asked.otherwise is ValidationError
    else:
        assert (again, contents(but=("accounts.Operation",))) != (answer, before)


def meet_before_the_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has done the work waits until the other has, too; the lock keeps that one out, and nobody comes."""
    keep, together = Once.keep, threading.Barrier(2)

    def wait_and_keep(self: Once, result: Any) -> None:
        with suppress(threading.BrokenBarrierError):
            together.wait(0.3)
        together.reset()
        keep(self, result)

    monkeypatch.setattr(Once, "keep", wait_and_keep)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_two_at_once_get_the_same_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is looked up after the lock: who comes second waits, and finds it."""
    cast = make_cast()
    wrong = {}
    for name, make in KEYED.items():
        asked, key = make(cast), new_key()
        with monkeypatch.context() as patch:
            meet_before_the_record(patch)
            answers = at_once(*[lambda: asked.service(key=key, **asked.request)] * 2)  # noqa: B023
        if answers[0] != answers[1] or Operation.objects.filter(key=key).count() != 1:
            wrong[name] = answers
    assert wrong == {}


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("name", UNKEYED)
def test_without_a_key_doing_it_again_changes_nothing(name: str) -> None:
    """Or is refused. Only the audit trail, which is sealed, says that it was asked twice."""
    do, trail = UNKEYED[name](make_cast()), ("accounts.AuditEntry", "entitlements.UnsealedRecord")
    at_first = contents(but=trail)
    do()
    before = contents(but=trail)
    assert before != at_first
    with suppress(ValidationError, ObjectDoesNotExist):
        do()
    assert contents(but=trail) == before
