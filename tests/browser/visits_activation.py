"""The pages of activations, licenses and devices."""

from collections.abc import Iterator

from tests.browser.visit import Visit, page, sent
from tests.browser.world import World


def activation_pages(world: World) -> Iterator[Visit]:
    """Activate, and what comes of it."""
    item = world.activated
    yield page("installer", "line_item_activate", item.pk)
    yield sent("installer", "line_item_activate", item.pk, host_id="?", copies="1.5")
    yield page("mobotix", "line_item_activate", item.pk)
    yield page("distributor", "line_item_activate", world.expired.pk)
    yield page("installer", "line_item_detail", item.pk)
    yield page("distributor", "line_item_detail", item.pk)
    yield page("installer", "line_item_activations", item.pk)
    yield page("installer_viewer", "line_item_activations", item.pk)
    yield page("installer", "line_item_activations", world.chain.served.pk)
    for license in world.licenses:
        yield page("installer", "license_detail", license.license_id)
    yield page("installer_viewer", "license_detail", world.licenses[-1].license_id)
