"""Metrics for Prometheus, from counters of the processes and figures of the database, on a separate port.

The web server listens on METRICS_PORT, too; any of its processes answers there for all of them, and only with metrics.
A Celery worker answers on WORKER_METRICS_PORT for itself and its children.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from celery.signals import task_postrun, worker_ready
from django.conf import settings
from django.db import Error, close_old_connections
from django_prometheus.middleware import PrometheusAfterMiddleware
from prometheus_client import CollectorRegistry, Counter, make_wsgi_app, start_http_server
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from mxportal.shared.gauges import registered_gauges

logger = logging.getLogger(__name__)
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

TASKS = Counter("portal_tasks", "Tasks that ended, by how they did.", ["task", "state"])


class DatabaseCollector(Collector):
    """Reads figures from the database at each scrape, so that they are right after a restart and in every process."""

    def collect(self) -> Iterator[Metric]:
        """Yield the figures; without a database, yield none, so that the counters are still shown."""
        close_old_connections()  # because no request of Django does it here
        families: list[Metric] = []
        try:
            families = [*registered_gauges()]
        except Error as error:
            logger.warning("No metrics from the database: %s", type(error).__name__)
        finally:
            close_old_connections()
        yield GaugeMetricFamily("portal_database_up", "Whether the database answers.", float(bool(families)))
        yield from families


class MetricsMiddleware(PrometheusAfterMiddleware):
    """django-prometheus' middleware, which uses any method as a label: invented ones would be kept for ever."""

    def label_metric(self, metric: Any, request: Any, response: Any = None, **labels: str) -> Any:
        """Replace methods that are not known."""
        if "method" in labels:
            labels["method"] = self._method(request)
        return super().label_metric(metric, request, response, **labels)


def with_metrics(site: Application) -> Application:
    """Return the site, with the metrics on the other port. The socket says which port it is, nothing in the request."""
    metrics = make_wsgi_app(_registry(DatabaseCollector()))

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        port = environ["gunicorn.socket"].getsockname()[1]
        return (metrics if port == settings.METRICS_PORT else site)(environ, start_response)

    return application


@worker_ready.connect
def serve_worker(**kwargs: Any) -> None:
    """Serve in a thread of the worker's first process, which reads what its children have counted."""
    if settings.WORKER_METRICS_PORT and not settings.EMBEDDED_WORKER:
        start_http_server(settings.WORKER_METRICS_PORT, addr=settings.METRICS_HOST, registry=_registry())


@task_postrun.connect
def count_task(task: Any = None, state: str | None = None, **kwargs: Any) -> None:
    """Count the task by its name, of which there are few."""
    TASKS.labels(task.name, state or "").inc()


def _registry(*collectors: Collector) -> CollectorRegistry:
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    for collector in collectors:
        registry.register(collector)
    return registry
