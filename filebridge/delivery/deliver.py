"""Delivering the planned calls of one file or PO file, and stating again what may have been overtaken."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import replace

import pyarrow as pa
import sqlalchemy as sa

from filebridge.clock import SECOND, Clock
from filebridge.columns import Batch, Mask, pack, unpack
from filebridge.delivery.channel import Channel, Delivery
from filebridge.delivery.engine import Engine
from filebridge.delivery.journal import split_call
from filebridge.delivery.refusals import Part
from filebridge.ledger import calls, quantities
from filebridge.ledger.calls import OPEN_STATES, CallRow
from filebridge.ledger.connect import Ledger
from filebridge.ledger.schema import CallState
from filebridge.planning.batches import in_batches
from filebridge.planning.plan import Action

Progress = Callable[[int, int], None]
"""Told how many calls have an end so far, and how many there are."""

_WAITING = (CallState.PLANNED, CallState.UNCERTAIN)
_BLOCKS_AT_ONCE = 64
# Calls that were planned longer ago than this come from an earlier pass: others may have overtaken them.
_FRESH = 60 * SECOND


def deliver(
    ledger: Ledger,
    channel: Channel,
    *,
    clock: Clock,
    file_id: str | None = None,
    order_file_id: str | None = None,
    on_progress: Progress | None = None,
    stop: threading.Event | None = None,
    chance: Callable[[], float] = random.random,
) -> Delivery:
    """Send the calls of one file, or of one PO file, that have no answer yet.

    Name one of `file_id` and `order_file_id`. Each call is journalled before its first byte leaves, and its
    answer before the next ones are sent. `stop` ends it once the calls that are under way have their answers.
    Nothing that RetailOps or the network does is raised. Raises LedgerError.
    """
    with ledger.read() as connection:
        found = calls.calls_of(connection, file_id=file_id, order_file_id=order_file_id)
    engine = Engine(ledger, channel, clock=clock, on_progress=on_progress, stop=stop, chance=chance)
    return _send(engine, [call for call in found if call.state in _WAITING])


def restate_due(
    ledger: Ledger,
    channel: Channel,
    *,
    clock: Clock,
    on_progress: Progress | None = None,
    stop: threading.Event | None = None,
    chance: Callable[[], float] = random.random,
) -> Delivery:
    """State the newest confirmed values once more where a call whose answer was lost may have landed late.

    That is due a quarantine after the loss. Values go out as calls of their own, which belong to no file.
    A call that still has no answer is left to `deliver`.
    """
    with ledger.begin() as connection:
        due = calls.due_restatements(connection, channel.vendor, clock.now())
        settled = [call for call in due if call.state not in OPEN_STATES]
        for feed in sorted({call.feed for call in settled}):
            _restate(connection, [call for call in settled if call.feed == feed], clock.now())
    with ledger.read() as connection:
        found = calls.open_calls(connection, channel.vendor)
    engine = Engine(ledger, channel, clock=clock, on_progress=on_progress, stop=stop, chance=chance)
    own = [call for call in found if call.file_id is None and call.order_file_id is None]
    return _send(engine, [call for call in own if call.state in _WAITING])


def _send(engine: Engine, waiting: list[CallRow]) -> Delivery:
    if not waiting:
        return Delivery()
    now = engine.clock.now()
    resumed = [call for call in waiting if _is_resumed(call, now)]
    engine.add(_without_stale(engine, resumed, now))
    engine.add([call for call in waiting if not _is_resumed(call, now)])
    return engine.run()


def _is_resumed(call: CallRow, now: int) -> bool:
    return call.attempts > 0 or call.state is CallState.UNCERTAIN or now - call.planned_at > _FRESH


def _restate(connection: sa.Connection, due: list[CallRow], now: int) -> None:
    """Plan calls that state the newest values of the VPCs of these calls of one feed, each VPC once."""
    blocks = calls.blocks(connection, [call.id for call in due])
    vpcs = pa.concat_arrays([unpack(blocks[call.id]).column("vpc") for call in due])
    whole = quantities.restatement(quantities.newest_of(connection, due[0].vendor, vpcs))
    for call, batch in zip(due, in_batches([unpack(whole.block)]), strict=False):
        part = replace(whole, records=batch.num_rows, block=pack(batch))
        calls.add_restatement(connection, call.id, part, now=now)
    for call in due:
        calls.restated_no_more(connection, call.id)


def _without_stale(engine: Engine, resumed: list[CallRow], now: int) -> list[CallRow]:
    """Calls of an earlier pass without the records against which newer values were confirmed meanwhile."""
    updates = [call for call in resumed if call.action is Action.UPDATE]
    kept = [call for call in resumed if call.action is not Action.UPDATE]
    if not updates:
        return kept
    with engine.ledger.read() as connection:
        known = quantities.known_quantities(connection, updates[0].vendor, updates[0].feed)
    for start in range(0, len(updates), _BLOCKS_AT_ONCE):
        some = updates[start : start + _BLOCKS_AT_ONCE]
        with engine.ledger.begin() as connection:
            blocks = calls.blocks(connection, [call.id for call in some])
            for call in some:
                batch = unpack(blocks[call.id])
                stale = quantities.stale_records(known, batch, call.order_at, arrival=call.arrival)
                if stale.any():
                    engine.count(CallState.SUPERSEDED)
                    kept += _supersede(connection, call, batch, stale, now=now)
                else:
                    kept.append(call)
    return kept


def _supersede(
    connection: sa.Connection, call: CallRow, batch: Batch, stale: Mask, *, now: int
) -> list[CallRow]:
    """End the stale records of a call; what is left of it, in the state in which the call was."""
    ends = ((CallState.SUPERSEDED, stale), (CallState.PLANNED, ~stale))
    parts = [Part(mask.nonzero()[0].tolist(), state) for state, mask in ends if mask.any()]
    calls.move(connection, [call.id], _WAITING, CallState.REFUSED, now=now)
    rest = [part.id for part in split_call(connection, call, batch, parts, now=now)]
    calls.move(connection, rest, [CallState.PLANNED], call.state, now=now)
    return [calls.call_row(connection, call_id) for call_id in rest]
