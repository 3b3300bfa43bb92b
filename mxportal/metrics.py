"""Prometheus: what the processes have counted, and what the database says when it is asked. On a port of its own.

The web server listens on METRICS_PORT besides; any of its processes answers there for all of them, and nothing but
this. A Celery worker answers on WORKER_METRICS_PORT for itself and its children.
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
    """Asked at each scrape, so that it is true also after a restart, and the same from every process."""

    def collect(self) -> Iterator[Metric]:
        """Without a database the counters are still told."""
        close_old_connections()  # no request of Django's does it here
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
    """django-prometheus', which takes a made-up method for a label in one place: each would be kept for ever."""

    def label_metric(self, metric: Any, request: Any, response: Any = None, **labels: str) -> Any:
        """Every method by its known name."""
        if "method" in labels:
            labels["method"] = self._method(request)
        return super().label_metric(metric, request, response, **labels)


def with_metrics(site: Application) -> Application:
    """The site, and on the other port the metrics. Which port it is says the socket, and nothing in the request."""
    metrics = make_wsgi_app(_registry(DatabaseCollector()))

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        port = environ["gunicorn.socket"].getsockname()[1]
        return (metrics if port == settings.METRICS_PORT else site)(environ, start_response)

    return application


@worker_ready.connect
def serve_worker(**kwargs: Any) -> None:
    """A thread of the worker's first process, which reads what its children have counted."""
    if settings.WORKER_METRICS_PORT and not settings.EMBEDDED_WORKER:
        start_http_server(settings.WORKER_METRICS_PORT, addr=settings.METRICS_HOST, registry=_registry())


@task_postrun.connect
def count_task(task: Any = None, state: str | None = None, **kwargs: Any) -> None:
    """By its name, which is one of a few."""
    TASKS.labels(task.name, state or "").inc()


def _registry(*collectors: Collector) -> CollectorRegistry:
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    for collector in collectors:
        registry.register(collector)
    return registry
