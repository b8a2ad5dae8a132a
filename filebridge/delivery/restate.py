"""Restatements: calls of their own that state the newest confirmed values where an older one may land late."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from filebridge.columns import Batch, int_array, pack, text_column, unpack
from filebridge.delivery.dates import Item, promises_of, restated
from filebridge.delivery.journal import UNSENT, newest_dates
from filebridge.ledger import calls, po_turns, quantities
from filebridge.ledger.calls import CallRow
from filebridge.ledger.schema import CallState
from filebridge.planning.batches import in_batches
from filebridge.planning.plan import Action, PlannedCall

_STATED_ANEW = "newer ship dates were confirmed: they are stated in its place"


def plan_restatements(
    connection: sa.Connection, settled: Sequence[CallRow], vendor: str, *, now: int
) -> None:
    """Plan calls that state once more the newest values of all that these calls stated, each once.

    A restatement of ship dates that was not sent yet, and that newer ones overtook, is planned anew.
    """
    updates = [call for call in settled if call.action is Action.UPDATE]
    for feed in sorted({call.feed for call in updates}):
        _restate_updates(connection, [call for call in updates if call.feed == feed], now)
    dates = [call for call in settled if call.action is Action.UPDATE_EST_SHIP_DATE]
    overtaken = _overtaken(connection, vendor, now)
    _restate_dates(connection, [*dates, *overtaken], now)
    for call in overtaken:
        if call.restate_at is not None:
            # It may still land late itself.
            calls.restate_at(connection, call.id, call.restate_at)


def _restate_updates(connection: sa.Connection, due: list[CallRow], now: int) -> None:
    """Of calls of one feed."""
    blocks = calls.blocks(connection, [call.id for call in due])
    vpcs = pa.concat_arrays([unpack(blocks[call.id]).column("vpc") for call in due])
    whole = quantities.restatement(quantities.newest_of(connection, due[0].vendor, vpcs))
    for call, batch in zip(due, in_batches([unpack(whole.block)]), strict=False):
        part = PlannedCall(whole.action, batch.num_rows, 0, pack(batch), whole.order_at)
        calls.add_restatement(connection, call.id, part, now=now)
    for call in due:
        calls.restated_no_more(connection, call.id)


def _overtaken(connection: sa.Connection, vendor: str, now: int) -> list[CallRow]:
    """The vendor's unsent restatements of ship dates that do not state the newest ones; they end here."""
    found = []
    for call in calls.open_calls(connection, vendor):
        is_own = call.file_id is None and call.order_file_id is None
        if is_own and call.action is Action.UPDATE_EST_SHIP_DATE and call.state in UNSENT:
            items, records = _said(connection, [call])
            if sorted(records) != sorted(record for _, record in _newest(connection, vendor, items)):
                found.append(call)
    calls.move(
        connection,
        [call.id for call in found],
        UNSENT,
        CallState.SUPERSEDED,
        now=now,
        answer=_STATED_ANEW,
    )
    return found


def _restate_dates(connection: sa.Connection, due: Sequence[CallRow], now: int) -> None:
    if not due:
        return
    items, _ = _said(connection, due)
    records = _newest(connection, due[0].vendor, items)
    whole = pa.RecordBatch.from_arrays(
        [text_column([po for po, _ in records]), text_column([record for _, record in records])],
        names=["po", "records"],
    )
    for number, batch in enumerate(in_batches([whole])):
        part = _planned(batch, now)
        calls.add_restatement(connection, due[min(number, len(due) - 1)].id, part, now=now)
    for call in due:
        calls.restated_no_more(connection, call.id)


def _planned(batch: Batch, now: int) -> PlannedCall:
    no_record = int_array(np.full(batch.num_rows, -1, dtype=np.int32))
    block = pa.RecordBatch.from_arrays([batch.column("records"), no_record], names=["records", "record"])
    pos = tuple(dict.fromkeys(batch.column("po").to_pylist()))
    return PlannedCall(Action.UPDATE_EST_SHIP_DATE, batch.num_rows, 0, pack(block), order_at=now, pos=pos)


def _said(connection: sa.Connection, some: Sequence[CallRow]) -> tuple[set[Item], list[str]]:
    """The items that these calls state dates of, and their records."""
    blocks = calls.blocks(connection, [call.id for call in some])
    records = [record for call in some for record in unpack(blocks[call.id]).column("records").to_pylist()]
    return {item for record in records for item, _ in promises_of(record)}, records


def _newest(connection: sa.Connection, vendor: str, items: set[Item]) -> list[tuple[str, str]]:
    """Records of the newest dates of these items, but for POs that are complete: theirs need no date any more."""
    pos = {po for po, _ in items}
    complete = po_turns.confirmed_pos(connection, vendor, Action.COMPLETE, pos)
    wanted = [item for item in items if item[0] not in complete]
    return restated(wanted, newest_dates(connection, vendor, pos - complete))
