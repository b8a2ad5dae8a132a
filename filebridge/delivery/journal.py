"""Splitting and settling calls in the ledger: what one transaction does beside recording answers."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Final

import numpy as np
import sqlalchemy as sa

from filebridge.columns import Batch, Ints, Longs, as_ints, int_array, pack, unpack
from filebridge.delivery.dates import Item, Said, fold_dates
from filebridge.delivery.refusals import Part
from filebridge.ledger import calls, po_turns
from filebridge.ledger.calls import CallPart, CallRow
from filebridge.ledger.rows import runs_of
from filebridge.ledger.schema import CallState
from filebridge.mapping.mapped import BY_RECORD
from filebridge.planning.plan import Action

UNSENT: Final = (CallState.PLANNED, CallState.UNCERTAIN)
"""States of a call that is to be sent, or looked up, in this pass or a later one."""


def batch_of(connection: sa.Connection, call_id: int) -> Batch:
    """The records of a call."""
    return unpack(calls.blocks(connection, [call_id])[call_id])


def keys_of(action: Action, batch: Batch) -> list[str]:
    """What tells the records of a call apart: their VPCs, or their POs."""
    if action is Action.UPDATE:
        found: list[str] = batch.column("vpc").to_pylist()
        return found
    return [json.loads(record)["po"] for record in batch.column("records").to_pylist()]


def newest_dates(connection: sa.Connection, vendor: str, pos: Collection[str]) -> dict[Item, Said]:
    """What files said last, and was confirmed, of when each item of these POs will ship."""
    found = po_turns.confirmed(connection, vendor, Action.UPDATE_EST_SHIP_DATE, pos)
    return fold_dates(
        ((one.order_at, one.arrival), unpack(one.block).column("records").to_pylist()) for one in found
    )


def split_call(
    connection: sa.Connection, call: CallRow, batch: Batch, parts: Sequence[Part], *, now: int
) -> list[CallRow]:
    """Replace a call that is REFUSED in the ledger by `parts`; those of them that are to be sent.

    One part is no split: the call itself then ends, or is to be sent, as that part says.
    """
    ids = _put_parts(connection, call, batch, parts, now=now)
    to_send = [call_id for call_id, part in zip(ids, parts, strict=True) if part.state is CallState.PLANNED]
    return [calls.call_row(connection, call_id) for call_id in to_send]


def take_apart(
    connection: sa.Connection, call: CallRow, batch: Batch, parts: Sequence[Part], *, now: int
) -> list[CallRow]:
    """Replace a call that is not under way by `parts`; each of them, as the ledger has it now.

    A part that is to be sent stands as the call did: planned, or uncertain.
    """
    calls.move(connection, [call.id], UNSENT, CallState.REFUSED, now=now)
    ids = _put_parts(connection, call, batch, parts, now=now)
    to_send = [call_id for call_id, part in zip(ids, parts, strict=True) if part.state is CallState.PLANNED]
    calls.move(connection, to_send, [CallState.PLANNED], call.state, now=now)
    return [calls.call_row(connection, call_id) for call_id in ids]


def _put_parts(
    connection: sa.Connection, call: CallRow, batch: Batch, parts: Sequence[Part], *, now: int
) -> list[int]:
    if len(parts) == 1:
        calls.move(connection, [call.id], [CallState.REFUSED], parts[0].state, now=now, answer=parts[0].words)
        return [call.id]
    rows = _rows_by_place(connection, call, batch)
    pos = None if call.action is Action.UPDATE else keys_of(call.action, batch)
    ids = calls.split(connection, call.id, [_part(batch, rows, pos, part.places) for part in parts], now=now)
    for call_id, part in zip(ids, parts, strict=True):
        if part.state is not CallState.PLANNED:
            calls.move(connection, [call_id], [CallState.PLANNED], part.state, now=now, answer=part.words)
    return ids


def _part(batch: Batch, rows: Longs, pos: Sequence[str] | None, places: Sequence[int]) -> CallPart:
    if isinstance(places, range):
        block = pack(batch.slice(places.start, len(places)))
    else:
        block = pack(batch.take(int_array(np.array(places, dtype=np.int32))))
    own = () if pos is None else tuple(dict.fromkeys(pos[place] for place in places))
    return CallPart(block=block, records=len(places), rows=int(rows[list(places)].sum()), pos=own)


def _rows_by_place(connection: sa.Connection, call: CallRow, batch: Batch) -> Longs:
    """How many of the file's rows each record of a call stands for; they add up to the call's.

    The rows of a record that stands at several places (two ship dates of one PO) are counted at one of them,
    which may lie in another part of a call that was split before.
    """
    counts = np.zeros(batch.num_rows, dtype=np.int64)
    if call.file_id is not None:
        _, outcomes, records = runs_of(connection, call.file_id).rows()
        own = as_ints(batch.column("record"))
        by_record = np.bincount(records[outcomes == BY_RECORD], minlength=int(own.max()) + 1)
        counts[own >= 0] = by_record[own[own >= 0]]
        if call.action is not Action.UPDATE:
            _count_once(counts, own, call.rows)
    elif batch.num_rows:
        counts[0] = call.rows
    return counts


def _count_once(counts: Longs, own: Ints, total: int) -> None:
    """Leave the rows of a record at its first place, and as many rows in all as are the call's own."""
    first = np.zeros(len(own), dtype=np.bool_)
    first[np.unique(own, return_index=True)[1]] = True
    counts[~first] = 0
    # What is too much is counted in another part: of a record that was cut apart, that part's last.
    before = np.cumsum(counts) - counts
    counts -= np.clip(counts.sum() - total - before, 0, counts)
