"""Each lock is needed: the race that it decides goes wrong when it is taken away.

On PostgreSQL. On SQLite the IMMEDIATE transaction is the lock: tests/concurrency/ has the proof.
"""

import pytest

from tests.factories import make_cast
from tests.guards import locks_accounts, locks_bulk, locks_entitlements, locks_login  # noqa: F401  the table
from tests.guards.races import PROOFS, all_locks, turns_out_right


@pytest.mark.slow
def test_the_table_names_every_lock() -> None:
    """A new lock needs its race."""
    locks = set(all_locks())
    new = [
        f'{name}: write a race that goes wrong without this lock, with @proves("{name}"), in'
        f" tests/guards/locks_{'entitlements' if name.startswith('entitlements') else 'accounts'}.py"
        for name in sorted(locks - set(PROOFS))
    ]
    stale = [f"{name}: this lock is gone; so must its @proves be" for name in sorted(set(PROOFS) - locks)]
    assert not new + stale, "\n".join(new + stale)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_each_lock_is_needed() -> None:
    """With it its race turns out right, without it wrong. All in one test: the flush after it takes longest."""
    cast, locks = make_cast(), all_locks()
    goes_wrong = [name for name, race in PROOFS.items() if not turns_out_right(race(cast))]
    not_needed = [
        name for name, race in PROOFS.items() if turns_out_right(race(cast), without_lock=locks.get(name))
    ]
    assert (goes_wrong, not_needed) == ([], [])
