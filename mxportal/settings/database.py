"""The database, its time limits, and the pool before it."""

from mxportal.settings.environment import DATABASE_URL, VAR_DIR, env

# Only `migrate` gets it: the owner makes the tables, and gives the role of DATABASE_URL its rights on them.
DATABASE_OWNER_URL = env.str("DATABASE_OWNER_URL", default="")
DATABASE_APP_ROLE = env.db_url_config(DATABASE_URL) if DATABASE_OWNER_URL else None
DATABASES = {
    "default": env.db_url_config(DATABASE_OWNER_URL or DATABASE_URL or f"sqlite:///{VAR_DIR / 'db.sqlite3'}")
}
DATABASES["default"] |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
# Nobody waits for a database that hangs; commands may take as long as they need (manage.py), bulk jobs longer.
DATABASE_CONNECT_SECONDS = env.int("DATABASE_CONNECT_SECONDS", default=5)
DATABASE_STATEMENT_SECONDS = env.int("DATABASE_STATEMENT_SECONDS", default=30)
DATABASE_BULK_STATEMENT_SECONDS = env.int("DATABASE_BULK_STATEMENT_SECONDS", default=600)
# PgBouncer in transaction mode: nothing may last longer than a transaction, so the role has what is set below
# (docs/operating.md).
DATABASE_POOLED = env.bool("DATABASE_POOLED", default=False)
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # IMMEDIATE is the lock: every transaction waits for its turn to write before it reads. With recursive triggers,
    # a row that REPLACE pushes out meets the ledger's triggers against deletion too.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA recursive_triggers=ON;",
    }
else:
    _options = DATABASES["default"].setdefault("OPTIONS", {})
    _options["connect_timeout"] = DATABASE_CONNECT_SECONDS
    DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = DATABASE_POOLED
    if not DATABASE_POOLED:
        # An index page costs an SSD no more than the next page: with the default of 4 the planner leaves a tier's
        # index.
        _ours = f"-c random_page_cost=1.1 -c statement_timeout={DATABASE_STATEMENT_SECONDS}s"
        _options["options"] = f"{_ours} {_options.get('options', '')}"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
