"""What a PO and its items hold, as RetailOps sends them: the names that columns of a PO file may use."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from filebridge.errors import Problem
from filebridge.mapping.explain import did_you_mean
from filebridge.mapping.layout import header_of
from filebridge.mapping.model import OrderLayout
from filebridge.mapping.pack import VendorPack

ADDRESS_FIELDS: Final = (
    "addressee", "company", "address1", "address2", "city", "state_abbr", "state_name", "postal_code",
    "country_name", "phone_number",
)  # fmt: skip
ORDER_FIELDS: Final = (
    "po", "id", "vendor_id", "vendor_name", "type", "status", "date_created", "date_submit",
    "estimated_ship_date", "cancel_after", "order_id", "ship_service.id", "ship_service.name",
    *(f"ship_address.{name}" for name in ADDRESS_FIELDS), "note",
)  # fmt: skip
ITEM_FIELDS: Final = ("po_item_id", "vpc", "quantity", "sku", "description", "unit_cost")


def column_problems(pack: VendorPack, fetched: Collection[str] = ()) -> list[Problem]:
    """Columns of the vendor's PO files that name what neither the wire document nor a fetched PO has.

    `fetched` are the field names, dotted, that POs in the ledger were seen to have. A field of an item may be
    written `items.vpc` too, as it must be where the PO has a field of that name itself.
    """
    known = dict.fromkeys((*ORDER_FIELDS, *ITEM_FIELDS, *sorted(fetched)))
    of_items = {f"items.{name}" for name in ITEM_FIELDS}
    problems = []
    for header, column in pack.orders.columns.items() if pack.orders is not None else ():
        if column.field is not None and column.field not in known and column.field not in of_items:
            message = f"column `{header}`: a PO has no field `{column.field}`"
            fix = _fix(column.field, list(known))
            problems.append(Problem(pack.orders_columns.get(header, pack.orders_path), message, fix))
    return problems


def quoting_problems(pack: VendorPack) -> list[Problem]:
    """Headers and constants of the vendor's PO files that `quoting: none` leaves no way to write."""
    layout = pack.orders
    if layout is None or layout.write.format != "csv" or layout.write.quoting != "none":
        return []
    fix = "Write `quoting: minimal`, another `delimiter:`, or another text."
    problems = []
    for header, written in zip(layout.columns, header_of(layout), strict=True):
        place = pack.orders_columns.get(header, pack.orders_path)
        value = layout.columns[header].value or ""
        for what, text, counts in (("header", written, layout.write.header), ("value", value, True)):
            if counts and _needs_quotes(text, layout):
                message = f"the {what} `{text}` holds the delimiter or a line break, and `quoting: none` has no quotes"
                problems.append(Problem(place, message, fix))
    return problems


def _needs_quotes(text: str, layout: OrderLayout) -> bool:
    return any(mark in text for mark in (layout.write.delimiter, "\n", "\r"))


def _fix(name: str, known: list[str]) -> str:
    by_end = [field for field in known if field.rpartition(".")[2] == name]
    return f"Did you mean `{by_end[0]}`?" if by_end else did_you_mean(name, known)
