"""Operations for large tables: made while others write, repeatable after a kill, plain on SQLite."""

import pytest
from django.db import IntegrityError, connection, migrations, models
from django.db.migrations.state import ProjectState
from django.db.models import Index, Q

from mxportal.shared.migrations import (
    AddCheckForNewRows,
    AddIndexBeside,
    CheckAllRows,
    RemoveIndexBeside,
    fill_in_batches,
)
from tests.roles import become_application, become_owner

INDEX = Index(fields=["number"], name="numbered_by_number")
CHECK = models.CheckConstraint(condition=Q(number__gte=0), name="number_not_negative")


def indexes() -> set[str]:
    with connection.cursor() as cursor:
        return set(connection.introspection.get_constraints(cursor, "x_numbered"))


class Work:
    """A migration's steps, one after another, on a table of its own."""

    def __init__(self) -> None:
        self.state = ProjectState()
        fields = [("id", models.BigAutoField(primary_key=True)), ("number", models.IntegerField())]
        self.do(migrations.CreateModel("Numbered", fields))

    def do(self, operation: migrations.operations.base.Operation, *, back: bool = False) -> None:
        after = self.state.clone()
        operation.state_forwards("x", after)
        with connection.schema_editor(atomic=False) as editor:
            if back:
                operation.database_backwards("x", editor, after, self.state)
            else:
                operation.database_forwards("x", editor, self.state, after)
                self.state = after


@pytest.fixture
def work(transactional_db: None) -> Work:
    become_owner(connection)
    made = Work()
    yield made
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE x_numbered")
    become_application(connection)


def test_an_index_beside_writers(work: Work) -> None:
    """What a killed run left of it is no obstacle."""
    work.do(AddIndexBeside("numbered", INDEX))
    assert INDEX.name in indexes()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{INDEX.name}'::regclass"
            )
        work.state.models["x", "numbered"].options["indexes"] = []
        work.do(AddIndexBeside("numbered", INDEX))
        assert INDEX.name in indexes()
    work.do(RemoveIndexBeside("numbered", INDEX.name))
    assert INDEX.name not in indexes()
    work.do(AddIndexBeside("numbered", INDEX))
    before = work.state.clone()
    work.do(RemoveIndexBeside("numbered", INDEX.name))
    work.state = before
    work.do(RemoveIndexBeside("numbered", INDEX.name), back=True)
    assert INDEX.name in indexes()


def test_a_check_in_two_steps(work: Work) -> None:
    """New rows are held at once; the old ones afterwards."""
    work.do(AddCheckForNewRows("numbered", CHECK))
    rows = work.state.apps.get_model("x", "Numbered").objects
    rows.create(number=1)
    with pytest.raises(IntegrityError):
        rows.create(number=-1)
    work.do(CheckAllRows("numbered", CHECK.name))
    with pytest.raises(IntegrityError):
        rows.create(number=-1)


def test_filling_in_batches(work: Work) -> None:
    """Every row that lacks the value, and no other; again, nothing is left to do."""
    model = work.state.apps.get_model("x", "Numbered")
    model.objects.bulk_create([model(number=0 if number else 7) for number in range(25)])
    lacking = model.objects.filter(number=0)
    assert fill_in_batches(lacking, batch=10, pause=0, number=1) == 24
    assert fill_in_batches(lacking, batch=10, pause=0, number=1) == 0
    assert list(model.objects.order_by("pk").values_list("number", flat=True)) == [7] + [1] * 24
