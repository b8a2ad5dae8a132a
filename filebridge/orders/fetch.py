"""Purchase orders into the ledger: what is there, what changed, and what is gone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from filebridge.clock import Clock
from filebridge.documents.purchase_orders import PoItem, PurchaseOrder, revision_of
from filebridge.ledger import orders as known_orders
from filebridge.ledger.connect import Ledger
from filebridge.ledger.orders import EVERY_STATUS, OrderRow, pack_record
from filebridge.ledger.schema import OrderState
from filebridge.mapping.layout import mapped_fields
from filebridge.mapping.pack import VendorPack
from filebridge.milestones import reached
from filebridge.rejects import CATALOGUE, Note
from filebridge.retailops.reading import date_submit_of, items_of, po_of, status_of

NOT_COMPLETE: Final = EVERY_STATUS[:-1]


class OrderSource(Protocol):
    """Where POs are read: `retailops.client.RetailOps`."""

    def fetch_orders(
        self,
        vendor_id: str,
        statuses: Sequence[str],
        /,
        *,
        wanted: Collection[str] = (),
        on_fault: Callable[[str], None] | None = None,
    ) -> list[dict[str, Any]]:
        """Every PO of the vendor in these statuses, each once; with `wanted`, until those are found.

        A record that cannot be read is told to `on_fault`.
        """
        ...


@dataclass(frozen=True)
class Fetched:
    """What a fetch found. `said` are sentences for a person; `vanished` are POs that a file holds."""

    seen: int = 0
    said: tuple[Note, ...] = ()
    vanished: tuple[str, ...] = ()


def fetch(
    ledger: Ledger, client: OrderSource, pack: VendorPack, clock: Clock, *, every_status: bool = False
) -> Fetched:
    """Read every PO of the vendor in its configured statuses into the ledger; writes no file, marks nothing.

    Due or not. Where the retailer changes POs after their submission, those are read as well; `every_status`
    reads all there are. A PO that was to be submitted, and is not among them, is looked for in every status:
    found, somebody has submitted it already; not found, it is gone (`OrderState.VANISHED`). Raises what
    `RetailOps.fetch_orders` raises; the ledger is then as it was.
    """
    at = clock.now()
    wanted = _statuses(pack, every_status=every_status)
    faults: list[str] = []
    records = client.fetch_orders(pack.settings.vendor_id, wanted, on_fault=faults.append)
    found, said = _of_vendor(records, pack)
    with ledger.read() as connection:
        known = known_orders.orders_of(connection, pack.vendor)
    missing = {row.po: row for row in known if row.po not in found and _is_expected(row, pack)}
    elsewhere = _look_for(missing, client, pack)
    vanished = [po for po in missing if po not in elsewhere]
    with ledger.begin() as connection:
        _see(connection, {**elsewhere, **found}, pack, at)
        _miss(connection, [missing[po] for po in vanished])
    reached("orders.fetched", pack.vendor)
    said += tuple(Note("incomplete_po", f"Of what RetailOps sent, {fault}") for fault in faults)
    return Fetched(len(found), said, tuple(po for po in vanished if missing[po].is_exported))


def lookup(client: OrderSource, ledger: Ledger, pack: VendorPack, po: str, clock: Clock) -> OrderRow | None:
    """One PO, read anew in every status and kept; None where RetailOps has none of that number.

    A file that must tell its change is written by the next pass.
    """
    at = clock.now()
    found = _look_for([po], client, pack)
    with ledger.begin() as connection:
        _see(connection, found, pack, at)
        return known_orders.order_row(connection, pack.vendor, po) if found else None


def look_again(
    ledger: Ledger, client: OrderSource, pack: VendorPack, pos: Collection[str], clock: Clock
) -> tuple[str, ...]:
    """Read POs again that a file holds, whatever their status; which of them are gone."""
    at = clock.now()
    found = _named(client.fetch_orders(pack.settings.vendor_id, NOT_COMPLETE, wanted=pos), pack, pos)
    missing = [po for po in pos if po not in found]
    found.update(_look_for(missing, client, pack))
    gone = [po for po in missing if po not in found]
    with ledger.begin() as connection:
        _see(connection, found, pack, at)
        rows = known_orders.orders_named(connection, pack.vendor, gone)
        _miss(connection, rows.values())
    return tuple(gone)


def in_question(ledger: Ledger, pack: VendorPack) -> tuple[Note, ...]:
    """What stands against POs of the vendor now, each in a sentence: held ones, and such as are gone."""
    with ledger.read() as connection:
        rows = known_orders.orders_in_question(connection, pack.vendor)
    return tuple(Note(row.code, f"{row.message.rstrip('.')}. {CATALOGUE[row.code].fix}") for row in rows)


def read_order(record: Mapping[str, Any]) -> PurchaseOrder | str:
    """A PO from its record, or the sentence that says what it lacks."""
    po = po_of(record)
    submit = date_submit_of(record)
    if submit is None:
        return f"PO {po} has no `date_submit` that can be read"
    items = items_of(record)
    if items is None:
        return f"PO {po} has an item without its id, its VPC or a whole quantity"
    if not items:
        return f"PO {po} has no items"
    lines = tuple(PoItem(item.po_item_id, item.vpc, item.quantity) for item in items)
    return PurchaseOrder(po, status_of(record), submit, lines, record)


def is_to_be_submitted(status: str, pack: VendorPack) -> bool:
    """Whether a PO in this status waits for the vendor to take it."""
    return status in {word.lower() for word in pack.settings.orders.status}


def _is_expected(row: OrderRow, pack: VendorPack) -> bool:
    """Whether a fetch should have found a PO, so that its absence means something."""
    if row.state is OrderState.MARKED:
        return pack.settings.changes_after_submit and row.status != "complete" and not row.code
    if row.state is OrderState.VANISHED:
        return False
    return row.is_exported or is_to_be_submitted(row.status, pack)


def _statuses(pack: VendorPack, *, every_status: bool) -> tuple[str, ...]:
    if every_status:
        return EVERY_STATUS
    later = ("submitted", "accepted", "receiving") if pack.settings.changes_after_submit else ()
    return tuple(dict.fromkeys((*pack.settings.orders.status, *later)))


def _of_vendor(
    records: Iterable[dict[str, Any]], pack: VendorPack
) -> tuple[dict[str, dict[str, Any]], tuple[Note, ...]]:
    """The vendor's own records by PO, and what is said of the others."""
    found: dict[str, dict[str, Any]] = {}
    said: list[Note] = []
    for record in records:
        po = po_of(record)
        other = _other_vendor(record, pack.settings.vendor_id)
        if not po:
            continue  # the client tells of these
        if other:
            said.append(
                Note(
                    "wrong_vendor",
                    f"PO {po} was sent to this vendor but belongs to vendor {other}; it was left out",
                )
            )
        else:
            found[po] = record
    return found, tuple(said)


def _other_vendor(record: Mapping[str, Any], own: str) -> str:
    """The vendor id of a record that is another vendor's, else empty. 27, "27" and "027" are one."""
    value = record.get("vendor_id")
    if value is None or isinstance(value, bool):
        return ""
    text = str(value).strip()
    return "" if (text.lstrip("0") or "0") == (own.strip().lstrip("0") or "0") else text


def _look_for(pos: Collection[str], client: OrderSource, pack: VendorPack) -> dict[str, dict[str, Any]]:
    if not pos:
        return {}
    return _named(client.fetch_orders(pack.settings.vendor_id, EVERY_STATUS, wanted=pos), pack, pos)


def _named(
    records: Iterable[dict[str, Any]], pack: VendorPack, pos: Collection[str]
) -> dict[str, dict[str, Any]]:
    wanted = set(pos)
    return {po: record for po, record in _of_vendor(records, pack)[0].items() if po in wanted}


# What seeing a PO changes


def _see(connection: Any, found: Mapping[str, dict[str, Any]], pack: VendorPack, at: int) -> None:
    known = known_orders.orders_named(connection, pack.vendor, found)
    fields = mapped_fields(pack.orders) if pack.orders is not None else ()
    rows = [_seen(known.get(po), record, pack, fields, at) for po, record in found.items()]
    known_orders.put_orders(connection, rows)


def _seen(
    row: OrderRow | None,
    record: dict[str, Any],
    pack: VendorPack,
    fields: Sequence[str],
    at: int,
) -> OrderRow:
    """A PO as the ledger has it once it was seen like this."""
    order = read_order(record)
    fresh = OrderRow(
        vendor=pack.vendor,
        po=po_of(record),
        state=OrderState.SEEN,
        status=status_of(record),
        date_submit=date_submit_of(record),
        revision="" if isinstance(order, str) else revision_of(order, fields),
        number=0,
        exported_revision="",
        packed_record=pack_record(record),
        items=()
        if isinstance(order, str)
        else tuple((item.po_item_id, item.vpc, item.quantity) for item in order.items),
        code="",
        message="",
        first_seen_at=at,
        seen_at=at,
    )
    if row is not None:
        fresh = replace(
            fresh,
            number=row.number,
            exported_revision=_exported_revision(row, fields),
            first_seen_at=row.first_seen_at,
            marked_at=row.marked_at,
        )
    if isinstance(order, str):
        return replace(fresh, state=OrderState.HELD, code="incomplete_po", message=order)
    return _with_state(fresh, row, pack, at)


def _with_state(fresh: OrderRow, row: OrderRow | None, pack: VendorPack, at: int) -> OrderRow:
    if row is not None and row.state is OrderState.HELD and fresh.revision == row.revision:
        taken = fresh.is_exported and not fresh.has_changed and not is_to_be_submitted(fresh.status, pack)
        if not taken:
            return replace(fresh, state=row.state, code=row.code, message=row.message)
    if not fresh.is_exported:
        return fresh
    if is_to_be_submitted(fresh.status, pack):
        stays = row is not None and row.state is OrderState.MARKED and not fresh.has_changed
        return replace(fresh, state=OrderState.MARKED if stays else OrderState.EXPORTED)
    # RetailOps has it further on: submitted by our mark whose answer was lost, or by somebody else.
    return replace(fresh, state=OrderState.MARKED, marked_at=fresh.marked_at or at)


def _exported_revision(row: OrderRow, fields: Sequence[str]) -> str:
    """The exported revision, told by the fields that the layout maps now.

    A column that is added to the layout changes no PO: where the ledger's record is the one that was
    exported, so is its revision by the new fields.
    """
    if not row.is_exported or row.has_changed:
        return row.exported_revision
    order = read_order(row.record)
    return row.exported_revision if isinstance(order, str) else revision_of(order, fields)


def _miss(connection: Any, rows: Iterable[OrderRow]) -> None:
    """POs that RetailOps has no longer. Said where a file holds them; the others never left."""
    for row in rows:
        if row.state is OrderState.MARKED:
            message = f"PO {row.po} is gone from RetailOps since it was marked submitted"
            known_orders.move_orders(
                connection, row.vendor, [row.po], OrderState.MARKED, code="vanished", message=message
            )
            continue
        told = row.is_exported
        message = f"PO {row.po} is in a file, but gone from RetailOps before it could be marked submitted"
        known_orders.move_orders(
            connection,
            row.vendor,
            [row.po],
            OrderState.VANISHED,
            code="vanished" if told else "",
            message=message if told else "",
        )
