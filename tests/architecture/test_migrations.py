"""Upgrades at a million line items: nobody stands still without CHANGELOG saying so."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

# Tables that grow with the business, or with every request.
LARGE = (
    "accounts_(apirequest|auditentry|keptanswer|loginrecord|operation)",
    "entitlements_(activation|countedreturn|device|entitlement|ledgerleaf|ledgernode|license|lineitem|movement)",
    "entitlements_unsealedmovement",
    "notifications_mail",
)
TABLE = rf'"?({"|".join(LARGE)})\b"?'
HEAVY = {
    "an index that keeps writers waiting (AddIndexBeside)": rf"CREATE (UNIQUE )?INDEX (?!CONCURRENTLY).* ON {TABLE}",
    "a table written anew": rf"ALTER TABLE {TABLE} (ADD COLUMN .*(STORED|random\(|UNIQUE)|.*ALTER COLUMN .* TYPE )",
    "a constraint that reads every row (AddCheckForNewRows)": (
        rf"ALTER TABLE {TABLE} (ADD CONSTRAINT (?!.*NOT VALID)|.*SET NOT NULL|ADD COLUMN .* CONSTRAINT .* REFERENCES)"
    ),
    "rows changed in one statement (fill_in_batches)": rf"(UPDATE|DELETE FROM|INSERT INTO) {TABLE}",
}
# No installation is older than these.
FIRST = {"accounts": "0006", "entitlements": "0011", "notifications": "0005"}
CHANGELOG = (Path(settings.BASE_DIR) / "CHANGELOG.md").read_text(encoding="utf-8")


def heavy(statements: list[str]) -> Iterator[str]:
    """What in these statements keeps others waiting; tables that they make themselves are empty."""
    made = {name for one in statements for name in re.findall(r'^CREATE TABLE "(\w+)"', one)}
    for statement in statements:
        for what, pattern in HEAVY.items():
            found = re.match(pattern, statement, re.DOTALL)
            if found and not any(re.search(rf"\b{table}\b", found[0]) for table in made):
                yield f"{what}: {statement[:100]}"


def test_what_is_heavy() -> None:
    """The patterns know the statements that Django writes."""
    wrong = [
        'CREATE INDEX "x" ON "entitlements_lineitem" ("owner_id")',
        'CREATE UNIQUE INDEX "x" ON "notifications_mail" ("kind")',
        'ALTER TABLE "entitlements_lineitem" ADD COLUMN "x" boolean GENERATED ALWAYS AS ("available" > 0) STORED',
        'ALTER TABLE "entitlements_movement" ALTER COLUMN "x" TYPE text USING "x"::text',
        'ALTER TABLE "entitlements_movement" ADD CONSTRAINT "x" CHECK ("copies" > 0)',
        'ALTER TABLE "entitlements_movement" ALTER COLUMN "x" SET NOT NULL',
        'UPDATE "accounts_auditentry" SET "reason" = 1',
    ]
    right = [
        'CREATE INDEX CONCURRENTLY "x" ON "entitlements_lineitem" ("owner_id")',
        'ALTER TABLE "entitlements_lineitem" ADD COLUMN "x" boolean DEFAULT false NOT NULL',
        'ALTER TABLE "entitlements_movement" ADD CONSTRAINT "x" CHECK ("copies" > 0) NOT VALID',
        'ALTER TABLE "entitlements_movement" VALIDATE CONSTRAINT "x"',
        'CREATE INDEX "x" ON "entitlements_product" ("name_en")',
        'UPDATE "accounts_apitoken" SET "name" = 1',
    ]
    assert [len(list(heavy([one]))) for one in wrong] == [1] * len(wrong)
    assert list(heavy(right)) == []
    assert list(heavy(['CREATE TABLE "notifications_mail" ()', wrong[1]])) == []


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_no_migration_keeps_a_large_table_unsaid() -> None:
    """A migration that does is named in CHANGELOG.md with what it costs."""
    loader = MigrationExecutor(connection).loader
    found = {}
    for (app, name), migration in loader.disk_migrations.items():
        if app in FIRST and name[:4] > FIRST[app] and f"`{app} {name[:4]}`" not in CHANGELOG:
            statements = loader.collect_sql([(migration, False)])
            found[app, name] = list(heavy(statements))
    assert {place: what for place, what in found.items() if what} == {}
