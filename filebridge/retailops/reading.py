"""Reading what RetailOps sends: JSON with distrust, purchase orders and ship classes with tolerance.

The shape of Vendor.PO.fetch's answer is not documented (only `po`, `date_submit`, status and items with an
id, `vpc` and `quantity` are certain), and its types are not to be relied on: ids and numbers may be text.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypeAlias

import orjson

from filebridge.clock import to_micros
from filebridge.documents.ship_classes import ShipClass

Json: TypeAlias = dict[str, Any]

MAX_DEPTH: Final = 64
_LATEST: Final = 253_402_300_800_000_000
"""The year 10000 in microseconds: later is no date."""


class _Refused(ValueError):
    """JSON that two readers could understand in two ways."""


def read_json(body: bytes) -> tuple[Json | None, str]:
    """The JSON object of an answer, or None and what stands there in its place, for a sentence.

    Refused are names given twice, NaN and Infinity, numbers beyond a double, and more than 64 levels: what
    two readers could read differently proves nothing.
    """
    if not body.strip():
        return None, "an empty answer"
    try:
        value = json.loads(
            body.decode("utf-8-sig"),
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
    except RecursionError:
        return None, "JSON that is nested too deep"
    except _Refused as error:
        return None, str(error)
    except ValueError:
        is_page = body.lstrip()[:1] == b"<"
        return None, "a web page in place of an answer" if is_page else "an answer that is not JSON"
    if not isinstance(value, dict):
        return None, "JSON that is no object"
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH and _is_deeper(value, MAX_DEPTH):
        return None, "JSON that is nested too deep"
    return value, ""


def _unique(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Refused("JSON that gives a name twice")
    return found


def _no_constant(word: str) -> float:
    raise _Refused(f"JSON that holds {word}")


class SentNumber(float):
    """A number with a fraction or an exponent that shows itself as it was sent: 4.50, not 4.5."""

    def __new__(cls, text: str) -> SentNumber:
        number = super().__new__(cls, text)
        number._text = text
        return number

    _text: str

    def __str__(self) -> str:
        return self._text


def _finite(text: str) -> float:
    number = SentNumber(text)
    if math.isinf(number):
        raise _Refused("JSON that holds a number beyond all bounds")
    return number


def _is_deeper(value: object, levels: int) -> bool:
    here: list[object] = [value]
    while here:
        levels -= 1
        if levels < 0:
            return True
        here = [inner for outer in here for inner in _inside(outer) if isinstance(inner, dict | list)]
    return False


def _inside(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


# Purchase orders


@dataclass(frozen=True, slots=True)
class OrdersPage:
    """A page of Vendor.PO.fetch: its POs as they were sent, and a sentence for each record that is none."""

    orders: tuple[Json, ...]
    faults: tuple[str, ...]
    records: int
    """Records of the page, readable or not: what paging counts."""


@dataclass(frozen=True, slots=True)
class OrderItem:
    """An item of a PO. `po_item_id` is as it was sent, number or text; `quantity` is whole."""

    po_item_id: int | str
    vpc: str
    quantity: int


def read_orders(reply: Json, *, start: int = 0) -> OrdersPage | None:
    """The POs of a fetch's answer, kept as sent; None where it has no `records` to read.

    `start` is the number of the page's first record, from 0. A record without a PO number, or with text
    that is no Unicode, is reported; the page is kept.
    """
    records = _records_of(reply)
    if records is None:
        return None
    orders: list[Json] = []
    faults: list[str] = []
    for place, record in enumerate(records, start + 1):
        fault = _fault_of(record)
        if fault:
            faults.append(f"record {place} {fault}")
        else:
            orders.append(record)
    return OrdersPage(tuple(orders), tuple(faults), len(records))


def _records_of(reply: Json) -> list[Any] | None:
    """What stands under `records`: an array, or one record by itself (seen to be taken in requests)."""
    records = reply.get("records")
    if isinstance(records, dict):
        return [records]
    return records if isinstance(records, list) else None


def _fault_of(record: object) -> str:
    if not isinstance(record, dict):
        return "is no object"
    if not po_of(record):
        return "has no PO number (`po`)"
    try:
        orjson.dumps(record, default=str)
    except TypeError as error:
        return f"cannot be kept ({error})"
    return ""


def po_of(record: Mapping[str, Any]) -> str:
    """The PO's number as text, empty where there is none."""
    return _id_text(record.get("po"))


def status_of(record: Mapping[str, Any]) -> str:
    """The PO's status in lower case, empty where the record names none."""
    value = record.get("status")
    return value.strip().lower() if isinstance(value, str) else ""


def items_of(record: Mapping[str, Any]) -> tuple[OrderItem, ...] | None:
    """The PO's items in their order; None where one lacks its id, its VPC or a whole quantity.

    The id is `po_item_id` or `id` (both are to be expected, neither is documented for answers).
    """
    given = record.get("items")
    if not isinstance(given, list):
        return None
    items = [_item_of(entry) for entry in given]
    return None if None in items else tuple(item for item in items if item is not None)


def _item_of(entry: object) -> OrderItem | None:
    if not isinstance(entry, dict):
        return None
    item_id = entry.get("po_item_id")
    if item_id is None:
        item_id = entry.get("id")
    quantity = whole_number(entry.get("quantity"))
    vpc = _id_text(entry.get("vpc"))
    if not _id_text(item_id) or not vpc or quantity is None:
        return None
    return OrderItem(item_id if isinstance(item_id, int | str) else _id_text(item_id), vpc, quantity)


def _id_text(value: object) -> str:
    """An identifier as text: text as it is, a whole number by its digits, anything else is none."""
    if isinstance(value, str):
        return value if value.strip() else ""
    number = None if value is None else whole_number(value)
    return "" if number is None else str(number)


def whole_number(value: object) -> int | None:
    """A whole number that was sent as number or text (`2`, `"2"`, `2.0`, `"2.00"`), None for all else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    try:
        number = Decimal(str(value).strip()) if isinstance(value, float | str) else None
    except InvalidOperation:
        return None
    if number is None or not number.is_finite() or abs(number) > 10**18 or number != int(number):
        return None
    return int(number)


def date_submit_of(record: Mapping[str, Any]) -> int | None:
    """When the PO is due, in microseconds UTC; None where the record holds no date that can be read.

    Format and zone are not public (assumed: ISO 8601 in UTC). Read are ISO 8601 with or without a zone,
    `YYYY-MM-DD HH:MM:SS`, and seconds or milliseconds since the epoch as number or text; without a zone it
    is UTC.
    """
    return instant_of(record.get("date_submit"))


def instant_of(value: object) -> int | None:
    """An instant in any of the forms of `date_submit_of`."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return _from_epoch(value)
    if not isinstance(value, str):
        return None
    text = value.strip()
    if len(text) > 8 and text.replace(".", "", 1).isdecimal() and text.isascii():
        return _from_epoch(float(text))
    try:
        moment = datetime.fromisoformat(text)
        return to_micros(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None


def _from_epoch(number: float) -> int | None:
    """Seconds, or milliseconds where seconds would lie beyond the year 5000."""
    seconds = number / 1000 if number >= 1e11 else number
    micros = round(seconds * 1_000_000) if 0 < seconds < 1e12 else 0
    return micros if 0 < micros < _LATEST else None


# Ship classes


def read_ship_classes(reply: Json) -> tuple[tuple[ShipClass, ...], tuple[str, ...]] | None:
    """The ship classes of an answer in its order, and a sentence for each record that is none.

    None where the answer has no `records` to read. `id` and `name` are seen, `active` is documented for another
    interface of RetailOps as text; where it is absent, the class is taken to be active. An id that was there
    before, with another name, is none.
    """
    records = _records_of(reply)
    if records is None:
        return None
    found: dict[str, ShipClass] = {}
    faults: list[str] = []
    for place, record in enumerate(records, 1):
        one = _ship_class_of(record)
        if isinstance(one, str):
            faults.append(f"record {place} {one}")
        elif found.setdefault(str(one.id), one).name != one.name:
            faults.append(f"record {place} has the id {one.id}, as has {found[str(one.id)].name!r}")
    return tuple(found.values()), tuple(faults)


def _ship_class_of(record: object) -> ShipClass | str:
    """The ship class that a record is, or what keeps it from being one."""
    if not isinstance(record, dict):
        return "is no object"
    given, name = record.get("id"), _id_text(record.get("name"))
    id_text = _id_text(given)
    if not id_text:
        return "has no id"
    if not name:
        return f"has the id {id_text} and no name"
    one = ShipClass(given if isinstance(given, str) else int(id_text), name, _is_active(record.get("active")))
    try:
        orjson.dumps([one.id, one.name])
    except TypeError as error:
        return f"cannot be kept ({error})"
    return one


def _is_active(value: object) -> bool:
    """Perl's truth, and the word false; absent or null is active (assumed)."""
    if isinstance(value, str):
        return value.strip().lower() not in ("", "0", "false")
    return value is None or bool(value)
