"""What is known of the POs that a file names: from the ledger, which RetailOps is asked to fill first."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from filebridge.documents.purchase_orders import PoItem
from filebridge.ledger import orders as known_orders
from filebridge.ledger import po_calls
from filebridge.ledger.po_calls import PoCall
from filebridge.ledger.schema import OrderState
from filebridge.planning.known_pos import Completion, KnownPo, KnownPos, Mark, Waiting, summed
from filebridge.planning.plan import Action
from filebridge.retailops.reading import instant_of

if TYPE_CHECKING:
    from filebridge.bridge.desk import Desk
    from filebridge.ledger.connect import Ledger
    from filebridge.ledger.orders import OrderFileRow, OrderRow
    from filebridge.mapping.pack import VendorPack

_READ_AGAIN: Final = frozenset({"acknowledgements", "shipments"})
"""Documents that finalise a PO, which RetailOps may have changed since, where the vendor's setting says so."""


@dataclass(frozen=True)
class LookedUp:
    """What RetailOps was asked: the POs that it has not, and the change files that came of it."""

    unknown: frozenset[str] = frozenset()
    order_files: tuple[OrderFileRow, ...] = ()


def look_up(desk: Desk, pack: VendorPack, document: str, pos: Collection[str]) -> LookedUp:
    """Have the ledger know these POs: those that it lacks are read, and those that may have changed, read again.

    A PO that a file holds and that changed is written out as a change first, and one that is owed its mark is
    marked first: that the vendor names it says that it was picked up. Raises RetailOpsUnreachable, KeyRefused,
    CallRefused.
    """
    with desk.ledger.read() as connection:
        known = known_orders.orders_named(connection, pack.vendor, pos)
    written: tuple[OrderFileRow, ...] = ()
    unmarked = [po for po, row in known.items() if row.state is OrderState.EXPORTED]
    lays_out = pack.orders is not None and not pack.settings.test
    if unmarked and lays_out and document != "submissions":
        from filebridge.bridge.outbound import mark_named

        written += mark_named(desk, pack, unmarked)
    again = pack.settings.changes_after_submit and document in _READ_AGAIN
    asked = [po for po in pos if po not in known or _is_gone(known[po]) or not known[po].items or again]
    if not asked:
        return LookedUp(order_files=written)
    from filebridge import orders
    from filebridge.orders.fetch import look_again

    gone = look_again(desk.ledger, desk.channel(pack).client, pack, asked, desk.clock)
    if again and lays_out:
        outbox = desk.workspace.outbox / pack.vendor
        written += orders.recover(desk.ledger, pack, outbox, desk.clock)
        written += orders.export(desk.ledger, pack, outbox, desk.clock, only_changes=True)
    return LookedUp(frozenset(gone), written)


def known_pos(
    ledger: Ledger,
    vendor: str,
    pos: Collection[str],
    *,
    file_id: str = "",
    unknown: frozenset[str] = frozenset(),
) -> KnownPos:
    """What the ledger knows of these POs, and what files before `file_id` have said of them."""
    with ledger.read() as connection:
        rows = known_orders.orders_named(connection, vendor, pos)
        calls = po_calls.calls_about(connection, vendor, pos, but_of=file_id)
    by_po: dict[str, list[PoCall]] = {}
    for call in calls:
        by_po.setdefault(call.po, []).append(call)
    return KnownPos(
        {
            po: _known(row, by_po.get(po, ()))
            for po, row in rows.items()
            if not (po in unknown or _is_gone(row))
        },
        unknown,
    )


def _is_gone(row: OrderRow) -> bool:
    """Whether RetailOps had it no more when it was looked for last."""
    return row.state is OrderState.VANISHED or row.code == "vanished"


def _known(row: OrderRow, calls: Sequence[PoCall]) -> KnownPo:
    marked = row.state is OrderState.MARKED and row.status in {"open", "ready"}
    return KnownPo(
        po=row.po,
        status="submitted" if marked else row.status,
        items=tuple(PoItem(item_id, vpc, quantity) for item_id, vpc, quantity in row.items),
        completions=tuple(
            Completion(call.id, call.is_open, _parcels(call))
            for call in calls
            if call.action is Action.COMPLETE and not call.waits
        ),
        acceptances=_marks(calls, Action.MARK_ACCEPTED),
        submissions=_marks(calls, Action.MARK_SUBMITTED),
        dates=_confirmed_dates(calls),
        shipments_waiting=_waiting(calls, Action.COMPLETE),
        acknowledgements_waiting=_waiting(calls, Action.MARK_ACCEPTED),
        submissions_waiting=_waiting(calls, Action.MARK_SUBMITTED),
    )


def _parcels(call: PoCall) -> Mapping[tuple[str, str], int]:
    return summed(
        ((package["tracking_number"], item["vpc"]), item["quantity"])
        for record in call.records
        for package in record["packages"]
        for item in package["items"]
    )


def _marks(calls: Sequence[PoCall], action: Action) -> tuple[Mark, ...]:
    return tuple(
        Mark(call.id, call.is_open, summed(one for record in call.records for one in _items(record)))
        for call in calls
        if call.action is action and not call.waits
    )


def _items(record: Mapping[str, Any]) -> list[tuple[str, int]]:
    return [(str(item["po_item_id"]), item["quantity"]) for item in record["items"]]


def _waiting(calls: Sequence[PoCall], action: Action) -> tuple[Waiting, ...]:
    return tuple(
        Waiting(call.id, f"{call.file_name} ({call.file_id})", call.records[0], call.code)
        for call in calls
        if call.waits and call.action is action
    )


def _confirmed_dates(calls: Sequence[PoCall]) -> dict[str, frozenset[tuple[int, int]]]:
    """The ship dates that were confirmed last, by item id: (microseconds UTC, units). `calls` are of one PO.

    While the answer of a later one is owed, nothing is known of its items: it may be applied yet.
    """
    found: dict[str, frozenset[tuple[int, int]]] = {}
    for call in calls:
        if call.action is not Action.UPDATE_EST_SHIP_DATE:
            continue
        if call.is_open:
            found |= dict.fromkeys(
                (item_id for record in call.records for item_id, _ in _items(record)), frozenset()
            )
            continue
        by_item: dict[str, set[tuple[int, int]]] = {}
        for record in call.records:
            at = instant_of(record["estimated_ship_date"])
            for item_id, quantity in _items(record):
                by_item.setdefault(item_id, set()).add((at or 0, quantity))
        found |= {item_id: frozenset(dates) for item_id, dates in by_item.items()}
    return found
