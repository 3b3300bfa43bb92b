"""What: products, entitlements, line items, the ledger of quantities, split and certificates."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class EntitlementsConfig(AppConfig):
    name = "entitlements"

    def ready(self) -> None:
        """Make triggers anew around every migration (E11), and the first key (L6); register what /readyz asks."""
        from entitlements import health  # noqa: F401
        from entitlements.ledger.grants import grant_to_application
        from entitlements.ledger.set_up import make_signing_key
        from entitlements.ledger.triggers import create_triggers, drop_triggers

        pre_migrate.connect(drop_triggers, sender=self)
        post_migrate.connect(create_triggers, sender=self)
        post_migrate.connect(grant_to_application, sender=self)
        post_migrate.connect(make_signing_key, sender=self)
