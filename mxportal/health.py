"""Answer machines: does the process live, and can the portal work. Plain JSON, without login and cookies (O2).

`/healthz` is for restarting processes, `/readyz` for monitoring: when it answers 503, every web process does, because
what fails there is shared. Apps register their own checks (`mxportal.shared.readiness`).
"""

from collections.abc import Callable

import redis
from django.conf import settings
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from mxportal.shared.disks import disks_have_room
from mxportal.shared.readiness import readiness, register_check
from mxportal.shared.stamps import public

PATHS = {"/healthz", "/readyz"}
BROKER_SECONDS = 2  # seconds that the broker has to answer
PROBE_KEY = "portal-readiness"
# Changes no row, and is refused if rows cannot be changed: on a standby, and if writing is switched off.
WRITE = "UPDATE django_session SET expire_date = expire_date WHERE FALSE"


def database_answers() -> bool:
    """Return whether the database answers a query."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return cursor.fetchone() == (1,)


def database_takes_writes() -> bool:
    """Return whether the database is neither a standby nor read-only; the question leaves no trace."""
    with connection.cursor() as cursor:
        if connection.vendor != "sqlite":
            cursor.execute(WRITE)
            return True
        cursor.execute("PRAGMA busy_timeout")
        patience = cursor.fetchone()[0]
        cursor.execute("PRAGMA busy_timeout = 0")
        try:
            cursor.execute(WRITE)
        except OperationalError as error:
            if "locked" not in str(error):  # otherwise another connection is writing at this moment
                raise
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {patience}")
    return True


def broker_takes_tasks() -> bool:
    """Return whether Redis takes a write; a full one and a replica answer but take none.

    The embedded broker is memory.
    """
    if settings.EMBEDDED_WORKER:
        return True
    with redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=BROKER_SECONDS, socket_timeout=BROKER_SECONDS
    ) as client:
        return bool(client.set(PROBE_KEY, 1, px=1000))


class AppliedMigrations:
    """Tells whether the tables are those of this version. Reads the files again only after the applied rows changed."""

    def __init__(self) -> None:
        self._known: tuple[object, bool] | None = None

    def __call__(self) -> bool:
        applied = frozenset(MigrationRecorder(connection).applied_migrations())
        if self._known is None or self._known[0] != applied:
            executor = MigrationExecutor(connection)
            complete = not executor.migration_plan(executor.loader.graph.leaf_nodes())
            self._known = (applied, complete)
        return self._known[1]


_applied_migrations = AppliedMigrations()


def migrations_are_applied() -> bool:
    """Return whether the tables are those of this version."""
    return _applied_migrations()


register_check("database", database_answers, in_database=False)
register_check("broker", broker_takes_tasks, in_database=False)
register_check("disk", disks_have_room, in_database=False)
register_check("writes", database_takes_writes)
register_check("migrations", migrations_are_applied)


def health_answer() -> tuple[int, dict[str, object]]:
    """Return status and body of /healthz: the process answers. A restart would repair neither database nor broker."""
    return 200, {"status": "ok"}


def readiness_answer() -> tuple[int, dict[str, object]]:
    """Return status and body of /readyz: 200 if every check passes, otherwise 503; the body has the checks by name."""
    passed = readiness.state()
    ready = all(passed.values())
    checks = {name: "ok" if ok else "failed" for name, ok in passed.items()}
    return 200 if ready else 503, {"status": "ok" if ready else "unavailable", "checks": checks}


@public("A process manager asks whether this process lives; the answer says nothing else.")
@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer that the process lives."""
    status, body = health_answer()
    return JsonResponse(body, status=status)


@public("A watchman asks whether the portal works; the answer names what does not, and nothing of anybody's.")
@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """Answer whether the portal can do its work, as it was at most a second ago."""
    status, body = readiness_answer()
    return JsonResponse(body, status=status)


class ProbeMiddleware:
    """Answers probes whatever host and cookies they have: a load balancer asks by address and without a login."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info in PATHS:
            request.META["HTTP_HOST"] = settings.ALLOWED_HOSTS[0]
            request.META.pop("HTTP_COOKIE", None)
        return self.get_response(request)


urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
]
