"""Splits by the service against pgbench, which runs the service's own statements: one client, and four at once."""

import multiprocessing
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from statistics import median

from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Operation, Tier, User
from entitlements.models import LineItem, today
from entitlements.orders.services.issue import NewLine, create_entitlement, deploy_entitlement
from entitlements.splits.services.split import split_line_item
from mxportal.shared.forms import new_key
from scripts.services import postgres_binaries
from tests.bench.clock import IS_TRIAL, seconds
from tests.bench.people import NUMBERS, admin_of
from tests.bench.process import seconds_of_splits, set_up

ROUNDS = 1 if IS_TRIAL else 9
SPLITS = 200  # a round: short ones in turn, so that a busy moment strikes both
CLIENTS = 4
COPIES = 100_000_000
FIRST_SOURCE = 50_000_001
SET_SEQUENCE = "SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)"
WRITTEN = (
    "entitlements_entitlement",
    "entitlements_lineitem",
    "entitlements_lineitem_mails",
    "entitlements_movement",
    "notifications_mail",
    "accounts_operation",
)
RETURNS_ID = re.compile(r'INSERT INTO "(\w+)" .* RETURNING "\1"\."id"', re.DOTALL)


def split_vs_pgbench() -> tuple[float, float]:
    """Splits a second over pgbench's, the mail to the buyer included: one client each; four processes, four clients."""
    program, sources = find_pgbench(), issue_sources()
    split = splitting(sources[0])
    split()
    with pgbench_script(*capture_split(split, sources[0])) as script, processes() as four:
        one = [(service_rate(split), pgbench_rate(program, script, clients=1)) for _ in range(ROUNDS)]
        many = [(four(sources), pgbench_rate(program, script, clients=CLIENTS)) for _ in range(ROUNDS)]
    return ratio_of_medians(one), ratio_of_medians(many)


def ratio_of_medians(rates: list[tuple[float, float]]) -> float:
    """Ours over theirs."""
    ours, theirs = (median(column) for column in zip(*rates, strict=True))
    return ours / theirs


def find_pgbench() -> str:
    """It comes with the server's programs."""
    program = shutil.which("pgbench") or shutil.which("pgbench", path=str(postgres_binaries() or ""))
    if not program:
        raise SystemExit("bench: no pgbench (apt-get install postgresql)")
    return program


def issue_sources() -> list[int]:
    """A line item of the distributor for each client, which cannot be used up; their numbers follow each other."""
    with connection.cursor() as cursor:
        cursor.execute(SET_SEQUENCE, ["entitlements_lineitem", FIRST_SOURCE - 1])
    return [issue_source().pk for _ in range(CLIENTS)]


def issue_source() -> LineItem:
    """One line of an order, deployed."""
    mobotix = admin_of(Tier.MOBOTIX)
    number = NUMBERS[Tier.DISTRIBUTOR]
    line = NewLine(product_id=1, quantity=COPIES, starts_on=today(), expires_on=None)
    entitlement = create_entitlement(
        actor=mobotix, owner_id=number, contact_id=number, lines=[line], key=new_key()
    )
    deploy_entitlement(actor=mobotix, entitlement_id=entitlement.pk, key=new_key(), send_mail=False)
    return entitlement.line_items.get()


def splitting(source: int) -> Callable[[], LineItem]:
    """What is measured: a split off this line item."""
    return partial(split_one, admin_of(Tier.DISTRIBUTOR), source)


def split_one(actor: User, source: int) -> LineItem:
    """One copy to the installer, with the mail that stands ticked on the page."""
    return split_line_item(
        actor=actor,
        item_id=source,
        target_id=NUMBERS[Tier.INSTALLER],
        contact_id=NUMBERS[Tier.INSTALLER],
        copies=1,
        key=new_key(),
    )


def capture_split(split: Callable[[], LineItem], source: int) -> tuple[list[str], dict[str, str]]:
    """The statements of one split, and what pgbench must put in the place of its numbers and codes."""
    _spread_sequences()
    with CaptureQueriesContext(connection) as captured:
        item = split()
    statements = [query["sql"] for query in captured.captured_queries]
    mail, operation = item.mails.get(), Operation.objects.latest("pk")
    codes = [item.activation_id, item.verification_code]
    replaced = dict.fromkeys([*codes, mail.message_id, operation.key], ":u")
    replaced |= {item.entitlement.entitlement_id: "E-:u", str(source): ":source"}
    return statements, replaced | _made_rows(statements)


def _spread_sequences() -> None:
    """No two tables shall give the same number: in a statement a number then says which row it means."""
    with connection.cursor() as cursor:
        for place, table in enumerate(WRITTEN, start=1):
            cursor.execute(SET_SEQUENCE, [table, place * 100_000_000])


def _made_rows(statements: list[str]) -> dict[str, str]:
    """The number of each row that was made, and the name under which pgbench remembers its own."""
    return {
        str(WRITTEN.index(match[1]) * 100_000_000 + 100_000_001): f":{match[1]}_id"
        for match in filter(None, map(RETURNS_ID.match, statements))
    }


@contextmanager
def pgbench_script(statements: list[str], replaced: dict[str, str]) -> Iterator[str]:
    """A file of the statements: codes made anew each time, numbers of rows taken from where they are made.

    As codes are, the random number is spread over the whole of each index. Each client has a source of its own.
    """
    lines = [
        "\\set u random(100000000000000, 999999999999999)",
        f"\\set source {FIRST_SOURCE} + :client_id",
    ]
    for statement in statements:
        text = re.sub("|".join(map(re.escape, replaced)), lambda match: replaced[match[0]], statement)
        made = RETURNS_ID.match(statement)
        lines.append(f"{text} \\gset {made[1]}_" if made else f"{text};")
    with tempfile.NamedTemporaryFile("w", suffix=".sql", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        yield file.name


def service_rate(split: Callable[[], LineItem]) -> float:
    """Splits a second through the service."""
    return SPLITS / seconds(lambda: [split() for _ in range(SPLITS)])


@contextmanager
def processes() -> Iterator[Callable[[list[int]], float]]:
    """As many processes as clients; called with a source for each, they give the splits a second of all together."""
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(CLIENTS)
    with ProcessPoolExecutor(CLIENTS, context, set_up, [start]) as pool:

        def rate(sources: list[int]) -> float:
            return CLIENTS * SPLITS / max(pool.map(seconds_of_splits, sources))

        yield rate


def pgbench_rate(program: str, script: str, *, clients: int) -> float:
    """Splits a second through pgbench with the portal's settings of the database."""
    options = settings.DATABASES["default"]["OPTIONS"]["options"]
    command = [
        program,
        "--no-vacuum",
        f"--client={clients}",
        f"--jobs={clients}",
        f"--transactions={SPLITS}",
        f"--file={script}",
        settings.DATABASE_URL,
    ]
    done = subprocess.run(
        command, env=os.environ | {"PGOPTIONS": options}, check=True, capture_output=True, text=True
    )
    rate = re.search(r"tps = ([\d.]+)", done.stdout)
    failed = re.search(r"number of failed transactions: 0\b", done.stdout)
    if not rate or not failed:
        raise AssertionError(f"pgbench: {done.stdout}{done.stderr}")
    return float(rate[1])
