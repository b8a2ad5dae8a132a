"""Whose turn it is: calls about one PO go out in the order in which they were planned.

A call about a PO on which an earlier call, of another file, has no answer yet waits for the next pass. Within a
file a ship date waits for the acceptance of its PO, and where that is refused or held it does not go either.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set

import sqlalchemy as sa

from filebridge.delivery.journal import batch_of, keys_of, take_apart
from filebridge.delivery.refusals import Part
from filebridge.ledger import po_turns
from filebridge.ledger.calls import CallRow
from filebridge.ledger.po_turns import Standing
from filebridge.ledger.schema import CallState
from filebridge.planning.plan import Action

_NOT_ACCEPTED = "the PO was not accepted, so that its ship date was not sent"
_REFUSED = (CallState.REFUSED, CallState.DROPPED, CallState.SUPERSEDED)


def whose_turn(
    connection: sa.Connection, unsent: Sequence[CallRow], *, now: int
) -> tuple[list[CallRow], Counter[CallState]]:
    """What of these unsent calls of one file or PO file may go now, and how many calls stand how that may not.

    To be asked of calls about POs, and for ship dates once the file's acceptances are through. A call of which
    only some records may go is parted.
    """
    ready: list[CallRow] = []
    others: Counter[CallState] = Counter()
    if not unsent:
        return ready, others
    one = unsent[0]
    waiting = po_turns.waiting_pos(connection, file_id=one.file_id, order_file_id=one.order_file_id)
    accepted: Mapping[str, Standing] = {}
    if one.file_id is not None and any(call.action is Action.UPDATE_EST_SHIP_DATE for call in unsent):
        accepted = po_turns.standings(connection, one.file_id, Action.MARK_ACCEPTED)
    for call in unsent:
        acceptances = accepted if call.action is Action.UPDATE_EST_SHIP_DATE else {}
        if call.id not in waiting and not acceptances:
            ready.append(call)
            continue
        batch = batch_of(connection, call.id)
        parts = parts_by_turn(keys_of(call.action, batch), waiting.get(call.id, frozenset()), acceptances)
        if len(parts) == 1 and parts[0].state is CallState.PLANNED:
            if parts[0].stays:
                others[call.state] += 1
            else:
                ready.append(call)
            continue
        for row, part in zip(take_apart(connection, call, batch, parts, now=now), parts, strict=True):
            if part.state is CallState.PLANNED and not part.stays:
                ready.append(row)
            else:
                others[row.state] += 1
    return ready, others


def parts_by_turn(pos: Sequence[str], waiting: Set[str], acceptances: Mapping[str, Standing]) -> list[Part]:
    """The records of a call, whose POs these are, by what becomes of them now. Pure."""
    by_end: dict[tuple[CallState, str, bool], list[int]] = {}
    for place, po in enumerate(pos):
        by_end.setdefault(_end_of(po in waiting, acceptances.get(po)), []).append(place)
    return [Part(places, state, words, stays) for (state, words, stays), places in by_end.items()]


_GOES = (CallState.PLANNED, "", False)
_STAYS = (CallState.PLANNED, "", True)


def _end_of(is_waiting: bool, acceptance: Standing | None) -> tuple[CallState, str, bool]:
    """A record's state, words, and whether it stays for a later pass."""
    if acceptance is not None and acceptance.state in _REFUSED:
        return CallState.SUPERSEDED, _NOT_ACCEPTED, False
    if acceptance is not None and acceptance.state is CallState.HELD:
        return CallState.HELD, acceptance.answer, False
    if acceptance is not None and acceptance.state is not CallState.CONFIRMED:
        return _STAYS
    return _STAYS if is_waiting else _GOES
