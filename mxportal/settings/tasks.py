"""Redis, the cache, and Celery with its queues."""

from kombu.entity import Queue

from mxportal.schedule import beat_schedule
from mxportal.settings.environment import env

REDIS_URL = env.str("REDIS_URL", default="") or "memory://"
EMBEDDED_WORKER = REDIS_URL == "memory://"  # worker and beat are then threads of the one web process
if EMBEDDED_WORKER:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "OPTIONS": {"MAX_ENTRIES": 20_000},  # with more, counts of limits would be dropped
        }
    }
else:
    CACHES = {
        "default": {"BACKEND": "mxportal.shared.redis_cache.ForgivingRedisCache", "LOCATION": REDIS_URL}
    }

CELERY_BROKER_URL = "memory://localhost//" if EMBEDDED_WORKER else REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
OUTBOX_SWEEP_SECONDS = env.float("OUTBOX_SWEEP_SECONDS", default=30)
CELERY_BEAT_SCHEDULER = "mxportal.beat:SteadyScheduler"  # without a file: what must not be lost is a row
CELERY_BEAT_SCHEDULE = beat_schedule(sweep_seconds=OUTBOX_SWEEP_SECONDS)
# Mails have a queue of their own, so that a slow mail server keeps nobody else waiting. A worker that is not told which
# queues to take (-Q) takes both: who starts one plain worker loses no mail.
CELERY_TASK_DEFAULT_QUEUE = "celery"
CELERY_TASK_QUEUES = [Queue(name, routing_key=name) for name in ("celery", "mails")]
CELERY_TASK_CREATE_MISSING_QUEUES = False  # a wrong -Q is refused
CELERY_TASK_ROUTES = {"notifications.*": {"queue": "mails"}}
# A task of a killed worker is handed out again after this time. Of three settings with it the shortest wins.
CELERY_VISIBILITY_TIMEOUT = env.int("TASK_VISIBILITY_SECONDS", default=180)
CELERY_RESULT_BACKEND_TRANSPORT_OPTIONS = {"visibility_timeout": CELERY_VISIBILITY_TIMEOUT}
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, float] = {"visibility_timeout": CELERY_VISIBILITY_TIMEOUT}
if EMBEDDED_WORKER:
    CELERY_BROKER_TRANSPORT_OPTIONS["polling_interval"] = 0.1
