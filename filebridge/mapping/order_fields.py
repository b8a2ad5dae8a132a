"""What a PO and its items hold, as RetailOps sends them: the names that columns of a PO file may use."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from filebridge.errors import Problem
from filebridge.mapping.explain import did_you_mean
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

    `fetched` are the field names, dotted, that POs in the ledger were seen to have.
    """
    known = dict.fromkeys((*ORDER_FIELDS, *ITEM_FIELDS, *sorted(fetched)))
    problems = []
    for header, column in pack.orders.columns.items() if pack.orders is not None else ():
        if column.field is not None and column.field not in known:
            message = f"column `{header}`: a PO has no field `{column.field}`"
            fix = _fix(column.field, list(known))
            problems.append(Problem(pack.orders_columns.get(header, pack.orders_path), message, fix))
    return problems


def _fix(name: str, known: list[str]) -> str:
    by_end = [field for field in known if field.rpartition(".")[2] == name]
    return f"Did you mean `{by_end[0]}`?" if by_end else did_you_mean(name, known)
