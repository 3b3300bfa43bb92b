"""The handbook as a Django app."""

from django.apps import AppConfig


class HandbookConfig(AppConfig):
    name = "handbook"

    def ready(self) -> None:
        """Register "Help" in the main menu."""
        from handbook import navigation  # noqa: F401
