"""What is to be sent of a ship-dates file: one record a PO and ship date. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from filebridge.documents.po_rows import PoRow
from filebridge.outcomes import Outcome
from filebridge.planning.known import KnownFeed
from filebridge.planning.known_pos import Acknowledged, KnownPo, summed
from filebridge.planning.plan import Action, Plan
from filebridge.planning.po_file import Items, PoFile, PoGroup, PoRecord, Wire
from filebridge.planning.po_items import read_items, reject_beyond


def plan_ship_dates(file: PoFile, feed: KnownFeed) -> Plan:
    """The plan of one ship-dates file."""
    records: list[PoRecord] = []
    for group in file.groups():
        known = file.known_po(group)
        if known is not None:
            records += _plan_po(file, group, known)
    file.send_together(Action.UPDATE_EST_SHIP_DATE, records, {})
    return file.plan(feed)


def _plan_po(file: PoFile, group: PoGroup, known: KnownPo) -> list[PoRecord]:
    stated = read_items(file, group, known, needs_quantity=False)
    reject_beyond(file, group, known, [(one.row, one.item.vpc, one.quantity) for one in stated])
    if file.reject_rest(group):
        return []
    said: list[tuple[PoRow, Acknowledged]] = [
        (one.row, Acknowledged(str(one.item.po_item_id), one.quantity, one.row.estimated_ship_date))
        for one in stated
    ]
    new = new_dates(known, [line for _, line in said], again=file.facts.forced)
    items = {line.item_id for line in new}
    # A row that only says again what an earlier row of the file says has that one's end.
    told = {row.says for row, line in said if line.item_id in items}
    changed = [row for row in group.rows if row.says in told]
    file.carry(group, changed)
    file.settle([row for row in group.rows if row not in changed], Outcome.UNCHANGED)
    return dated_records(file.wire, group.number, known, new)


def new_dates(known: KnownPo, lines: Sequence[Acknowledged], *, again: bool = False) -> list[Acknowledged]:
    """The dated lines of items of which RetailOps was not told just that; with `again` all that are dated."""
    by_item: dict[str, set[tuple[int, int]]] = {}
    for (item_id, ships_at), count in summed(
        ((line.item_id, line.ships_at), line.quantity) for line in lines if line.ships_at is not None
    ).items():
        by_item.setdefault(item_id, set()).add((ships_at, count))
    new = {
        item_id
        for item_id, dates in by_item.items()
        if again or known.dates.get(item_id, frozenset()) != dates
    }
    return [line for line in lines if line.item_id in new and line.ships_at is not None]


def dated_records(wire: Wire, number: int, known: KnownPo, lines: Sequence[Acknowledged]) -> list[PoRecord]:
    """One record for each ship date of a PO, items in its order; `number` is the PO's in its file."""
    records = []
    for ships_at in dict.fromkeys(line.ships_at for line in lines if line.ships_at is not None):
        items = items_of(known, [line for line in lines if line.ships_at == ships_at])
        records.append(PoRecord(number, known.po, wire.ship_date_record(known.po, ships_at, items)))
    return records


def items_of(known: KnownPo, lines: Sequence[Acknowledged]) -> Items:
    """Units of items in the order of the PO, ids as RetailOps sent them."""
    totals = summed((line.item_id, line.quantity) for line in lines)
    return [
        (item.po_item_id, totals[str(item.po_item_id)])
        for item in known.items
        if totals.get(str(item.po_item_id))
    ]
