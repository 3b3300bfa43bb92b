"""gunicorn's configuration: `gunicorn -c python:mxportal.gunicorn_conf mxportal.wsgi`."""

import os
import signal
from contextlib import suppress
from typing import Any

from django.conf import settings
from gunicorn.config import Config
from gunicorn.glogging import Logger

from mxportal import logs, shared_metrics

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mxportal.settings")

bind = [os.environ.get("BIND", f"127.0.0.1:{os.environ.get('PORT', '8000')}")]
if settings.METRICS_PORT:
    bind.append(f"{settings.METRICS_HOST}:{settings.METRICS_PORT}")
    shared_metrics.share()
if settings.HEALTH_PORT:
    bind.append(f"{settings.HEALTH_HOST}:{settings.HEALTH_PORT}")
worker_class = "mxportal.gunicorn_worker.PatientWorker"
threads = int(os.environ.get("WEB_THREADS", "8"))
# An in-memory broker reaches no second process.
workers = 1 if settings.EMBEDDED_WORKER else int(os.environ.get("WEB_CONCURRENCY", "2"))
preload_app = not settings.EMBEDDED_WORKER
timeout = 60
graceful_timeout = 20
accesslog = None  # mxportal.request_log writes a line for each request, with its ID and user
errorlog = "-"
loglevel = "warning" if settings.DEMO else "info"
control_socket_disable = True
if os.access("/dev/shm", os.W_OK):  # not possible everywhere, for example in a chroot
    worker_tmp_dir = "/dev/shm"


class PortalLogger(Logger):
    """gunicorn's logger, in the form of the portal's log."""

    def setup(self, cfg: Config) -> None:
        """Set the log up; gunicorn calls it again when it reads the configuration again."""
        super().setup(cfg)
        for handler in [*self.error_log.handlers, *self.access_log.handlers]:
            handler.setFormatter(logs.formatter(settings.LOG_FORMAT))

    def atoms(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Return the parts of an access line (`--access-logfile -`): request line, path, referer, without secrets."""
        found = super().atoms(*args, **kwargs)
        return {name: logs.masked(str(value)) for name, value in found.items()}


logger_class = PortalLogger


def on_starting(server: Any) -> None:
    """Import WeasyPrint once before the workers fork: it takes a second, and they share its memory.

    Without Pango the portal runs as well, and the certificate's page says what is missing.
    """
    if not settings.EMBEDDED_WORKER:
        with suppress(ImportError, OSError):
            import weasyprint  # noqa: F401


def post_worker_init(worker: Any) -> None:
    """Check the signing key, and start the threads of this process after the fork, which no thread survives."""
    from mxportal.shared.starting import run_start_checks

    run_start_checks()
    _answer_probes_aside(worker)
    if settings.EMBEDDED_WORKER:
        from mxportal import embedded

        embedded.start()


def _answer_probes_aside(worker: Any) -> None:
    """Take the listener on HEALTH_PORT from the request threads, and give it its own thread."""
    for listener in [one for one in worker.sockets if one.getsockname()[1] == settings.HEALTH_PORT]:
        from mxportal.health_server import answer_probes

        worker.sockets.remove(listener)
        worker.stop_answering_probes = answer_probes(listener.sock)


def child_exit(server: Any, worker: Any) -> None:
    """Delete what only a living process can measure; what a dead process counted still counts."""
    if settings.METRICS_PORT:
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(worker.pid)


def worker_exit(server: Any, worker: Any) -> None:
    """Stop the threads with the process; a second call meanwhile changes nothing."""
    for again in (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        signal.signal(again, signal.SIG_IGN)
    if stop_answering_probes := getattr(worker, "stop_answering_probes", None):
        stop_answering_probes()
    if settings.EMBEDDED_WORKER:
        from mxportal import embedded

        embedded.stop()
