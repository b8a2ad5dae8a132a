"""What a call works on, and what all calls share: records, the vendor of a key, PO items.

A call reads everything first and changes the state last, so that a refusal changes nothing.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, TypeVar

from filebridge.sandbox.settings import Settings
from filebridge.sandbox.state import State
from filebridge.sandbox.values import Json, as_text, id_text, whole_number

T = TypeVar("T")


class Refused(Exception):
    """A call, or one record of it, that RetailOps answers with ERROR and ERRORCODE (section 3, seen).

    `status` is the HTTP status with the setting `http_errors`; without it, it is 200.
    """

    def __init__(self, text: str, *, code: str = "general", status: int = 200) -> None:
        super().__init__(text)
        self.text = text
        self.code = code
        self.status = status


@dataclass(frozen=True, slots=True)
class Exchange:
    """What a call function works on. `vendors`: ids the key may act for, None for all. `at`: UTC text."""

    state: State
    settings: Settings
    body: Json
    vendors: frozenset[str] | None
    action: str
    call_seq: int
    at: str


def check_vendor(exchange: Exchange, vendor_id: str) -> None:
    """Refuse the whole call where its key may not act for that vendor."""
    if exchange.vendors is not None and vendor_id not in exchange.vendors:
        raise Refused(f"access denied: vendor {vendor_id}", code="authz", status=403)


def find_po(exchange: Exchange, given: object, where: str = "") -> tuple[str, Json]:
    """Number and PO that a call names, of a vendor of its key; `where` begins the text of a refusal."""
    po = as_text(given)
    held = exchange.state.pos.get(po) if po is not None else None
    if po is None or held is None:
        raise Refused(f"{where}invalid po {given}")
    check_vendor(exchange, id_text(held["vendor_id"]) or "")
    return po, held


def check_status(po: str, status: str, origins: Collection[str], where: str = "") -> None:
    """Refuse a PO in any other status, by its name: `ineligible for this action` (section 3, seen in a twin)."""
    if status not in origins:
        raise Refused(f"{where}PO {po} status: {status}, ineligible for this action")


def read_records(
    exchange: Exchange, read: Callable[[int, Any], T], names: tuple[str, ...]
) -> tuple[list[T], Json]:
    """Read all records: what is good, and the answer.

    All or nothing unless `per_record` is set (section 6, assumed): then a bad record fails alone, and the
    answer has one entry a record with its key fields (`names`), `success`, and ERROR where it failed.
    """
    records = exchange.body.get("records")
    if isinstance(records, dict):
        records = [records]
    if not isinstance(records, list):
        raise Refused("records is required and must be an array")
    maximum = exchange.settings.max_records
    if len(records) > maximum:
        raise Refused(f"too many records: {len(records)}, at most {maximum} a call")
    good: list[T] = []
    results: list[Json] = []
    for index, record in enumerate(records):
        try:
            if not isinstance(record, dict):
                raise Refused(f"for field idx {index}: a record must be an object")
            good.append(read(index, record))
        except Refused as refusal:
            if not exchange.settings.per_record or refusal.code != "general":
                raise
            shown = {name: record.get(name) for name in names} if isinstance(record, dict) else {}
            results.append(shown | {"success": 0, "ERROR": refusal.text})
        else:
            if exchange.settings.per_record:
                results.append({name: record.get(name) for name in names} | {"success": 1})
    return good, ({"success": 1, "records": results} if exchange.settings.per_record else {"success": 1})


def difference(held: list[Json], sent: object, *, is_part_allowed: bool) -> str:
    """What differs between a PO's items and those sent, by id and quantity; "" where nothing does.

    With `is_part_allowed` fewer items and smaller quantities are no difference, but none at all are.
    """
    if not isinstance(sent, list) or not all(isinstance(item, dict) for item in sent):
        return "items must be an array of objects"
    wanted = {
        as_text(item.get("po_item_id", item.get("id"))): whole_number(item.get("quantity")) for item in held
    }
    given = {as_text(item.get("po_item_id")): whole_number(item.get("quantity")) for item in sent}
    if len(given) < len(sent):
        return "a po_item_id is given twice"
    for item_id, quantity in given.items():
        if item_id not in wanted:
            return f"po_item_id {item_id} is not on the PO"
        is_part = is_part_allowed and 0 < (quantity or 0) < (wanted[item_id] or 0)
        if quantity != wanted[item_id] and not is_part:
            return f"po_item_id {item_id} quantity {quantity}, the PO has {wanted[item_id]}"
    if is_part_allowed:
        return "" if given else "items is empty"
    missing = [str(item_id) for item_id in wanted if item_id not in given]
    return f"po_item_id {', '.join(missing)} is missing" if missing else ""
