"""Purchase orders as RetailOps holds them: what a vendor must know of one, and when that has changed. Pure.

`record` is a PO as Vendor.PO.fetch sent it (the wire document, section 7). Its fields are named as there:
`date_submit`, `ship_address.postal_code`; those of an item as `vpc`, or `items.vpc` where the PO has one too.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

Json: TypeAlias = Mapping[str, Any]

ITEM_FIELDS: Final = frozenset({"po_item_id", "vpc", "quantity", "sku", "description", "unit_cost"})
"""Fields of an item in the wire document; any other name is one of the PO where the PO has it."""

IDENTIFIERS: Final = frozenset(
    {"po", "id", "vpc", "po_item_id", "sku", "order_id", "vendor_id", "upc", "ean", "postal_code"}
)
"""Fields whose text is never altered, by the last part of their name."""

_NEVER_A_REVISION: Final = frozenset(
    {"status", "date_updated", "date_modified", "date_touched", "updated_at", "modified_at", "last_modified"}
)
_PLAIN_NUMBER: Final = re.compile(r"(-?(?:0|[1-9]\d*))(?:\.(\d+))?")


@dataclass(frozen=True)
class PoItem:
    """A line of a PO. `po_item_id` is number or text, as it came and as it goes back."""

    po_item_id: int | str
    vpc: str
    quantity: int


@dataclass(frozen=True)
class PurchaseOrder:
    """A PO that can be read. `date_submit` is in microseconds UTC; `status` RetailOps' word in lower case.

    `items` are those of `record["items"]`, in the same order.
    """

    po: str
    status: str
    date_submit: int
    items: tuple[PoItem, ...]
    record: Json


def is_identifier(field: str) -> bool:
    """Whether a field's text is an identifier, which nobody may alter."""
    return field.rpartition(".")[2] in IDENTIFIERS


def is_of_item(order: PurchaseOrder, field: str) -> bool:
    """Whether `field` names something that each item has, and not the PO."""
    first = field.partition(".")[0]
    if first == "items" or first in ITEM_FIELDS:
        return True
    return first not in order.record and any(first in item for item in order.record["items"])


def value_of(order: PurchaseOrder, field: str) -> object:
    """The value of a PO's own field, None where it has none."""
    return _dig(order.record, field)


def item_values_of(order: PurchaseOrder, field: str) -> tuple[object, ...]:
    """The value of an item's field for each item, None where an item has none."""
    path = field.removeprefix("items.")
    values = tuple(_dig(item, path) for item in order.record["items"])
    if path == "po_item_id":
        return tuple(item.po_item_id for item in order.items)
    return values


def text_of(value: object) -> str:
    """A value as RetailOps sent it: text as it is, a number by its digits, nothing for null."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, list | tuple):
        return ", ".join(text_of(one) for one in value)
    return str(value)


def revision_of(order: PurchaseOrder, fields: Iterable[str]) -> str:
    """Hash of what the vendor must know of a PO: items, ship address, ship service, and these `fields`.

    Not of its status, times of touch, the order of keys and items, null against missing, or whether a number
    came as text (DESIGN, cases settled).
    """
    record = order.record
    by_id = sorted(range(len(order.items)), key=lambda place: str(order.items[place].po_item_id))
    told: dict[str, object] = {
        "items": [
            [str(order.items[place].po_item_id), order.items[place].vpc, order.items[place].quantity]
            for place in by_id
        ],
        "ship_address": _normal(record.get("ship_address")),
        "ship_service": _normal(record.get("ship_service")),
    }
    for field in sorted(set(fields)):
        if field.rpartition(".")[2] in _NEVER_A_REVISION:
            continue
        if field == "date_submit":
            told[f"field {field}"] = str(order.date_submit)
        elif is_of_item(order, field):
            values = item_values_of(order, field)
            told[f"field {field}"] = [_normal_of(field, values[place]) for place in by_id]
        else:
            told[f"field {field}"] = _normal_of(field, value_of(order, field))
    text = json.dumps(told, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _dig(value: object, path: str) -> object:
    for name in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


def _normal_of(field: str, value: object) -> object:
    return text_of(value) if is_identifier(field) else _normal(value)


def _normal(value: object) -> object:
    """A value so that two spellings of the same are equal: 4.5 and "4.50", null and missing."""
    if isinstance(value, Mapping):
        found = {str(name): _normal_of(str(name), inner) for name, inner in value.items()}
        return {name: inner for name, inner in found.items() if inner not in ("", {}, [])}
    if isinstance(value, list | tuple):
        return [_normal(inner) for inner in value]
    text = text_of(value)
    number = _PLAIN_NUMBER.fullmatch(text)
    if number and number[2] is not None:
        return f"{number[1]}.{number[2]}".rstrip("0").rstrip(".")
    return text
