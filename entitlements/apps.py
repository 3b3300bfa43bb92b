"""The app of products, entitlements, line items, the ledger of quantities, splits, activations and certificates."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class EntitlementsConfig(AppConfig):
    name = "entitlements"

    def ready(self) -> None:
        """Set up triggers (E11), rights and a first key (L6) after every migration; register mails and checks."""
        from entitlements import badges, navigation  # noqa: F401
        from entitlements.api import outages  # noqa: F401
        from entitlements.ledger import health, metrics, startup  # noqa: F401
        from entitlements.ledger.grants import grant_to_application
        from entitlements.ledger.guarding import keep_triggers
        from entitlements.ledger.set_up import make_signing_key
        from entitlements.mailing import letters  # noqa: F401

        post_migrate.connect(keep_triggers, sender=self)
        post_migrate.connect(grant_to_application, sender=self)
        post_migrate.connect(make_signing_key, sender=self)
