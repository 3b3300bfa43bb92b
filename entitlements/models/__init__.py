"""The models of the app, one noun a file."""

from entitlements.models.entitlement import Entitlement
from entitlements.models.line_item import PERMANENT, LineItem, State, today
from entitlements.models.movement import Movement, MovementKind
from entitlements.models.product import LicenceModel, Product

__all__ = [
    "PERMANENT",
    "Entitlement",
    "LicenceModel",
    "LineItem",
    "Movement",
    "MovementKind",
    "Product",
    "State",
    "today",
]
