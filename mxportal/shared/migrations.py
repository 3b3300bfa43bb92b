"""Operations for tables with millions of rows: nobody waits while they run (CONTRIBUTING.md, "Migrations").

Each belongs in a migration with ``atomic = False``. On SQLite, where one writes at a time, they are Django's own.
"""

import time
from typing import Any

from django.contrib.postgres.operations import (
    AddConstraintNotValid,
    AddIndexConcurrently,
    RemoveIndexConcurrently,
    ValidateConstraint,
)
from django.db import transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations import AddConstraint, AddIndex, RemoveIndex
from django.db.models import Max, Min, QuerySet

FILL_BATCH = 2_000
PAUSE = 0.05  # seconds between two batches, in which others write
IS_INVALID = "SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(%s) AND NOT indisvalid"


def _is_postgresql(editor: BaseDatabaseSchemaEditor) -> bool:
    return editor.connection.vendor == "postgresql"


class AddIndexBeside(AddIndexConcurrently):
    """Create an index while rows are written. What a killed run left of it is dropped first."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if not _is_postgresql(schema_editor):
            AddIndex.database_forwards(self, app_label, schema_editor, from_state, to_state)
            return
        if not schema_editor.collect_sql:
            name = schema_editor.quote_name(self.index.name)
            with schema_editor.connection.cursor() as cursor:
                cursor.execute(IS_INVALID, [name])
                if cursor.fetchone():
                    cursor.execute(f"DROP INDEX CONCURRENTLY {name}")
        super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        kind = AddIndexConcurrently if _is_postgresql(schema_editor) else AddIndex
        kind.database_backwards(self, app_label, schema_editor, from_state, to_state)


class RemoveIndexBeside(RemoveIndexConcurrently):
    """Drop an index while rows are written."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        kind = RemoveIndexConcurrently if _is_postgresql(schema_editor) else RemoveIndex
        kind.database_forwards(self, app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        kind = RemoveIndexConcurrently if _is_postgresql(schema_editor) else RemoveIndex
        kind.database_backwards(self, app_label, schema_editor, from_state, to_state)


class AddCheckForNewRows(AddConstraintNotValid):
    """Apply a check to new rows from now on; ``CheckAllRows`` in the next migration checks the existing ones."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        kind = AddConstraintNotValid if _is_postgresql(schema_editor) else AddConstraint
        kind.database_forwards(self, app_label, schema_editor, from_state, to_state)


class CheckAllRows(ValidateConstraint):
    """Check the rows that existed before the check, while others write."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if _is_postgresql(schema_editor):  # SQLite has looked at all of them when the check was made
            super().database_forwards(app_label, schema_editor, from_state, to_state)


def fill_in_batches(rows: QuerySet, batch: int = FILL_BATCH, pause: float = PAUSE, **values: Any) -> int:
    """Set the values on these rows, some at a time by number, each batch in its own transaction. Return how many.

    ``rows`` must be those that lack the values, so that a new run continues a killed one.
    """
    ends = rows.aggregate(first=Min("pk"), last=Max("pk"))
    if ends["first"] is None:
        return 0
    filled = 0
    for start in range(ends["first"], ends["last"] + 1, batch):
        with transaction.atomic(using=rows.db):
            filled += rows.filter(pk__gte=start, pk__lt=start + batch).update(**values)
        time.sleep(pause)
    return filled
