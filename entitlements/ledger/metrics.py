"""Gauges of the ledger, which count what waits and never the whole history."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily

from entitlements.ledger.sealing.seal import sealing_lag
from mxportal.shared.gauges import register_gauges


def ledger() -> Iterator[GaugeMetricFamily]:
    """Yield how many movements wait for their leaf, and for how long."""
    lag = sealing_lag()
    yield GaugeMetricFamily("portal_unsealed_movements", "Movements that wait for their leaf.", lag.count)
    yield GaugeMetricFamily(
        "portal_sealing_lag_seconds", "How long the oldest of them has waited.", lag.age.total_seconds()
    )


register_gauges(ledger)
