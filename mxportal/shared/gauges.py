"""Registry of the figures that Prometheus reads from the database; each app registers its own."""

from collections.abc import Callable, Iterable, Iterator

from prometheus_client.core import Metric

Gauges = Callable[[], Iterable[Metric]]
_gauges: list[Gauges] = []


def register_gauges(gauges: Gauges) -> None:
    """Ask this function at each scrape. Call it in ``ready`` of the app."""
    _gauges.append(gauges)


def registered_gauges() -> Iterator[Metric]:
    """Yield every figure of every app."""
    for gauges in _gauges:
        yield from gauges()
