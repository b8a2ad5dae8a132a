"""Files about POs: what RetailOps is asked before they are planned, and the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filebridge.bridge import carriers
from filebridge.bridge.knowing import LookedUp, known_pos, look_up
from filebridge.documents.po_rows import PoRow, rows_of
from filebridge.mapping.mapped import BY_RECORD
from filebridge.planning.acknowledgements import plan_acknowledgements, plan_submissions
from filebridge.planning.known_pos import KnownPos
from filebridge.planning.po_file import PoFile
from filebridge.planning.ship_dates import plan_ship_dates
from filebridge.planning.shipments import plan_shipments
from filebridge.retailops import wire

if TYPE_CHECKING:
    from filebridge.bridge.desk import Desk
    from filebridge.ledger.connect import Ledger
    from filebridge.mapping.pack import VendorPack
    from filebridge.planning.known import FileFacts, KnownFeed
    from filebridge.planning.plan import Plan
    from filebridge.reader import ReadFile


def look_up_for(desk: Desk, pack: VendorPack, read: ReadFile) -> LookedUp:
    """Have the ledger hold what planning a file needs: its POs, and the ship classes.

    Raises RetailOpsUnreachable, KeyRefused, CallRefused.
    """
    document = read.mapped.document
    if document == "shipments":
        carriers.refresh(desk, pack, forced=True)
    return look_up(
        desk, pack, document, {po for batch in read.records() for po in batch.column("po").to_pylist()}
    )


def plan_po_file(
    ledger: Ledger | None,
    pack: VendorPack,
    read: ReadFile,
    *,
    facts: FileFacts,
    feed: KnownFeed,
    file_id: str,
    unknown: frozenset[str],
) -> Plan:
    """The plan of a file about POs, from the ledger alone; `unknown` are POs that RetailOps has not."""
    rows = _rows(read)
    known, book = KnownPos(unknown=unknown), None
    if ledger is not None:
        pos = {row.po for row in rows}
        known = known_pos(ledger, pack.vendor, pos, file_id=file_id, unknown=unknown)
        book = carriers.carriers_of(ledger, pack)
    file = PoFile(read.mapped, rows, facts, read.feed.mapping, known, wire)
    match read.mapped.document:
        case "shipments":
            return plan_shipments(file, book, feed)
        case "acknowledgements":
            return plan_acknowledgements(file, feed)
        case "ship-dates":
            return plan_ship_dates(file, feed)
        case _:
            return plan_submissions(file, feed)


def _rows(read: ReadFile) -> list[PoRow]:
    """The rows that could be read."""
    rows, outcomes, records = read.mapped.runs.rows()
    by_record = outcomes == BY_RECORD
    numbers = rows[by_record][records[by_record].argsort(kind="stable")]
    return list(rows_of(read.records(), numbers.tolist()))
