"""The calls that read POs and move them on: fetch, MarkSubmitted, MarkAccepted, UpdateEstShipDate.

Which statuses a PO can be moved from is assumed throughout; the targets are documented (section 6).
"""

import re
from datetime import datetime
from typing import Any

from filebridge.sandbox.exchange import (
    Exchange,
    Refused,
    check_status,
    check_vendor,
    difference,
    find_po,
    read_records,
)
from filebridge.sandbox.values import Json, id_text, is_true, whole_number

SUBMITTABLE = frozenset({"open", "ready"})
ACCEPTABLE = frozenset({"submitted"})
DATEABLE = frozenset({"open", "ready", "submitted", "accepted"})

# What the retailer keeps of a PO beside it; nothing public says that a fetch returns it.
_KEPT_BESIDE = frozenset({"items", "packages", "accepted_items"})

_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)", re.ASCII)


def fetch_pos(exchange: Exchange) -> Json:
    """Vendor.PO.fetch v1 (section 5.2): `records` and no total; future `date_submit` is not left out."""
    body, settings = exchange.body, exchange.settings
    vendor_id = id_text(body.get("vendor_id"))
    if vendor_id is None:
        raise Refused("vendor_id is required")
    check_vendor(exchange, vendor_id)
    start = whole_number(body.get("start", 0))
    limit = whole_number(body.get("limit", settings.default_limit))
    if start is None or limit is None or start < 0 or limit < 0:
        raise Refused("start and limit must be whole numbers, not negative")
    limit = limit if settings.max_limit is None else min(limit, settings.max_limit)
    found = list(exchange.state.find_pos(vendor_id, _statuses(body.get("status"))))
    with_items = is_true(body.get("with_items"))
    page = found[start : start + limit]
    return {"success": 1, "records": [_shown_po(po, with_items, settings.item_id_name) for po in page]}


def mark_submitted(exchange: Exchange) -> Json:
    """Vendor.PO.MarkSubmitted v1: open or ready to submitted (5.3; target documented, checks inferred)."""
    return _move_pos(exchange, SUBMITTABLE, "submitted", is_part_allowed=False)


def mark_accepted(exchange: Exchange) -> Json:
    """Vendor.PO.MarkAccepted v1: submitted to accepted (5.6; target documented, checks inferred).

    Whether a part of a PO can be accepted is not public: the setting `short_accept` says, taken by default.
    """
    is_part_allowed = exchange.settings.short_accept == "accept"
    return _move_pos(exchange, ACCEPTABLE, "accepted", is_part_allowed=is_part_allowed)


def _move_pos(exchange: Exchange, origins: frozenset[str], target: str, *, is_part_allowed: bool) -> Json:
    """Move the POs of `records` to a status; items and quantities are compared with the PO as it stands."""
    moved: set[str] = set()

    def read(index: int, record: Any) -> tuple[str, list[Json]]:
        where = f"for field idx {index}: "
        po, held = find_po(exchange, record.get("po"), where)
        check_status(po, target if po in moved else str(held["status"]).lower(), origins, where)
        differs = difference(held["items"], record.get("items"), is_part_allowed=is_part_allowed)
        if differs:
            raise Refused(f"{where}PO {po} items do not match: {differs}")
        moved.add(po)
        return po, record["items"]

    good, results = read_records(exchange, read, ("po",))
    for po, items in good:
        kept = {"accepted_items": items} if target == "accepted" else {}
        exchange.state.set_status(
            po, target, kept, call_seq=exchange.call_seq, action=exchange.action, at=exchange.at
        )
    return results


def update_est_ship_dates(exchange: Exchange) -> Json:
    """Vendor.PO.UpdateEstShipDate v1 (5.7; shape documented, checks assumed): the status stays."""

    def read(index: int, record: Any) -> tuple[str, Json]:
        where = f"for field idx {index}: "
        po, held = find_po(exchange, record.get("po"), where)
        check_status(po, str(held["status"]).lower(), DATEABLE, where)
        if not _is_instant(record.get("estimated_ship_date")):
            raise Refused(f"{where}PO {po} invalid estimated_ship_date {record.get('estimated_ship_date')}")
        differs = difference(held["items"], record.get("items"), is_part_allowed=True)
        if differs:
            raise Refused(f"{where}PO {po} items do not match: {differs}")
        return po, record

    good, results = read_records(exchange, read, ("po",))
    for po, record in good:
        exchange.state.set_ship_date(
            po, record, call_seq=exchange.call_seq, action=exchange.action, at=exchange.at
        )
    return results


def _is_instant(value: object) -> bool:
    """Whether it is ISO 8601 with `Z` or an offset; both were seen (section 2), a date alone was not."""
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _statuses(given: object) -> frozenset[str] | None:
    if given is None:
        return None
    words: list[Any] = given if isinstance(given, list) else [given]
    if not all(isinstance(word, str) for word in words):
        raise Refused("status must be text or an array of texts")
    return frozenset(word.strip().lower() for word in words)


def _shown_po(po: Json, with_items: bool, item_id_name: str) -> Json:
    """A PO as an answer shows it; the state's own dict is left alone."""
    shown = {name: value for name, value in po.items() if name not in _KEPT_BESIDE}
    if with_items:
        shown["items"] = [
            {item_id_name if name == "po_item_id" else name: value for name, value in item.items()}
            for item in po["items"]
        ]
    return shown
