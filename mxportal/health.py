"""What machines ask: does the process live, and can the portal do its work. Plain JSON, without login and cookies.

`/healthz` is for whoever restarts a process, `/readyz` for whoever watches the portal: when it says 503, every web
process says so, for what fails there is shared.
"""

import logging
from collections.abc import Callable
from datetime import timedelta

import redis
from django.conf import settings
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.permissions import public
from entitlements.models import LedgerHead
from entitlements.services.sealing import sealing_lag
from notifications.models import Mail

logger = logging.getLogger(__name__)

PATHS = {"/healthz", "/readyz"}
PATIENCE = 2  # seconds that the broker has to answer
Check = Callable[[], bool]


def database_answers() -> bool:
    """The database takes a query."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return cursor.fetchone() == (1,)


def broker_answers() -> bool:
    """Redis takes tasks; the embedded default's broker is this process's own memory."""
    if settings.EMBEDDED_WORKER:
        return True
    with redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=PATIENCE, socket_timeout=PATIENCE
    ) as client:
        return bool(client.ping())


def migrations_are_applied() -> bool:
    """The tables are those of this version."""
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def mails_are_in_time() -> bool:
    """N1: no mail has been due for long, so worker, beat and sweep do their work."""
    late = timezone.now() - timedelta(minutes=settings.MAIL_LATE_MINUTES)
    return not Mail.objects.due(late).exists()


def sealing_goes_on() -> bool:
    """What waits for its leaf has not waited long, or at least a head was signed lately."""
    lately = timedelta(minutes=settings.SEAL_LATE_MINUTES)
    if sealing_lag().age <= lately:
        return True
    return LedgerHead.objects.filter(sealed_at__gte=timezone.now() - lately).exists()


# What the portal needs. Those of the second kind are asked only where the database answers.
SERVICES: dict[str, Check] = {"database": database_answers, "broker": broker_answers}
IN_DATABASE: dict[str, Check] = {
    "migrations": migrations_are_applied,
    "mails": mails_are_in_time,
    "sealing": sealing_goes_on,
}


@public("A process manager asks whether this process lives; the answer says nothing else.")
@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers. Neither database nor broker is asked: a restart of this process would mend neither."""
    return JsonResponse({"status": "ok"})


@public("A watchman asks whether the portal works; the answer names what does not, and nothing of anybody's.")
@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """200 where every check passes, else 503; the checks stand in the answer by name."""
    passed = {name: passes(check) for name, check in SERVICES.items()}
    passed |= {name: passed["database"] and passes(check) for name, check in IN_DATABASE.items()}
    ready = all(passed.values())
    if not ready:
        logger.warning("Not ready: %s", ", ".join(name for name, ok in passed.items() if not ok))
    checks = {name: "ok" if ok else "failed" for name, ok in passed.items()}
    return JsonResponse(
        {"status": "ok" if ready else "unavailable", "checks": checks}, status=200 if ready else 503
    )


def passes(check: Check) -> bool:
    """Whether it does; a service that cannot be reached fails it. Why stands in the log, never in the answer."""
    try:
        return check()
    except (Error, redis.RedisError) as error:
        logger.warning("%s: %s", check.__name__, type(error).__name__)
        return False


class ProbeMiddleware:
    """A load balancer asks by address and as nobody: neither the host it names nor a cookie counts for these two."""

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
