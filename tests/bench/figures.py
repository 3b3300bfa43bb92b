"""All figures by name, with the targets that they are held to."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.conf import settings

from accounts.models import Tier
from tests.bench.activation import activations_vs_hello, license_vs_bare_sign
from tests.bench.bulk import bulk_split_10k, bulk_split_vs_single
from tests.bench.certificates import certificate_vs_warm_weasyprint
from tests.bench.clock import ITEMS, say
from tests.bench.lists import admin_vs_list, list_vs_raw_sql
from tests.bench.logins import logins_welch_t, resets_welch_t
from tests.bench.outbox import outbox_per_second
from tests.bench.sealing import sealed_per_second, verify_ledger_cost
from tests.bench.searches import search_milliseconds
from tests.bench.splits import split_vs_pgbench


@dataclass(frozen=True)
class Figure:
    """One line of the report. ``target``: what it is at most, or where ``at_least``, at least."""

    name: str
    value: float
    unit: str
    target: float | None = None
    at_least: bool = False

    def __str__(self) -> str:
        return f"{self.name} {self.value:.3g} {self.unit}"

    @property
    def is_missed(self) -> bool:
        """Whether it is on the wrong side of its target."""
        if self.target is None:
            return False
        return self.value < self.target if self.at_least else self.value > self.target


def ratio(name: str, measure: Callable[[], float], target: float, *, at_least: bool = False) -> Figure:
    """A figure without a dimension."""
    say(name)
    return Figure(name, measure(), "ratio", target, at_least)


def welch_t() -> Iterator[Figure]:
    """U8: beyond 4.5 the time of an answer tells whether an address exists."""
    for page, measure in (("login", logins_welch_t), ("reset", resets_welch_t)):
        say(f"{page}_welch_t")
        for kind, value in measure().items():
            yield Figure(f"{page}_welch_t_{kind}", value, "ratio", 4.5)


def figures() -> Iterator[Figure]:
    """One after the other, as they are measured; those that write come last, after sealing.

    The mails before the splits, which leave mails behind.
    """
    yield from welch_t()
    say("sealing")
    yield Figure("sealed_per_second", sealed_per_second(), "1/s")
    say("verify_ledger_1m")
    elapsed, memory = verify_ledger_cost()
    yield Figure("verify_ledger_1m", elapsed, "seconds")
    yield Figure("verify_ledger_1m_memory", memory, "MB", 256)
    yield ratio("certificate_vs_warm_weasyprint", certificate_vs_warm_weasyprint, 0.9)
    yield ratio("license_vs_bare_sign", license_vs_bare_sign, 2)
    yield ratio("list_vs_raw_sql", lambda: list_vs_raw_sql(Tier.MOBOTIX), 15)
    for tier in (Tier.DISTRIBUTOR, Tier.INSTALLER):
        yield ratio(f"list_vs_raw_sql_{tier}", lambda tier=tier: list_vs_raw_sql(tier), 15)
    yield ratio("admin_vs_list", admin_vs_list, 3, at_least=True)
    yield ratio("admin_vs_list_deep", lambda: admin_vs_list(ITEMS // 2), 50, at_least=True)
    for tier in (Tier.MOBOTIX, Tier.DISTRIBUTOR, Tier.INSTALLER):
        say(f"search of {tier}")
        usual, slowest = search_milliseconds(tier)
        yield Figure(f"search_ms_{tier}", usual, "ms")
        yield Figure(f"search_slowest_ms_{tier}", slowest, "ms")
    if not settings.EMBEDDED_WORKER:
        say("outbox_per_second")
        yield Figure("outbox_per_second", outbox_per_second(), "mails/s")
        say("activation_vs_hello")
        cost, rate = activations_vs_hello()
        yield Figure("activation_vs_hello", cost, "ratio", 12)
        yield Figure("activations_per_second", rate, "1/s")
    say("split_vs_pgbench")
    one, four = split_vs_pgbench()
    yield Figure("split_vs_pgbench", one, "ratio", 0.5, at_least=True)
    yield Figure("split_vs_pgbench_four", four, "ratio", 0.5, at_least=True)
    yield ratio("bulk_split_vs_single", bulk_split_vs_single, 10, at_least=True)
    say("bulk_split_10k")
    took, peak = bulk_split_10k()
    yield Figure("bulk_split_10k", took, "seconds", 15)
    yield Figure("bulk_split_10k_peak", peak, "MB", 256)
