"""Rows: what became of each, worked out from the plan's runs and the states of the calls, never from counters.

A row whose outcome is that of its record has the outcome of the call that carries the record; of a call that
was split, its parts carry them. Where two calls carry a record, the one that keeps it from being delivered
decides.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
import sqlalchemy as sa

from filebridge.columns import Ints, Longs, as_ints, unpack
from filebridge.ledger.calls import blocks
from filebridge.ledger.connect import portions
from filebridge.ledger.po_calls import ends_of_joined
from filebridge.ledger.schema import RISING, CallState, call, call_po, file, row_block, row_reject
from filebridge.mapping.mapped import BY_RECORD, RowRuns
from filebridge.outcomes import OUTCOME_BY_CODE, OUTCOME_CODES, FileStatus, Outcome, status_of, tally
from filebridge.planning.plan import Action
from filebridge.rejects import Reject

OUTCOME_OF: Final[Mapping[CallState, Outcome]] = MappingProxyType(
    {
        CallState.CONFIRMED: Outcome.DELIVERED,
        CallState.SUPERSEDED: Outcome.SUPERSEDED,
        CallState.HELD: Outcome.HELD,
        CallState.WAITING: Outcome.HELD,
        CallState.REFUSED: Outcome.REJECTED,
        CallState.DROPPED: Outcome.REJECTED,
        CallState.PLANNED: Outcome.PENDING,
        CallState.SENDING: Outcome.PENDING,
        CallState.UNCERTAIN: Outcome.UNCERTAIN,
    }
)
"""What the state of a call is for the rows that it carries."""

_OUTCOME_OF_RANK: Final = np.array([OUTCOME_CODES[OUTCOME_OF[state]] for state in RISING], dtype=np.int32)
_PENDING: Final = OUTCOME_CODES[Outcome.PENDING]
_STEP: Final = 20_000


@dataclass(frozen=True)
class RowOutcome:
    """What became of one row, and every reason why it did not go. `row` is as a spreadsheet shows it."""

    row: int
    outcome: Outcome
    reasons: tuple[Reject, ...] = ()

    def as_json(self) -> list[dict[str, object]]:
        """An entry for each reason, or the one that has none: as `rows --json` and `preview --json` print it."""
        reasons: list[tuple[str | None, str | None]] = [
            (reason.code, reason.message) for reason in self.reasons
        ]
        return [
            {"row": self.row, "outcome": self.outcome.value, "code": code, "message": message}
            for code, message in reasons or [(None, None)]
        ]


def outcomes_of(connection: sa.Connection, file_id: str) -> dict[Outcome, int]:
    """How many rows of a file have each outcome; they add up to its rows. Outcomes without rows are left out."""
    runs = runs_of(connection, file_id)
    own = runs.outcomes != BY_RECORD
    counts = np.bincount(runs.outcomes[own], weights=runs.lengths[own], minlength=len(OUTCOME_BY_CODE))
    by_record = int(runs.lengths[~own].sum())
    if by_record:
        states = _leaf_states(connection, file_id)
        if len(states) <= 1 and CallState.JOINED not in states:
            outcome = OUTCOME_OF[states[0]] if states else Outcome.PENDING
            counts[OUTCOME_CODES[outcome]] += by_record
        else:
            counts += _counted_by_record(connection, file_id, runs)
    return tally((OUTCOME_BY_CODE[code], int(rows)) for code, rows in enumerate(counts))


def status_of_file(connection: sa.Connection, file_id: str) -> FileStatus:
    """Status of a file as its rows are now (DESIGN, cases settled)."""
    code, hold_code, duplicate_of = connection.execute(
        sa.select(file.c.code, file.c.hold_code, file.c.duplicate_of).where(file.c.id == file_id)
    ).one()
    counts = outcomes_of(connection, file_id)
    if not counts and hold_code:
        return FileStatus.HELD
    return status_of(counts, refused=bool(code) and not counts, duplicate=bool(duplicate_of))


def rows_of(
    connection: sa.Connection,
    file_id: str,
    *,
    outcomes: Collection[Outcome] | None = None,
    after_row: int = 0,
    limit: int = 1000,
) -> list[RowOutcome]:
    """Rows of a file in order, with their reasons: those with one of `outcomes`, or all; at most `limit`."""
    told = _Told.of(connection, file_id)
    places = told.places(outcomes)
    places = places[told.rows[places] > after_row][:limit]
    return list(told.explained(connection, places))


def every_row(
    connection: sa.Connection, file_id: str, *, outcomes: Collection[Outcome] | None = None
) -> Iterator[RowOutcome]:
    """All rows of a file as `rows_of` gives them, a few at a time."""
    told = _Told.of(connection, file_id)
    places = told.places(outcomes)
    for start in range(0, len(places), _STEP):
        yield from told.explained(connection, places[start : start + _STEP])


def rejected_rows(connection: sa.Connection, file_id: str) -> Iterator[RowOutcome]:
    """The rejected rows of a file in order, for its reject file; each has at least one reason."""
    return every_row(connection, file_id, outcomes=(Outcome.REJECTED,))


def rows_of_calls(connection: sa.Connection, file_id: str, call_ids: Sequence[int]) -> dict[int, list[int]]:
    """The rows of a file that some of its calls carry, by call, each in order."""
    rows, codes, records = runs_of(connection, file_id).rows()
    by_record = codes == BY_RECORD
    rows, records = rows[by_record], records[by_record]
    return {
        call_id: rows[np.isin(records, as_ints(unpack(block).column("record")))].tolist()
        for call_id, block in blocks(connection, call_ids).items()
    }


def runs_of(connection: sa.Connection, file_id: str) -> RowRuns:
    """The runs of a file's plan; none where it is not planned or was refused unread."""
    block = connection.execute(sa.select(row_block.c.runs).where(row_block.c.file_id == file_id)).scalar()
    if block is None:
        nothing = np.empty(0, dtype=np.int32)
        return RowRuns(nothing, nothing, nothing, nothing)
    return RowRuns.of_batch(unpack(block))


def _leaf_states(connection: sa.Connection, file_id: str) -> list[CallState]:
    found = connection.execute(
        sa.select(call.c.state).distinct().where(call.c.file_id == file_id, call.c.state != CallState.SPLIT)
    )
    return [CallState(state) for state in found.scalars()]


def _counted_by_record(connection: sa.Connection, file_id: str, runs: RowRuns) -> Longs:
    _, outcomes, records = runs.rows()
    records = records[outcomes == BY_RECORD]
    codes, _ = _by_record(connection, file_id, int(records.max()) + 1)
    return np.bincount(codes[records], minlength=len(OUTCOME_BY_CODE))


def _by_record(connection: sa.Connection, file_id: str, size: int) -> tuple[Ints, Longs]:
    """Outcome code of each record, and the id of the call that decides it, 0 where none carries it."""
    ranks = np.full(size, -1, dtype=np.int32)
    calls = np.zeros(size, dtype=np.int64)
    found = connection.exec_driver_sql(
        "SELECT id, state, block FROM call JOIN call_block ON call_id = id "
        "WHERE file_id = ? AND state <> 'split' ORDER BY id",
        (file_id,),
    )
    joined: dict[int, tuple[CallState, int]] | None = None
    for call_id, state, block in found:
        records = as_ints(unpack(block).column("record"))
        records = records[(records >= 0) & (records < size)]
        end, decides = CallState(state), call_id
        if end is CallState.JOINED:
            joined = ends_of_joined(connection, file_id) if joined is None else joined
            end, decides = joined[call_id]
        rank = RISING.index(end)
        records = records[ranks[records] < rank]
        ranks[records] = rank
        calls[records] = decides
    # A record that no call carries cannot have been sent.
    return np.where(ranks >= 0, _OUTCOME_OF_RANK[ranks], _PENDING).astype(np.int32), calls


@dataclass(frozen=True)
class _Told:
    """A file's rows in order, each with its outcome and the call that decided it, 0 where none did."""

    file_id: str
    rows: Ints
    codes: Ints
    calls: Longs

    @classmethod
    def of(cls, connection: sa.Connection, file_id: str) -> _Told:
        rows, codes, records = runs_of(connection, file_id).rows()
        by_record = codes == BY_RECORD
        calls = np.zeros(len(rows), dtype=np.int64)
        if by_record.any():
            of_records, ids = _by_record(connection, file_id, int(records.max()) + 1)
            codes = codes.copy()
            codes[by_record] = of_records[records[by_record]]
            calls[by_record] = ids[records[by_record]]
        return cls(file_id, rows, codes, calls)

    def places(self, outcomes: Collection[Outcome] | None) -> Longs:
        if outcomes is None:
            return np.arange(len(self.rows))
        return np.flatnonzero(np.isin(self.codes, [OUTCOME_CODES[outcome] for outcome in outcomes]))

    def explained(self, connection: sa.Connection, places: Longs) -> Iterator[RowOutcome]:
        if not len(places):
            return
        deciding = np.unique(self.calls[places]).tolist()
        reasons = _Reasons(
            connection, self.file_id, int(self.rows[places[0]]), int(self.rows[places[-1]]), deciding
        )
        for place in places.tolist():
            row, outcome = int(self.rows[place]), OUTCOME_BY_CODE[self.codes[place]]
            yield RowOutcome(row, outcome, reasons.of(row, outcome, int(self.calls[place])))


class _Reasons:
    """Why rows are what they are: their own rejects, the words of their call, or the reason of their file."""

    def __init__(
        self,
        connection: sa.Connection,
        file_id: str,
        first_row: int,
        last_row: int,
        deciding: Sequence[int],
    ) -> None:
        self._file = connection.execute(
            sa.select(file.c.code, file.c.message, file.c.hold_code, file.c.hold_message).where(
                file.c.id == file_id
            )
        ).one()
        self._own: dict[int, list[Reject]] = {}
        for reject in _rejects(connection, file_id, first_row, last_row):
            self._own.setdefault(reject.row, []).append(reject)
        self._calls: dict[int, tuple[CallState, str, str]] = {}
        for some in portions(deciding):
            found = connection.execute(
                sa.select(call.c.id, call.c.state, call.c.answer, call.c.code).where(call.c.id.in_(some))
            )
            self._calls |= {one: (CallState(state), answer, code) for one, state, answer, code in found}
        refused = [one for one, (state, _, _) in self._calls.items() if state is CallState.REFUSED]
        self._dates_of_accepted = _dates_of_accepted(connection, refused)

    def of(self, row: int, outcome: Outcome, call_id: int) -> tuple[Reject, ...]:
        if outcome is Outcome.REJECTED:
            return tuple(self._own.get(row, ())) or self._of_call(row, call_id)
        if outcome is Outcome.HELD:
            return self._of_hold(row, call_id)
        return ()

    def _of_call(self, row: int, call_id: int) -> tuple[Reject, ...]:
        state, answer, _ = self._calls.get(call_id, (None, "", ""))
        if state is CallState.REFUSED:
            answer = answer or "RetailOps gave no reason."
            if call_id in self._dates_of_accepted:
                answer = f"The PO was accepted, and its ship date refused: {answer}. Dropped back, only the date goes."
            return (Reject(row, "refused_by_retailops", answer),)
        if state is CallState.DROPPED:
            return (Reject(row, "discarded", answer),)
        return (Reject(row, self._file.code, self._file.message),) if self._file.code else ()

    def _of_hold(self, row: int, call_id: int) -> tuple[Reject, ...]:
        state, answer, code = self._calls.get(call_id, (None, "", ""))
        if state is CallState.WAITING:
            return (Reject(row, code or "partial_shipment", answer),)
        if self._file.hold_code:
            return (Reject(row, self._file.hold_code, self._file.hold_message),)
        return (Reject(row, "too_many_refusals", answer),) if call_id else ()


def _dates_of_accepted(connection: sa.Connection, refused: Sequence[int]) -> set[int]:
    """Those of these refused calls that state a ship date of a PO which the same file's acceptance was taken for."""
    date, accepted = call.alias(), call.alias()
    own, other = call_po.alias(), call_po.alias()
    found: set[int] = set()
    for some in portions(refused):
        found.update(
            connection.execute(
                sa.select(date.c.id)
                .join(own, own.c.call_id == date.c.id)
                .join(other, (other.c.vendor == own.c.vendor) & (other.c.po == own.c.po))
                .join(accepted, (accepted.c.id == other.c.call_id) & (accepted.c.file_id == date.c.file_id))
                .where(date.c.id.in_(some))
                .where(date.c.action == Action.UPDATE_EST_SHIP_DATE)
                .where(accepted.c.action == Action.MARK_ACCEPTED, accepted.c.state == CallState.CONFIRMED)
            ).scalars()
        )
    return found


def _rejects(connection: sa.Connection, file_id: str, first_row: int, last_row: int) -> Iterator[Reject]:
    found = connection.execute(
        sa.select(
            row_reject.c.row, row_reject.c.code, row_reject.c.message, row_reject.c.column, row_reject.c.value
        )
        .where(row_reject.c.file_id == file_id, row_reject.c.row.between(first_row, last_row))
        .order_by(row_reject.c.row, row_reject.c.number)
    )
    for row, code, message, column, value in found:
        yield Reject(row, code, message, column, value)
