"""Migrations beside a running portal (E11).

The migrations that touch the ledger's tables run from the first to the last in one transaction, without the triggers
and behind the lock. If the process is killed, the tables are as they were before or as they are afterwards, with all
triggers.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.apps import apps
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.operations.base import Operation
from django.db.migrations.operations.models import IndexOperation
from django.db.migrations.state import ProjectState

from entitlements.ledger import guarding, triggers

Plan = list[tuple[Migration, bool]]
Models = set[tuple[str, str]]  # (app label, name in lower case)


@dataclass
class Part:
    """Consecutive migrations; those that touch the ledger's tables share a transaction."""

    plan: Plan
    touches_ledger: bool = False


class GuardedExecutor(MigrationExecutor):
    """Django's executor, which keeps the ledger guarded (E11)."""

    def migrate(
        self,
        targets: Any,
        plan: Sequence[tuple[Migration, bool]] | None = None,
        state: ProjectState | None = None,
        fake: bool = False,
        fake_initial: bool = False,
    ) -> ProjectState:
        """Migrate part by part; a plan that does not touch the ledger, or that is faked, runs as in Django."""
        plan = list(self.migration_plan(targets) if plan is None else plan)
        parts = [Part(plan)] if fake or not plan else self._parts(plan, state)
        last = max((number for number, part in enumerate(parts) if part.touches_ledger), default=None)
        for number, part in enumerate(parts):
            with self._guarded(part, is_last=number == last):
                state = super().migrate(targets, part.plan, state, fake, fake_initial)
            if len(parts) > 1:
                self.loader.build_graph()  # so that the loader knows which migrations are applied
        assert state is not None
        return state

    def apply_migration(self, state: ProjectState, *args: Any, **kwargs: Any) -> ProjectState:
        """Apply one migration and check foreign keys.

        PostgreSQL alters no table while foreign keys of it wait to be checked at the end of the transaction.
        """
        state = super().apply_migration(state, *args, **kwargs)
        self._check_foreign_keys()
        return state

    def unapply_migration(self, state: ProjectState, *args: Any, **kwargs: Any) -> ProjectState:
        """Unapply one migration and check foreign keys, as ``apply_migration`` does."""
        state = super().unapply_migration(state, *args, **kwargs)
        self._check_foreign_keys()
        return state

    def _check_foreign_keys(self) -> None:
        if self.connection.vendor == "postgresql" and self.connection.in_atomic_block:
            self.connection.check_constraints()

    def _parts(self, plan: Plan, state: ProjectState | None) -> list[Part]:
        """Cut the plan around migrations that touch the ledger, and at migrations without a transaction.

        One part reaches from the first to the last migration that touches the ledger's tables. SQLite has one writer at
        a time, and altering one table can rebuild those that refer to it: the whole plan is one part.
        """
        if self.connection.vendor == "sqlite":
            return [Part(plan, touches_ledger=True)]
        models, parts = guarded_models(self.connection.vendor, state), []
        for atomic, steps in groupby(plan, key=lambda step: bool(step[0].atomic)):
            rest = list(steps)
            touching = [n for n, (one, _) in enumerate(rest) if atomic and touches(one, models)]
            if touching:
                first, end = touching[0], touching[-1] + 1
                parts += [Part(rest[:first]), Part(rest[first:end], touches_ledger=True)]
                rest = rest[end:]
            parts.append(Part(rest))
        return [part for part in parts if part.plan]

    @contextmanager
    def _guarded(self, part: Part, *, is_last: bool) -> Iterator[None]:
        if not part.touches_ledger:
            yield
            return
        backwards = part.plan[0][1]
        finish = guarding.make_or_close if backwards else guarding.make
        with ExitStack() as stack:
            if self.connection.vendor == "sqlite":  # SQLite cannot do this within a transaction
                self.connection.disable_constraint_checking()
                stack.callback(self.connection.enable_constraint_checking)
            stack.enter_context(guarding.unguarded(self.connection, finish if is_last else None))
            self._check_nobody_else_migrated(part.plan)
            yield

    def _check_nobody_else_migrated(self, plan: Plan) -> None:
        """Check that no other migrate ran between making the plan and obtaining the lock.

        Raises LedgerBusyError.
        """
        applied = self.recorder.applied_migrations() if self.recorder.has_table() else {}
        for migration, backwards in plan:
            if ((migration.app_label, migration.name) in applied) != backwards and not migration.replaces:
                raise guarding.LedgerBusyError(
                    "Another migrate was at work meanwhile. Nothing was changed: run the command again."
                )


def guarded_models(vendor: str, state: ProjectState | None) -> Models:
    """Return the models of the ledger's tables, under their names now and before the migrations."""
    tables = triggers.guarded_tables(vendor)
    models = {
        (model._meta.app_label, str(model._meta.model_name))
        for model in apps.get_models()
        if model._meta.db_table in tables
    }
    for (label, name), model in (state.models if state else {}).items():
        if model.options.get("db_table", f"{label}_{name}") in tables:
            models.add((label, name))
    return models


def touches(migration: Migration, models: Models) -> bool:
    """Return whether the migration may change a table of these models.

    Operations that do not say what they change (RunSQL, RunPython) may.
    """
    return any(
        _touches(operation, label, name) for operation in migration.operations for label, name in models
    )


def _touches(operation: Operation, label: str, name: str) -> bool:
    if isinstance(operation, IndexOperation):  # Django reports that an index may concern every model
        return operation.model_name_lower == name
    return operation.references_model(name, label)
