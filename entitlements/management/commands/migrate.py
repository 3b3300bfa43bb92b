"""``manage.py migrate``: Django's command, which keeps the ledger guarded beside a running portal (E11)."""

from django.core.management.commands import migrate

from entitlements.ledger.migrating import GuardedExecutor

vars(migrate)["MigrationExecutor"] = (
    GuardedExecutor  # Django's command takes its executor from its module alone
)


class Command(migrate.Command):
    """Has the options and the output of Django's command."""
