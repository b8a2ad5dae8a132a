"""Calls of an earlier pass: what newer values were confirmed against meanwhile is not sent any more."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import sqlalchemy as sa

from filebridge.columns import Batch, Mask, unpack
from filebridge.delivery.dates import overtaken
from filebridge.delivery.journal import batch_of, keys_of, newest_dates, take_apart
from filebridge.delivery.refusals import Part
from filebridge.ledger import calls, quantities
from filebridge.ledger.calls import CallRow
from filebridge.ledger.connect import Ledger
from filebridge.ledger.schema import CallState
from filebridge.planning.plan import Action

_BLOCKS_AT_ONCE = 64


def without_stale(ledger: Ledger, resumed: Sequence[CallRow], now: int) -> tuple[list[CallRow], int]:
    """What is left to be sent of calls of an earlier pass, and how many of them lost records to newer values.

    Only values are overtaken: inventory, and the ship dates of files.
    """
    kept: list[CallRow] = []
    updates: list[CallRow] = []
    dates: list[CallRow] = []
    for call in resumed:
        is_date = call.action is Action.UPDATE_EST_SHIP_DATE and call.file_id is not None
        (updates if call.action is Action.UPDATE else dates if is_date else kept).append(call)
    fresh_updates, overtaken_updates = _fresh_updates(ledger, updates, now)
    fresh_dates, overtaken_dates = _fresh_dates(ledger, dates, now)
    return [*kept, *fresh_updates, *fresh_dates], overtaken_updates + overtaken_dates


def _fresh_updates(ledger: Ledger, updates: Sequence[CallRow], now: int) -> tuple[list[CallRow], int]:
    kept: list[CallRow] = []
    count = 0
    if not updates:
        return kept, count
    with ledger.read() as connection:
        known = quantities.known_quantities(connection, updates[0].vendor, updates[0].feed)
    for start in range(0, len(updates), _BLOCKS_AT_ONCE):
        some = updates[start : start + _BLOCKS_AT_ONCE]
        with ledger.begin() as connection:
            blocks = calls.blocks(connection, [call.id for call in some])
            for call in some:
                batch = unpack(blocks[call.id])
                stale = quantities.stale_records(known, batch, call.order_at, arrival=call.arrival)
                kept += _supersede(connection, call, batch, stale, now=now)
                count += int(stale.any())
    return kept, count


def _fresh_dates(ledger: Ledger, dates: Sequence[CallRow], now: int) -> tuple[list[CallRow], int]:
    kept: list[CallRow] = []
    count = 0
    for call in dates:
        with ledger.begin() as connection:
            batch = batch_of(connection, call.id)
            newest = newest_dates(connection, call.vendor, keys_of(call.action, batch))
            order = (call.order_at, call.arrival)
            records = batch.column("records").to_pylist()
            newer, others = np.array([overtaken(record, order, newest) for record in records]).T
            if ((newer > 0) & (others > 0)).any():
                # Such a record goes whole; the newer dates that it overwrites are stated once more.
                calls.restate_at(connection, call.id, now)
            stale = (newer > 0) & (others == 0)
            kept += _supersede(connection, call, batch, stale, now=now)
            count += int(stale.any())
    return kept, count


def _supersede(
    connection: sa.Connection, call: CallRow, batch: Batch, stale: Mask, *, now: int
) -> list[CallRow]:
    """End the stale records of a call; what is left of it, in the state in which the call was."""
    if not stale.any():
        return [call]
    ends = ((CallState.SUPERSEDED, stale), (CallState.PLANNED, ~stale))
    parts = [Part(mask.nonzero()[0].tolist(), state) for state, mask in ends if mask.any()]
    rows = take_apart(connection, call, batch, parts, now=now)
    return [row for row, part in zip(rows, parts, strict=True) if part.state is CallState.PLANNED]
