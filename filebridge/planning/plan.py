"""`Plan`: what would be done, as a value. Preview prints it, run performs it, tests compare it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from filebridge.outcomes import Outcome
from filebridge.rejects import Note, Reject

if TYPE_CHECKING:
    from collections.abc import Sequence

    from filebridge.mapping.mapped import RowRuns


class Action(StrEnum):
    """A call to RetailOps, by the name that `preview --json` gives it."""

    UPDATE = "update"
    MARK_SUBMITTED = "mark_submitted"
    MARK_ACCEPTED = "mark_accepted"
    UPDATE_EST_SHIP_DATE = "update_est_ship_date"
    COMPLETE = "complete"


@dataclass(frozen=True)
class Hold:
    """Why something waits: a code of the catalogue, and a sentence with the figures."""

    code: str
    message: str


@dataclass(frozen=True)
class PlannedCall:
    """One call before it is sent.

    `block` holds its records as compressed columns (`columns.pack`). For `update`: vpc, quantity and those
    of unit_cost, active, as_of that the file states, and `record`: the record's number in its file, -1 for
    one that stands in no row (zeroed for being absent). For the other actions: the records as JSON text in
    one column `records` (for `complete` one, which is the whole body), `record`: the number of the PO in its
    file, which two records may share (two ship dates of one PO), and `pos` names the POs. `order_at` is the
    time, in microseconds UTC, that values without an `as_of` of their own are given for. `rows` counts the
    file's rows whose outcome is this call's answer.

    With `waits` nothing is sent: the call keeps what the file says of a PO until the rest of it comes.
    `joins` are the ids of such calls, of earlier files, that this one carries along. With `follows` nothing is
    sent either: the call of that id, of an earlier file, says the same, and its answer is still owed, or it waits.
    """

    action: Action
    records: int
    rows: int
    block: bytes
    order_at: int = 0
    pos: tuple[str, ...] = ()
    waits: Hold | None = None
    joins: tuple[int, ...] = ()
    follows: int = 0

    @property
    def is_sent(self) -> bool:
        """Whether this is a call of its own."""
        return self.waits is None and not self.follows


@dataclass(frozen=True)
class Plan:
    """What is to be done with one file.

    `runs` gives each data row's outcome, or BY_RECORD where it is that of the call which carries its record.
    """

    calls: tuple[PlannedCall, ...]
    runs: RowRuns
    order_at: int = 0
    """The time that the file's values are given for, microseconds UTC."""
    hold: Hold | None = None
    refused: tuple[str, str] | None = None
    """Code and message of a reason against the whole file."""
    duplicate_of: str = ""
    """Id of the feed's latest applied file, where the bytes are its own and no call results."""
    zeroed: int = 0
    zeroing_refused: bool = False
    """VPCs are absent that `missing: zero` would set to zero, but a row's VPC could not be read."""
    notes: tuple[Note, ...] = ()
    renewed: tuple[bytes, ...] = ()
    """VPCs to which this file gives the value that is confirmed already, as packed columns `vpc` and, where rows
    have a time of their own, `as_of`: nothing is sent, and yet older files must not beat it."""
    rejects: tuple[Reject, ...] = ()
    """Why rows cannot go that could be read, found only beside what is known: no such PO, too many units."""
    replaces: tuple[int, ...] = ()
    """Ids of waiting calls, of earlier files, all of which this file says anew."""

    def foreseen(self) -> RowRuns:
        """The rows' outcomes as far as they can be told before anything is sent."""
        return self.runs.without_records(Outcome.PENDING, but=self.waiting(), are=Outcome.HELD)

    def waiting(self) -> dict[int, Hold]:
        """Numbers of the records that wait, and for what."""
        from filebridge.columns import as_ints, unpack

        return {
            number: one.waits
            for one in self.calls
            if one.waits
            for number in as_ints(unpack(one.block).column("record")).tolist()
        }


def hold_of(holds: Sequence[Hold]) -> Hold | None:
    """What a receipt says where some of its rows wait, each for its own reason; None where none do."""
    if len(holds) <= 1:
        return holds[0] if holds else None
    return Hold(holds[0].code, f"{len(holds)} POs wait. The first: {holds[0].message}")
