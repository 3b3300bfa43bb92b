"""The portal with three more migrations, which touch the ledger's tables."""

from mxportal.settings import *  # noqa: F403

MIGRATION_MODULES = {"entitlements": "tests.migrated.migrations"}
