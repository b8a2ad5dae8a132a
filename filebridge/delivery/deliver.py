"""Delivering the planned calls of one file or PO file, and stating again what may have been overtaken."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

import sqlalchemy as sa

from filebridge.clock import SECOND, Clock
from filebridge.columns import unpack
from filebridge.delivery.channel import Channel, Delivery
from filebridge.delivery.engine import Engine
from filebridge.delivery.journal import split_call
from filebridge.delivery.refusals import Part
from filebridge.ledger import calls, quantities
from filebridge.ledger.calls import OPEN_STATES, CallRow
from filebridge.ledger.connect import Ledger
from filebridge.ledger.schema import CallState
from filebridge.planning.known import KnownQuantities
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
    waiting = [call for call in found if call.state in _WAITING]
    return _send(ledger, channel, waiting, clock, on_progress, stop, chance)


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
        for call in calls.due_restatements(connection, channel.vendor, clock.now()):
            if call.state not in OPEN_STATES:
                _restate(connection, call, clock.now())
    with ledger.read() as connection:
        waiting = [
            call
            for call in calls.open_calls(connection, channel.vendor)
            if call.file_id is None and call.order_file_id is None and call.state in _WAITING
        ]
    return _send(ledger, channel, waiting, clock, on_progress, stop, chance)


def _send(
    ledger: Ledger,
    channel: Channel,
    waiting: list[CallRow],
    clock: Clock,
    on_progress: Progress | None,
    stop: threading.Event | None,
    chance: Callable[[], float],
) -> Delivery:
    if not waiting:
        return Delivery()
    engine = Engine(ledger, channel, clock=clock, on_progress=on_progress, stop=stop, chance=chance)
    resumed = [call for call in waiting if _is_resumed(call, clock.now())]
    fresh = [call for call in waiting if not _is_resumed(call, clock.now())]
    engine.add(_without_stale(ledger, channel, resumed, engine, clock.now()))
    engine.add(fresh)
    return engine.run()


def _is_resumed(call: CallRow, now: int) -> bool:
    return call.attempts > 0 or call.state is CallState.UNCERTAIN or now - call.planned_at > _FRESH


def _restate(connection: sa.Connection, call: CallRow, now: int) -> None:
    batch = unpack(calls.blocks(connection, [call.id])[call.id])
    newest = quantities.newest_of(connection, call.vendor, batch.column("vpc"))
    if len(newest):
        calls.add_restatement(connection, call.id, quantities.restatement(newest), now=now)
    else:
        calls.restated_no_more(connection, call.id)


def _without_stale(
    ledger: Ledger, channel: Channel, resumed: list[CallRow], engine: Engine, now: int
) -> list[CallRow]:
    """Calls of an earlier pass without the records against which newer values were confirmed meanwhile."""
    updates = [call for call in resumed if call.action is Action.UPDATE]
    kept = [call for call in resumed if call.action is not Action.UPDATE]
    if not updates:
        return kept
    with ledger.read() as connection:
        known = quantities.known_quantities(connection, channel.vendor, updates[0].feed)
    for start in range(0, len(updates), _BLOCKS_AT_ONCE):
        some = updates[start : start + _BLOCKS_AT_ONCE]
        with ledger.begin() as connection:
            blocks = calls.blocks(connection, [call.id for call in some])
            for call in some:
                kept += _still_new(connection, call, blocks[call.id], known, engine, now)
    return kept


def _still_new(
    connection: sa.Connection, call: CallRow, block: bytes, known: KnownQuantities, engine: Engine, now: int
) -> list[CallRow]:
    batch = unpack(block)
    stale = quantities.stale_records(known, batch, call.order_at, arrival=call.arrival)
    if not stale.any():
        return [call]
    ends = ((CallState.SUPERSEDED, stale), (CallState.PLANNED, ~stale))
    parts = [Part(mask.nonzero()[0].tolist(), state) for state, mask in ends if mask.any()]
    engine.count(CallState.SUPERSEDED)
    calls.move(connection, [call.id], _WAITING, CallState.REFUSED, now=now)
    rest = split_call(connection, call, batch, parts, now=now)
    if call.state is CallState.UNCERTAIN:
        calls.move(connection, [part.id for part in rest], [CallState.PLANNED], CallState.UNCERTAIN, now=now)
    return [calls.call_row(connection, part.id) for part in rest]
