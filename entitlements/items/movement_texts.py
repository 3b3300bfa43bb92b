"""Movements of the ledger as sentences (E11)."""

from django.utils.translation import ngettext

from entitlements.models import Device, Movement, MovementKind


def movement_text(movement: Movement, names: dict[int, str], *, with_device: bool) -> str:
    """Return the sentence for a movement; only the parties of the item may read the device (L1)."""
    values = {
        "copies": movement.copies,
        "owner": names[movement.item.owner_id],
        "product": movement.item.product.name,
        "source": names[movement.parent.owner_id] if movement.parent else "",
    }
    kind = MovementKind(movement.kind)
    if with_device and movement.activation:
        values["device"] = device_label(movement.activation.device)
        return _on_device(movement.copies)[kind] % values
    return _sentences(movement.copies)[kind] % values


def device_label(device: Device) -> str:
    """Return the device's name with the host ID in brackets, or the host ID alone."""
    return f"{device.name} ({device.host_id})" if device.name else device.host_id


def _on_device(copies: int) -> dict[MovementKind, str]:
    return {
        MovementKind.ACTIVATE: ngettext(
            "%(copies)s copy of %(product)s was activated on %(device)s.",
            "%(copies)s copies of %(product)s were activated on %(device)s.",
            copies,
        ),
        MovementKind.RETURN: ngettext(
            "%(copies)s copy of %(product)s was returned from %(device)s.",
            "%(copies)s copies of %(product)s were returned from %(device)s.",
            copies,
        ),
    }


def _sentences(copies: int) -> dict[MovementKind, str]:
    return {
        MovementKind.ISSUE: ngettext(
            "%(copies)s copy of %(product)s was issued to %(owner)s.",
            "%(copies)s copies of %(product)s were issued to %(owner)s.",
            copies,
        ),
        MovementKind.SPLIT: ngettext(
            "%(source)s split %(copies)s copy of %(product)s to %(owner)s.",
            "%(source)s split %(copies)s copies of %(product)s to %(owner)s.",
            copies,
        ),
        MovementKind.UNDO: ngettext(
            "%(copies)s copy of %(product)s went back from %(owner)s to %(source)s.",
            "%(copies)s copies of %(product)s went back from %(owner)s to %(source)s.",
            copies,
        ),
        MovementKind.ADJUST: ngettext(
            "MOBOTIX added %(copies)s copy of %(product)s.",
            "MOBOTIX added %(copies)s copies of %(product)s.",
            copies,
        ),
        MovementKind.REVOKE: ngettext(
            "MOBOTIX revoked %(copies)s copy of %(product)s.",
            "MOBOTIX revoked %(copies)s copies of %(product)s.",
            copies,
        ),
        MovementKind.ACTIVATE: ngettext(
            "%(copies)s copy of %(product)s was activated.",
            "%(copies)s copies of %(product)s were activated.",
            copies,
        ),
        MovementKind.RETURN: ngettext(
            "%(copies)s activated copy of %(product)s was returned.",
            "%(copies)s activated copies of %(product)s were returned.",
            copies,
        ),
    }
