"""Requests to RetailOps: paths and bodies, byte for byte. Each stands beside its section of the vendor guide."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from filebridge.clock import SECOND, iso
from filebridge.columns import Batch, TextColumn, join_batches, text_column, text_scalar
from filebridge.planning.plan import Action

_PATHS: Final[Mapping[Action, str]] = {
    # Guide sections 1 and 3 to 6, spelled as the guide spells them. Case does not matter (documented).
    Action.UPDATE: "/product/externalsku/update~2.json",
    Action.MARK_SUBMITTED: "/Vendor/PO/MarkSubmitted.json",
    Action.COMPLETE: "/Vendor/PO/Complete.json",
    Action.MARK_ACCEPTED: "/Vendor/PO/MarkAccepted.json",
    Action.UPDATE_EST_SHIP_DATE: "/Vendor/PO/UpdateEstShipDate.json",
}

FETCH_PATH: Final = "/Vendor/PO/Fetch.json"
"""Guide section 2."""

SHIP_CLASSES_PATH: Final = "/Constant/Ship/CarrierClass/fetch.json"
"""Constant.Ship.CarrierClass.fetch v1 (guide section 4, documented)."""
SHIP_CLASSES_BODY: Final = b'{"all":1}'
"""Documented; that `all` brings those that are not in use too is inferred."""

_OPEN: Final = b'{"records":['
_CLOSE: Final = b"]}"


def path_of(action: Action) -> str:
    """The path of a write, exactly as documented."""
    return _PATHS[action]


def body_of(action: Action, batch: Batch, *, vendor_id: str) -> bytes:
    """The request body of a planned call, byte for byte, from its unpacked block (`PlannedCall.block`)."""
    return bodies_of(action, [batch], vendor_id=vendor_id)[0]


def bodies_of(action: Action, batches: Sequence[Batch], *, vendor_id: str) -> list[bytes]:
    """The bodies of several calls of one action: together they take half the time that they take one by one."""
    if action is Action.COMPLETE:
        return [_whole_body(batch) for batch in batches]
    if action is not Action.UPDATE:
        return [_records_body(batch) for batch in batches]
    bodies: list[bytes] = []
    for _, alike in groupby(batches, key=lambda batch: batch.schema):
        bodies += _update_bodies(list(alike), vendor_id=vendor_id)
    return bodies


def _update_bodies(batches: Sequence[Batch], *, vendor_id: str) -> list[bytes]:
    """Product.ExternalSku.update v2 (guide section 1).

    Shape documented: `{"records":[{"vendor_id":"27","vpc":"00123","quantity":12}]}`, quantity an absolute
    level (inferred). `unit_cost` (a number) and `active` (1 or 0) are seen in live clients, not documented;
    a record that does not state one leaves it out. Built by columns: equal to orjson over dictionaries.
    """
    whole = join_batches(batches, batches[0].schema)
    names = whole.schema.names
    start = '{"vendor_id":' + orjson.dumps(vendor_id).decode() + ',"vpc":"'
    records = pc.binary_join_element_wise(
        _scalar(start),
        _escaped(whole.column(names.index("vpc"))),
        _QUANTITY,
        pc.cast(whole.column(names.index("quantity")), pa.string()),
        *(_stated(name, whole.column(names.index(name))) for name in _OPTIONAL if name in names),
        _END,
        _NOTHING,
    )
    bodies, first = [], 0
    for batch in batches:
        # The texts of a column lie one behind the other, so that they are the body but for the last comma.
        bodies.append(b"".join((_OPEN, _bytes_of(records.slice(first, batch.num_rows))[:-1], _CLOSE)))
        first += batch.num_rows
    return bodies


def _records_body(batch: Batch) -> bytes:
    """Vendor.PO.MarkSubmitted, MarkAccepted and UpdateEstShipDate v1 (guide sections 3, 5 and 6, documented).

    `{"records":[...]}`, a row of the block's `records` a record.
    """
    return _OPEN + ",".join(_texts(batch)).encode() + _CLOSE


def _whole_body(batch: Batch) -> bytes:
    """Vendor.PO.Complete v1 (guide section 4, documented): one PO a call, whose record is the whole body."""
    (body,) = _texts(batch)
    return body.encode()


def _texts(batch: Batch) -> list[str]:
    found: list[str] = batch.column(batch.schema.names.index("records")).to_pylist()
    return found


def mark_record(po: str, items: Sequence[tuple[int | str, int]]) -> str:
    """One record of MarkSubmitted or MarkAccepted as JSON text (guide sections 3 and 5, documented).

    `{"po":"D123","items":[{"po_item_id":456,"quantity":1}]}`. `items` are ids, in the type in which they came,
    and quantities: those that were exported or accepted (that RetailOps checks them is inferred).
    """
    return orjson.dumps({"po": po, "items": _by_id(items)}).decode()


def ship_date_record(po: str, at: int, items: Sequence[tuple[int | str, int]]) -> str:
    """One record of UpdateEstShipDate as JSON text (guide section 6, documented but for the comma it lacks).

    `{"po":"D123","estimated_ship_date":"2015-07-02T14:47:47Z","items":[{"po_item_id":456,"quantity":1}]}`. `at`
    is microseconds UTC, sent as whole seconds. `items` as for `mark_record`.
    """
    date = iso(at // SECOND * SECOND)
    return orjson.dumps({"po": po, "estimated_ship_date": date, "items": _by_id(items)}).decode()


def _by_id(items: Sequence[tuple[int | str, int]]) -> list[dict[str, int | str]]:
    return [{"po_item_id": item_id, "quantity": quantity} for item_id, quantity in items]


def complete_body(po: str, packages: Sequence[tuple[int | str, str, Sequence[tuple[str, int]]]]) -> str:
    """The whole body of a Complete as JSON text (guide section 4, documented).

    `{"po":"D123","packages":[{"ship_class_id":7,"tracking_number":"1Z…","items":[{"vpc":"A","quantity":1}],
    "unit_count":1}]}`. A package is a ship class id, in the type in which it came, a tracking number, and VPCs
    with their quantities. `unit_count` is the units of that package, the sum of its quantities (seen in a
    client of the sister call, not documented).
    """
    return orjson.dumps(
        {
            "po": po,
            "packages": [
                {
                    "ship_class_id": ship_class_id,
                    "tracking_number": tracking_number,
                    "items": [{"vpc": vpc, "quantity": quantity} for vpc, quantity in items],
                    "unit_count": sum(quantity for _, quantity in items),
                }
                for ship_class_id, tracking_number, items in packages
            ],
        }
    ).decode()


def fetch_body(vendor_id: str, statuses: Sequence[str], *, start: int, limit: int) -> bytes:
    """Vendor.PO.fetch v1 (guide section 2, documented), a page from record `start`, 0-based.

    One status is sent as text, as in the guide's older text, several as an array, as in its newer one.
    """
    status = statuses[0] if len(statuses) == 1 else list(statuses)
    return orjson.dumps(
        {"vendor_id": vendor_id, "start": start, "limit": limit, "status": status, "with_items": True}
    )


_QUANTITY: Final = text_scalar('","quantity":')
_END: Final = text_scalar("},")
_NOTHING: Final = text_scalar("")
_OPTIONAL: Final = ("unit_cost", "active")
_FIELD_STARTS: Final = {name: text_scalar(f',"{name}":') for name in _OPTIONAL}

_ESCAPED_TEXT: Final = re.compile(r'[\x00-\x1f"\\]')


@lru_cache(maxsize=64)
def _scalar(text: str) -> Any:
    """The start of a vendor's records, as an Arrow scalar."""
    return text_scalar(text)


def _bytes_of(column: TextColumn) -> memoryview:
    """The bytes of all texts of a column, one after the other."""
    _, offsets_buffer, data = column.buffers()
    offsets = np.frombuffer(offsets_buffer, dtype=np.int32)
    first, last = offsets[column.offset], offsets[column.offset + len(column)]
    return memoryview(data)[first:last] if data is not None else memoryview(b"")


def _escaped(column: TextColumn) -> TextColumn:
    """The column as it stands between quotes in JSON. Few files hold a VPC that needs an escape."""
    held = _bytes_of(column)
    text = bytes(held)
    lowest = np.frombuffer(held, dtype=np.uint8).min(initial=255)
    if b'"' not in text and b"\\" not in text and lowest >= 32:
        return column
    return text_column(
        [
            orjson.dumps(text)[1:-1].decode() if _ESCAPED_TEXT.search(text) else text
            for text in column.to_pylist()
        ]
    )


def _stated(name: str, column: TextColumn) -> TextColumn:
    """`,"name":value` where the record states one, else nothing."""
    whole = pc.binary_join_element_wise(_FIELD_STARTS[name], column, _NOTHING)
    return pc.if_else(pc.equal(column, _NOTHING), _NOTHING, whole)
