"""The calls that are simulated: a table, and one function each.

To add a call: write a function that takes an `Exchange` and returns the answer, and name it in `CALLS`.
A function reads everything first and changes the state last, so that a refusal changes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from filebridge.sandbox.settings import Settings
from filebridge.sandbox.state import State
from filebridge.sandbox.values import Json, as_text, is_true, vendor_text, whole_number

T = TypeVar("T")

# Statuses that a PO can be moved from (section 6; the targets are documented, the origins assumed).
SUBMITTABLE = frozenset({"open", "ready"})


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


@dataclass(frozen=True, slots=True)
class Call:
    """One entry of the table; without `perform` it is known at RetailOps and not simulated here."""

    name: str
    version: int
    short: str
    perform: Callable[[Exchange], Json] | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """What a path says: the action's canonical name ("" where there is none), version, table entry."""

    action: str
    version: int
    call: Call | None


def find_route(path: str) -> Route:
    """Find the action of a path such as `/Vendor/PO/Fetch~1.json` (section 1, documented).

    Case does not matter; a version that is left out, or is no number, is 1.
    """
    base = path.partition("?")[0].strip("/")
    if not base.lower().endswith(".json"):
        return Route("", 1, None)
    dotted, _, version_text = base[: -len(".json")].replace("/", ".").partition("~")
    version = int(version_text) if version_text.isascii() and version_text.isdigit() else 0
    version = version or 1
    name = _CANONICAL.get(dotted.lower(), "")
    return Route(name, version, _BY_PATH.get((name, version)))


def find_actions(word: str) -> frozenset[str]:
    """The canonical names that `update`, `fetch` or a full name in any case means; empty where none does."""
    return frozenset(call.name for call in CALLS if word.lower() in (call.short, call.name.lower()))


def update_external_skus(exchange: Exchange) -> Json:
    """Product.ExternalSku.update v2, inventory advice (section 5.1; shape documented, refusals assumed)."""

    def read(index: int, record: Any) -> tuple[str, str, Json]:
        vendor_id = _vendor_of(exchange, index, record)
        vpc = as_text(record.get("vpc"))
        if vpc is None or vpc in refused:
            raise Refused(f"for field idx {index}: invalid vpc")
        quantity = whole_number(record.get("quantity"))
        if quantity is None or quantity < 0:
            raise Refused(f"for field idx {index}: invalid quantity")
        return vendor_id, vpc, record

    refused = exchange.settings.refuse_vpcs
    good, results = _read_records(exchange, read, ("vendor_id", "vpc"))
    exchange.state.give_advice(good, call_seq=exchange.call_seq, action=exchange.action, at=exchange.at)
    return results


def fetch_pos(exchange: Exchange) -> Json:
    """Vendor.PO.fetch v1 (section 5.2): `records` and no total; future `date_submit` is not left out."""
    body, settings = exchange.body, exchange.settings
    vendor_id = vendor_text(body.get("vendor_id"))
    if vendor_id is None:
        raise Refused("vendor_id is required")
    _check_vendor(exchange, vendor_id)
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
    return _move_pos(exchange, SUBMITTABLE, "submitted")


def _move_pos(exchange: Exchange, origins: frozenset[str], target: str) -> Json:
    """Move the POs of `records` to a status; items and quantities must be those of the PO as it stands."""
    state = exchange.state
    moved: set[str] = set()

    def read(index: int, record: Any) -> str:
        po = as_text(record.get("po"))
        held = state.pos.get(po) if po is not None else None
        if po is None or held is None:
            raise Refused(f"for field idx {index}: invalid po {record.get('po')}")
        _check_vendor(exchange, vendor_text(held["vendor_id"]) or "")
        status = target if po in moved else str(held["status"]).lower()
        if status not in origins:
            raise Refused(f"for field idx {index}: PO {po} status: {status}, ineligible for this action")
        difference = _difference(held["items"], record.get("items"))
        if difference:
            raise Refused(f"for field idx {index}: PO {po} items do not match: {difference}")
        moved.add(po)
        return po

    good, results = _read_records(exchange, read, ("po",))
    for po in good:
        state.set_status(po, target, call_seq=exchange.call_seq, action=exchange.action, at=exchange.at)
    return results


def _read_records(
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


def _vendor_of(exchange: Exchange, index: int, record: Json) -> str:
    """The vendor id of an advice record, given as `vendor_id` or, in its place, `vendor_name` (5.1, seen)."""
    vendor_id = vendor_text(record.get("vendor_id"))
    if vendor_id is None:
        vendor_id = _vendor_ids(exchange).get(str(record.get("vendor_name")))
    if vendor_id is None:
        raise Refused(f"for field idx {index}: invalid vendor")
    _check_vendor(exchange, vendor_id)
    return vendor_id


def _vendor_ids(exchange: Exchange) -> dict[str, str]:
    from_pos = {
        str(po["vendor_name"]): vendor_text(po["vendor_id"]) or ""
        for po in exchange.state.pos.values()
        if po.get("vendor_name")
    }
    return from_pos | dict(exchange.settings.vendor_names)


def _check_vendor(exchange: Exchange, vendor_id: str) -> None:
    if exchange.vendors is not None and vendor_id not in exchange.vendors:
        raise Refused(f"access denied: vendor {vendor_id}", code="authz", status=403)


def _statuses(given: object) -> frozenset[str] | None:
    if given is None:
        return None
    words: list[Any] = given if isinstance(given, list) else [given]
    if not all(isinstance(word, str) for word in words):
        raise Refused("status must be text or an array of texts")
    return frozenset(word.strip().lower() for word in words)


def _shown_po(po: Json, with_items: bool, item_id_name: str) -> Json:
    """A PO as an answer shows it; the state's own dict is left alone."""
    shown = {name: value for name, value in po.items() if name != "items"}
    if with_items:
        shown["items"] = [
            {item_id_name if name == "po_item_id" else name: value for name, value in item.items()}
            for item in po["items"]
        ]
    return shown


def _difference(held: list[Json], sent: object) -> str:
    """What differs between a PO's items and those sent, by id and quantity; "" where nothing does."""
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
        if quantity != wanted[item_id]:
            return f"po_item_id {item_id} quantity {quantity}, the PO has {wanted[item_id]}"
    missing = [str(item_id) for item_id in wanted if item_id not in given]
    return f"po_item_id {', '.join(missing)} is missing" if missing else ""


CALLS: tuple[Call, ...] = (
    Call("Product.ExternalSku.update", 2, "update", update_external_skus),
    Call("Vendor.PO.fetch", 1, "fetch", fetch_pos),
    Call("Vendor.PO.MarkSubmitted", 1, "mark_submitted", mark_submitted),
    Call("Product.ExternalSku.update", 1, "update_v1"),
    Call("Vendor.PO.MarkAccepted", 1, "mark_accepted"),
    Call("Vendor.PO.UpdateEstShipDate", 1, "update_est_ship_date"),
    Call("Vendor.PO.Complete", 1, "complete"),
    Call("Vendor.PO.CompleteDS", 1, "complete_ds"),
    Call("Vendor.PO.SubmitPartialTracking", 1, "submit_partial_tracking"),
    Call("Constant.Ship.CarrierClass.fetch", 1, "carriers"),
)

_CANONICAL = {call.name.lower(): call.name for call in CALLS}
_BY_PATH = {(call.name, call.version): call for call in CALLS}
