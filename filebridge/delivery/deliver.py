"""Delivering the planned calls of one file or PO file, and stating again what may have been overtaken."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence

from filebridge.clock import SECOND, Clock
from filebridge.delivery.channel import Channel, Delivery
from filebridge.delivery.engine import Engine
from filebridge.delivery.journal import UNSENT
from filebridge.delivery.restate import plan_restatements
from filebridge.delivery.stale import without_stale
from filebridge.delivery.turns import whose_turn
from filebridge.ledger import calls
from filebridge.ledger.calls import OPEN_STATES, CallRow
from filebridge.ledger.connect import Ledger
from filebridge.ledger.schema import CallState
from filebridge.planning.plan import Action

Progress = Callable[[int, int], None]
"""Told how many calls have an end so far, and how many there are."""

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
    until: float | None = None,
    chance: Callable[[], float] = random.random,
) -> Delivery:
    """Send the calls of one file, or of one PO file, that have no answer yet.

    Name one of `file_id` and `order_file_id`. Each call is journalled before its first byte leaves, and its
    answer before the next ones are sent. `stop` ends it once the calls that are under way have their answers, or
    after a few seconds: what has none by then counts as lost. Past `until` (monotonic seconds) no more than
    the first window is sent, and what was sent is waited for.
    Ship dates go once the acceptances of their file are through, and no call before an earlier one about its PO.
    Nothing that RetailOps or the network does is raised. Raises LedgerError.
    """
    with ledger.read() as connection:
        found = calls.calls_of(connection, file_id=file_id, order_file_id=order_file_id)
    engine = Engine(
        ledger, channel, clock=clock, on_progress=on_progress, stop=stop, until=until, chance=chance
    )
    unsent = [call for call in found if call.state in UNSENT]
    dates = [call for call in unsent if call.action is Action.UPDATE_EST_SHIP_DATE]
    if not dates:
        return _send(engine, _ready(engine, unsent))
    others = [call for call in unsent if call.action is not Action.UPDATE_EST_SHIP_DATE]
    _send(engine, _ready(engine, others))
    return _send(engine, _ready(engine, dates))


def restate_due(
    ledger: Ledger,
    channel: Channel,
    *,
    clock: Clock,
    on_progress: Progress | None = None,
    stop: threading.Event | None = None,
    until: float | None = None,
    chance: Callable[[], float] = random.random,
) -> Delivery:
    """State the newest confirmed values once more where a call whose answer was lost may have landed late.

    That is due a quarantine after the loss. Values go out as calls of their own, which belong to no file.
    A call that still has no answer is left to `deliver`. `stop` and `until` are as there.
    """
    with ledger.begin() as connection:
        due = calls.due_restatements(connection, channel.vendor, clock.now())
        settled = [call for call in due if call.state not in OPEN_STATES]
        plan_restatements(connection, settled, channel.vendor, now=clock.now())
    with ledger.read() as connection:
        found = calls.open_calls(connection, channel.vendor)
    engine = Engine(
        ledger, channel, clock=clock, on_progress=on_progress, stop=stop, until=until, chance=chance
    )
    own = [call for call in found if call.file_id is None and call.order_file_id is None]
    return _send(engine, [call for call in own if call.state in UNSENT])


def _ready(engine: Engine, unsent: Sequence[CallRow]) -> list[CallRow]:
    """Those calls, or parts of calls, of one file whose turn it is; inventory waits for nothing."""
    about_pos = [call for call in unsent if call.action is not Action.UPDATE]
    if not about_pos:
        return list(unsent)
    now = engine.clock.now()
    with engine.ledger.begin() as connection:
        ready, others = whose_turn(connection, about_pos, now=now)
    for state, count in others.items():
        engine.count(state, count)
    return [*(call for call in unsent if call.action is Action.UPDATE), *ready]


def _send(engine: Engine, unsent: Sequence[CallRow]) -> Delivery:
    now = engine.clock.now()
    resumed = [call for call in unsent if _is_resumed(call, now)]
    kept, superseded = without_stale(engine.ledger, resumed, now)
    engine.count(CallState.SUPERSEDED, superseded)
    engine.add(kept)
    engine.add([call for call in unsent if not _is_resumed(call, now)])
    return engine.run()


def _is_resumed(call: CallRow, now: int) -> bool:
    return call.attempts > 0 or call.state is CallState.UNCERTAIN or now - call.planned_at > _FRESH
