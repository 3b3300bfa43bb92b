"""The pages of activations, licenses and devices."""

from collections.abc import Iterator

from tests.browser.visit import Visit, page, sent
from tests.browser.world import LONG_NAME, World


def activation_pages(world: World) -> Iterator[Visit]:
    """Activate, and what comes of it."""
    item = world.activated
    yield page("installer", "line_item_activate", item.pk)
    yield sent("installer", "line_item_activate", item.pk, host_id="?", copies="1.5")
    yield page("mobotix", "line_item_activate", item.pk)
    yield from many_pages(world)
    yield page("distributor", "line_item_activate", world.expired.pk)
    yield page("installer", "line_item_detail", item.pk)
    yield page("distributor", "line_item_detail", item.pk)
    yield page("installer", "line_item_undo", item.pk)
    yield page("installer", "line_item_email", item.pk)
    yield page("installer", "line_item_activations", item.pk)
    yield page("installer_viewer", "line_item_activations", item.pk)
    yield page("installer", "line_item_activations", world.chain.served.pk)
    for license in world.licenses:
        yield page("installer", "license_detail", license.license_id)
    yield page("installer_viewer", "license_detail", world.licenses[-1].license_id)
    yield page("installer", "license_detail", world.used_up.license_id)
    yield from device_pages(world)


def many_pages(world: World) -> Iterator[Visit]:
    """Activate many devices, with lines that are right and wrong, and the result."""
    item = world.chain.installed
    yield page("installer", "line_item_activate_many", item.pk)
    yield page("mobotix", "line_item_activate_many", item.pk)
    yield page("distributor", "line_item_activate_many", world.expired.pk)
    yield sent("installer", "line_item_activate_many", item.pk, text="")
    yield sent("installer", "line_item_activate_many", item.pk, text=f"SN-1;{LONG_NAME};1\nSN-2")
    wrong = f"?\n0003c5aabbcc\n00:03:C5:AA:BB:CC\n{'X' * 65};{LONG_NAME};999"
    yield sent("installer", "line_item_activate_many", item.pk, text=wrong, step="activate")
    yield page("installer", "line_item_activated", world.activated.pk)
    yield page("installer", "line_item_activated", world.activated.pk, query={"first": 10**9})


def device_pages(world: World) -> Iterator[Visit]:
    """The list, one device, and what it is called."""
    cast, empty = world.cast, world.empty_device
    full = world.licenses[-1].activation.device_id
    for reader in ("mobotix", "installer", "installer_viewer", "lonely"):
        yield page(reader, "device_list")
    yield page("installer", "device_list", query={"q": "no such device"})
    yield page("installer", "device_list", query={"q": "x", "account": cast.customer.pk})
    yield page("installer", "device_create")
    yield sent("installer", "device_create", account="unknown")
    yield page("mobotix", "device_create", query={"account": cast.customer.pk})
    for reader in ("mobotix", "installer", "installer_viewer"):
        yield page(reader, "device_detail", full)
    yield page("installer", "device_detail", empty.pk)
    yield page("installer", "device_edit", full)
    yield sent("installer", "device_edit", full, name="x" * 101)
    yield page("distributor", "device_detail", full, status=404)
    yield page("installer", "device_replace", full)
    yield sent("installer", "device_replace", full)
    yield page("mobotix", "device_replace", full)
    yield page("installer", "device_replace", empty.pk)
    yield page("installer", "device_replace", world.licenses[0].activation.device_id)
    yield from return_pages(world)


def return_pages(world: World) -> Iterator[Visit]:
    """Return and Rehost, with something left of the limit and without."""
    free, used_up = world.licenses[-1].activation_id, world.used_up.activation_id
    for name in ("activation_return", "activation_rehost"):
        yield page("installer", name, free)
        yield sent("installer", name, free, copies="1.5", host_id="?")
        yield page("installer", name, used_up)
        yield page("mobotix", name, used_up)
