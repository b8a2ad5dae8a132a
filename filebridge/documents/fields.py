"""The fields of each document type (DESIGN section 5), and what kind of value each holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class FieldKind(StrEnum):
    """What a field's cells mean, and so which checks they meet."""

    IDENTIFIER = "identifier"
    """Text from the cell to the wire; a spreadsheet's damage is refused."""
    QUANTITY = "quantity"
    """A whole number of units, not negative."""
    MONEY = "money"
    """A decimal number, kept as canonical text: `18.9`, `49`."""
    FLAG = "flag"
    """Yes or no, kept as `1` or `0`."""
    INSTANT = "instant"
    """A moment, kept as microseconds since the epoch, UTC."""
    TEXT = "text"


@dataclass(frozen=True)
class FieldSpec:
    """One field of a document type, by FileBridge's own name."""

    name: str
    kind: FieldKind
    required: bool = False
    says: str = ""


_VPC: Final = FieldSpec("vpc", FieldKind.IDENTIFIER, says="vendor product code")
_PO: Final = FieldSpec("po", FieldKind.IDENTIFIER, required=True, says="purchase order")
_PO_ITEM: Final = FieldSpec("po_item_id", FieldKind.IDENTIFIER, says="RetailOps' id of the PO's line")
_UNITS: Final = FieldSpec("quantity", FieldKind.QUANTITY, says="units")

DOCUMENT_FIELDS: Final[Mapping[str, tuple[FieldSpec, ...]]] = MappingProxyType(
    {
        "inventory": (
            FieldSpec("vpc", FieldKind.IDENTIFIER, required=True, says="vendor product code"),
            FieldSpec("quantity", FieldKind.QUANTITY, required=True, says="units on hand, an absolute level"),
            FieldSpec(
                "vendor_id",
                FieldKind.IDENTIFIER,
                says="checked against the vendor's own; another is a reject",
            ),
            FieldSpec("unit_cost", FieldKind.MONEY, says="cost of one unit"),
            FieldSpec("active", FieldKind.FLAG, says="whether the VPC is offered"),
            FieldSpec("as_of", FieldKind.INSTANT, says="when the quantity was true"),
        ),
        "shipments": (
            _PO,
            _VPC,
            _PO_ITEM,
            _UNITS,
            FieldSpec("tracking_number", FieldKind.IDENTIFIER, required=True, says="of the package"),
            FieldSpec("carrier", FieldKind.TEXT, says="the vendor's word, found in carriers.yaml"),
            FieldSpec("ship_class_id", FieldKind.IDENTIFIER, says="RetailOps' id of carrier and service"),
            FieldSpec("package", FieldKind.IDENTIFIER, says="groups rows into one parcel"),
            FieldSpec("unit_count", FieldKind.QUANTITY, says="units in the package"),
            FieldSpec("shipped_at", FieldKind.INSTANT, says="kept for reports"),
        ),
        "acknowledgements": (
            _PO,
            _VPC,
            _PO_ITEM,
            _UNITS,
            FieldSpec("estimated_ship_date", FieldKind.INSTANT, says="the vendor's promise"),
            FieldSpec("status", FieldKind.TEXT, says="accepted, backordered or rejected"),
        ),
        "ship-dates": (
            _PO,
            FieldSpec("estimated_ship_date", FieldKind.INSTANT, required=True, says="the vendor's promise"),
            _VPC,
            _PO_ITEM,
            _UNITS,
        ),
        "submissions": (_PO, _VPC, _PO_ITEM, _UNITS),
    }
)
