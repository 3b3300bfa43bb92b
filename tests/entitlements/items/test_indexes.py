"""The contents of the database's indexes."""

import re

import pytest
from django.db import connection

from entitlements.ledger.movements import WRITTEN_BY_TRIGGERS
from entitlements.models import LineItem

DEFINITIONS = {
    "postgresql": "SELECT indexdef FROM pg_indexes WHERE tablename = %s",
    "sqlite": "SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = %s AND sql IS NOT NULL",
}


@pytest.mark.django_db
def test_no_index_of_line_items_reads_a_balance() -> None:
    """E11: each movement changes balances, and PostgreSQL renews a row's entries in all indexes if one of them reads a
    changed column, even in its condition.
    """
    with connection.cursor() as cursor:
        cursor.execute(DEFINITIONS[connection.vendor], [LineItem._meta.db_table])
        definitions = [definition for (definition,) in cursor.fetchall()]
    assert len(definitions) > 15
    balance = re.compile(rf"\b({'|'.join(WRITTEN_BY_TRIGGERS)})\b")
    assert [definition for definition in definitions if balance.search(definition)] == []
