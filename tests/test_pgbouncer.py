"""The portal behind PgBouncer in transaction mode: two connections to the database serve eight threads."""

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection

from accounts.services.api_tokens import new_secret
from entitlements.models import LineItem, Movement
from scripts.services import free_port, wait_for_port
from tests.factories import issue_item, make_cast, make_token
from tests.live import ROOT, process, server_environment
from tests.roles import APPLICATION

PGBOUNCER = os.environ.get("TEST_PGBOUNCER") or shutil.which("pgbouncer", path=f"{os.defpath}:/usr/sbin")
SPLITS = 24
WORK = """
import sys, django
django.setup()
from concurrent.futures import ThreadPoolExecutor
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from accounts.models import User
from entitlements.models import Movement
from entitlements.bulk.services.lines import BulkLine
from entitlements.bulk.services.split import bulk_split
from entitlements.ledger.sealing.seal import seal_ledger
from entitlements.splits.services.split import split_line_item
from mxportal.shared.database import allow_long_statements
from mxportal.shared.forms import new_key
item_pk, actor_pk, contact_pk, splits = map(int, sys.argv[1:5])

def limit():
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        return cursor.fetchone()[0]

def split(_):
    try:
        actor, contact = User.objects.get(pk=actor_pk), User.objects.get(pk=contact_pk)
        split_line_item(
            actor=actor,
            item_id=item_pk,
            target_id=contact.account_id,
            contact_id=contact.pk,
            copies=1,
            key=new_key(),
        )
    finally:
        connection.close()

before = limit()
with ThreadPoolExecutor(8) as pool:
    list(pool.map(split, range(splits)))
actor, contact = User.objects.get(pk=actor_pk), User.objects.get(pk=contact_pk)
line = BulkLine(account_id=contact.account.account_id, email=contact.email, amount="3")
bulk = bulk_split(actor=actor, item_ids=[item_pk], lines=[line], key=new_key(), send_mail=False)
assert bulk.state == "done", bulk.failure
with transaction.atomic():
    allow_long_statements()
    assert limit() == "10min"
seal_ledger()
assert sum(1 for _ in Movement.objects.iterator(chunk_size=2)) == Movement.objects.count()
call_command("verify_ledger")
answer = Client().get(
    "/api/v1/items", headers={"authorization": f"Bearer {sys.argv[5]}", "host": "127.0.0.1"}
)
assert answer.status_code == 200, answer.content
assert {limit() for _ in range(20)} == {before}, "the limit of a bulk split stays in its transaction"
print("statement_timeout", before)
"""

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@contextmanager
def pgbouncer(directory: Path) -> Iterator[str]:
    """In front of the test database, in transaction mode, as the application's role. Yields its address."""
    db, port = connection.settings_dict, free_port()
    target = f"host={db['HOST']} port={db['PORT'] or 5432} dbname={db['NAME']} user={APPLICATION}"
    (directory / "pgbouncer.ini").write_text(
        f"[databases]\nportal = {target} password=only-for-tests\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n"
        "pool_mode = transaction\ndefault_pool_size = 2\nmax_client_conn = 100\n"
    )
    command: list[str | Path] = [PGBOUNCER or "", directory / "pgbouncer.ini"]
    if os.getuid() == 0:  # it refuses to run as root
        somebody = pwd.getpwnam("nobody")
        shutil.chown(directory / "pgbouncer.ini", somebody.pw_uid)
        for folder in (directory, *list(directory.parents)[:3]):
            folder.chmod(folder.stat().st_mode | 0o011)
        command[1:1] = ["-u", "nobody"]
    with process(*command, environment=dict(os.environ), log=directory / "pgbouncer.log"):
        wait_for_port(port)
        yield f"postgres://portal@127.0.0.1:{port}/portal"


@pytest.mark.skipif(not PGBOUNCER, reason="needs PgBouncer: apt-get install pgbouncer")
def test_everything_lasts_no_longer_than_a_transaction(tmp_path: Path) -> None:
    """E7, E11: splits at once, a bulk split, sealing, cursors, checks; its role has what the portal cannot send."""
    cast = make_cast()
    item, secret = issue_item(cast), new_secret()
    make_token(cast.distributor, secret=secret)
    arguments = [item.pk, cast.distributor.pk, cast.installer.pk, SPLITS, secret]
    with pgbouncer(tmp_path) as url:
        done = subprocess.run(
            [sys.executable, "-c", WORK, *map(str, arguments)],
            check=False,
            cwd=ROOT,
            env=server_environment(port=8000, redis_url="memory://", mail_port=1, var_dir=tmp_path)
            | {
                "DATABASE_URL": url,
                "DATABASE_POOLED": "1",
                "DJANGO_SETTINGS_MODULE": "mxportal.settings",
                "METRICS_PORT": "0",
                "WORKER_METRICS_PORT": "0",
            },
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    assert LineItem.objects.filter(parent=item).count() == SPLITS + 1
    item.refresh_from_db()
    assert item.split == SPLITS + 3
    assert Movement.objects.count() == SPLITS + 2
