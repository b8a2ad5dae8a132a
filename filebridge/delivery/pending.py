"""Calls without an end, and which of them may be under way together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from filebridge.columns import unpack
from filebridge.delivery.journal import keys_of
from filebridge.ledger.calls import CallRow
from filebridge.planning.plan import Action


@dataclass(eq=False)
class Pending:
    """A call without an end. `in_doubt`: an earlier sending of it may have been applied.

    `pos` are the POs of a call with ship dates that is under way, since two of them may be about one PO.
    """

    call: CallRow
    in_doubt: bool
    pos: frozenset[str] = frozenset()
    by_named_place: bool = False
    tries: int = 0
    first_sent: float | None = None


def without_clashes(
    window: Sequence[Pending], flying: Iterable[Pending], blocks: Mapping[int, bytes]
) -> tuple[list[Pending], list[Pending]]:
    """The window without calls about a PO on which other ship dates are under way, and those calls."""
    kept: list[Pending] = []
    clashing: list[Pending] = []
    if not any(pending.call.action is Action.UPDATE_EST_SHIP_DATE for pending in window):
        return list(window), clashing
    busy = {po for pending in flying for po in pending.pos}
    for pending in window:
        if pending.call.action is Action.UPDATE_EST_SHIP_DATE:
            pending.pos = frozenset(keys_of(pending.call.action, unpack(blocks[pending.call.id])))
        (kept if busy.isdisjoint(pending.pos) else clashing).append(pending)
        busy |= pending.pos
    return kept, clashing
