"""RetailOps' carrier classes as the sandbox holds them: ids that are its own, and names.

The ids differ from system to system and drift over the years (section 5.5, seen), so the list can be
replaced as a whole, and each class renumbered, renamed or taken away.
"""

import copy
from collections.abc import Iterable
from typing import Any

from filebridge.sandbox.values import Json, StateError, id_text

# One live account's list (section 5.5, seen); 7 and 113 have one name there too.
_DEFAULT = {
    3: "FedEx Priority Overnight",
    4: "FedEx Standard Overnight",
    5: "FedEx 2Day",
    6: "FedEx Express Saver",
    7: "FedEx Ground",
    8: "FedEx Home Delivery",
    9: "FedEx International Priority",
    10: "FedEx International Economy",
    34: "USPS Priority Mail",
    35: "USPS Parcel Select Nonpresort",
    37: "USPS Media Mail Single-Piece",
    38: "USPS Bnd Prt Mtr Single Piece",
    39: "USPS First-Class Mail",
    50: "USPS Priority Mail Express",
    57: "UPS Next Day Air",
    58: "UPS Next Day Air Saver",
    59: "UPS 2nd Day Air A.M.",
    60: "UPS 2nd Day Air",
    62: "UPS Ground",
    63: "UPS Worldwide Expedited",
    64: "UPS Worldwide Express Plus",
    65: "UPS Worldwide Express",
    66: "UPS Worldwide Express Saver",
    67: "UPS Standard Canada",
    71: "FedEx SmartPost Parcel Select",
    74: "FedEx SmartPost Standard Mail",
    113: "FedEx Ground",
    114: "LTL",
}


def default_ship_classes() -> list[Json]:
    """The list to begin with, `id` and `name` each; a new one at every call."""
    return [{"id": number, "name": name} for number, name in _DEFAULT.items()]


def checked_ship_classes(given: Any) -> dict[str, Json]:
    """Ship classes by the text of their id, in their order. Raises StateError that says what is wrong."""
    if not isinstance(given, Iterable):
        raise StateError("the ship classes must be a list")
    classes: dict[str, Json] = {}
    for one in given:
        class_id = id_text(one.get("id")) if isinstance(one, dict) else None
        if class_id is None or not isinstance(one.get("name"), str):
            raise StateError('a ship class must be an object with an "id" and the text "name"')
        if class_id in classes:
            raise StateError(f"there are two ship classes with the id {class_id}")
        classes[class_id] = copy.deepcopy(one)
    return classes
