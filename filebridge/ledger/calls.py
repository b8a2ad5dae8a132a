"""Calls: journalled before they are sent, and what became of each.

Blocks are large and states are small: lists of calls leave their blocks in the ledger, `blocks` loads those of
one window.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

import sqlalchemy as sa

from filebridge.clock import SECOND
from filebridge.ledger.connect import change_many, insert_many, portions
from filebridge.ledger.schema import CallState, call, call_block, call_po
from filebridge.planning.plan import Action, PlannedCall

QUARANTINE: Final = 600 * SECOND
"""How long a call whose answer was lost may still land late (FAILURES 3.4)."""

OPEN_STATES: Final = (CallState.PLANNED, CallState.SENDING, CallState.UNCERTAIN)
"""States in which a call's answer is still owed."""

ABSOLUTE: Final = (Action.UPDATE, Action.UPDATE_EST_SHIP_DATE)
"""Calls that state absolute values: lost, they are sent again, and the newest value is stated once more."""

_LOST: Final = "FileBridge ended before the answer came"
_COLUMNS: Final = tuple(column for column in call.c if column.name != "spent")


@dataclass(frozen=True)
class CallRow:
    """A call as the ledger knows it, without its block. Times are microseconds UTC, None where not yet."""

    id: int
    vendor: str
    action: Action
    feed: str
    file_id: str | None
    order_file_id: str | None
    parent_id: int | None
    arrival: int
    state: CallState
    records: int
    rows: int
    order_at: int
    attempts: int
    planned_at: int
    sent_at: int | None
    answered_at: int | None
    http_status: int | None
    answer: str
    restate_at: int | None
    code: str = ""


@dataclass(frozen=True)
class CallAnswer:
    """What came of one sending of a call.

    `state` is CONFIRMED, REFUSED, UNCERTAIN, or PLANNED where it was certainly not applied. `restate_at` is
    when an uncertain call's values are stated once more; None leaves an earlier such time as it is.
    """

    call_id: int
    state: CallState
    answered_at: int
    http_status: int | None = None
    answer: str = ""
    restate_at: int | None = None


@dataclass(frozen=True)
class CallPart:
    """Some of the records of a call that is split: their block, how many they are, how many rows, which POs."""

    block: bytes
    records: int
    rows: int
    pos: tuple[str, ...] = ()


@dataclass(frozen=True)
class CallCounts:
    """Calls of a file that have an answer: how many, and when the first was sent and the last answered."""

    count: int
    first_at: int | None
    last_at: int | None


def planned(
    connection: sa.Connection, *, file_id: str | None = None, order_file_id: str | None = None
) -> list[CallRow]:
    """The calls of one file or PO file that are to be sent, in the order of planning."""
    return _select(connection, _of(file_id, order_file_id), call.c.state == CallState.PLANNED)


def calls_of(
    connection: sa.Connection, *, file_id: str | None = None, order_file_id: str | None = None
) -> list[CallRow]:
    """All calls of one file or PO file, those that were split included, in the order of planning."""
    return _select(connection, _of(file_id, order_file_id))


def open_calls(connection: sa.Connection, vendor: str) -> list[CallRow]:
    """The vendor's calls whose answer is owed: planned, under way or uncertain, whatever they belong to."""
    return _select(connection, call.c.vendor == vendor, call.c.state.in_(OPEN_STATES))


def due_restatements(connection: sa.Connection, vendor: str, now: int) -> list[CallRow]:
    """The vendor's calls whose values are to be stated once more, since one of them may have landed late."""
    return _select(connection, call.c.vendor == vendor, call.c.restate_at <= now)


def has_restatements(connection: sa.Connection, vendor: str, now: int) -> bool:
    """Whether values are to be stated once more now, or a call that does so is still to be sent."""
    of_no_file = call.c.file_id.is_(None) & call.c.order_file_id.is_(None)
    owed = (call.c.restate_at <= now) | (of_no_file & call.c.state.in_(OPEN_STATES))
    found = connection.execute(sa.select(call.c.id).where(call.c.vendor == vendor, owed).limit(1))
    return found.first() is not None


def next_restatement(connection: sa.Connection) -> int | None:
    """When the next restatement of any vendor is due, microseconds UTC; None where none is owed."""
    return connection.execute(sa.select(sa.func.min(call.c.restate_at))).scalar()


def call_row(connection: sa.Connection, call_id: int) -> CallRow:
    """One call. Raises KeyError where there is none of that id."""
    found = _select(connection, call.c.id == call_id)
    if not found:
        raise KeyError(call_id)
    return found[0]


def counts_of(connection: sa.Connection, file_id: str) -> CallCounts:
    """How many calls of a file were sent, and when the first was sent and the last answered."""
    count, first, last = connection.execute(
        sa.select(sa.func.count(), sa.func.min(call.c.sent_at), sa.func.max(call.c.answered_at)).where(
            call.c.file_id == file_id, call.c.attempts > 0
        )
    ).one()
    return CallCounts(count, first, last)


def blocks(connection: sa.Connection, ids: Sequence[int]) -> dict[int, bytes]:
    """The blocks of some calls, by id: those of one window, since all at once may be large."""
    found: dict[int, bytes] = {}
    for some in portions(ids):
        places = ",".join("?" * len(some))
        rows = connection.exec_driver_sql(
            f"SELECT call_id, block FROM call_block WHERE call_id IN ({places})", tuple(some)
        )
        found.update((row[0], row[1]) for row in rows)
    return found


def mark_sending(connection: sa.Connection, ids: Sequence[int], now: int) -> None:
    """Write down, before anything of them is sent, that these planned or uncertain calls go out now.

    Raises ValueError where one of them is in another state: it would be sent twice.
    """
    changed = change_many(
        connection,
        "UPDATE call SET state='sending', attempts=attempts+1, sent_at=? "
        "WHERE id=? AND state IN ('planned','uncertain')",
        [(now, call_id) for call_id in ids],
    )
    _all_changed(changed, ids, "sent")


def record_answers(connection: sa.Connection, answers: Collection[CallAnswer]) -> None:
    """Write down the answers of calls that are under way.

    Raises ValueError where one of them is not: its answer would end another sending.
    """
    changed = change_many(
        connection,
        "UPDATE call SET state=?, http_status=?, answer=?, answered_at=?, restate_at=COALESCE(?, restate_at) "
        "WHERE id=? AND state='sending'",
        [
            (
                answer.state.value,
                answer.http_status,
                answer.answer,
                answer.answered_at,
                answer.restate_at,
                answer.call_id,
            )
            for answer in answers
        ],
    )
    _all_changed(changed, [answer.call_id for answer in answers], "answered")


def move(
    connection: sa.Connection,
    ids: Iterable[int],
    from_states: Collection[CallState],
    to_state: CallState,
    *,
    now: int,
    answer: str = "",
) -> int:
    """Move the calls that are in one of `from_states`; how many were. An empty `answer` keeps the old words.

    For what is found out without sending: looked up and confirmed, superseded, held, released, dropped.
    """
    states = ",".join("?" * len(from_states))
    return change_many(
        connection,
        "UPDATE call SET state=?, answered_at=?, answer=CASE WHEN ?='' THEN answer ELSE ? END "
        f"WHERE id=? AND state IN ({states})",
        [
            (to_state.value, now, answer, answer, call_id, *(state.value for state in from_states))
            for call_id in ids
        ],
    )


def split(connection: sa.Connection, call_id: int, parts: Sequence[CallPart], *, now: int) -> list[int]:
    """Replace a refused call by smaller ones that carry each of its records once; their ids.

    The call becomes SPLIT, so that its own answer is no row's end. Raises ValueError where the parts do not
    add up to the call, or where it is no refused call.
    """
    whole = call_row(connection, call_id)
    if sum(part.records for part in parts) != whole.records or sum(part.rows for part in parts) != whole.rows:
        raise ValueError(f"the parts of call {call_id} do not add up to its records and rows")
    if not move(connection, [call_id], [CallState.REFUSED], CallState.SPLIT, now=whole.answered_at or now):
        raise ValueError(f"call {call_id} is {whole.state}, not refused")
    connection.execute(sa.delete(call_po).where(call_po.c.call_id == call_id))
    made = [
        _New(
            vendor=whole.vendor,
            action=whole.action,
            feed=whole.feed,
            file_id=whole.file_id,
            order_file_id=whole.order_file_id,
            parent_id=call_id,
            arrival=whole.arrival,
            records=part.records,
            rows=part.rows,
            order_at=whole.order_at,
            planned_at=now,
            block=part.block,
            pos=part.pos,
        )
        for part in parts
    ]
    return _add(connection, made)


def add_calls(
    connection: sa.Connection,
    planned_calls: Iterable[PlannedCall],
    *,
    vendor: str,
    now: int,
    feed: str = "",
    file_id: str | None = None,
    order_file_id: str | None = None,
    arrival: int = 0,
) -> int:
    """Journal calls as planned: those of a file's plan, or those that mark the POs of a PO file; how many."""
    planned = list(planned_calls)
    made = _add(
        connection,
        [
            _New(
                vendor=vendor,
                action=one.action,
                feed=feed,
                file_id=file_id,
                order_file_id=order_file_id,
                arrival=arrival,
                parent_id=one.follows or None,
                state=_first_state(one),
                records=one.records,
                rows=one.rows,
                order_at=one.order_at,
                planned_at=now,
                block=one.block,
                answer=one.waits.message if one.waits else "",
                code=one.waits.code if one.waits else "",
                pos=one.pos,
            )
            for one in planned
        ],
    )
    for call_id, one in zip(made, planned, strict=True):
        join(connection, one.joins, call_id)
    return len(made)


def _first_state(one: PlannedCall) -> CallState:
    if one.follows:
        return CallState.JOINED
    return CallState.WAITING if one.waits else CallState.PLANNED


def join(connection: sa.Connection, waiting: Collection[int], call_id: int) -> None:
    """Have a call carry along what waiting calls keep: their rows have its end from now on."""
    change_many(
        connection,
        "UPDATE call SET state='joined', parent_id=? WHERE id=? AND state='waiting'",
        [(call_id, one) for one in waiting],
    )


def add_restatement(connection: sa.Connection, call_id: int, restated: PlannedCall, *, now: int) -> int:
    """Journal a call that states the newest values of another call's VPCs once more; its id.

    The other call owes no restatement from then on. The new one belongs to no file: it is no row's end.
    """
    first = call_row(connection, call_id)
    (made,) = _add(
        connection,
        [
            _New(
                vendor=first.vendor,
                action=restated.action,
                feed=first.feed,
                order_file_id=first.order_file_id,
                parent_id=call_id,
                arrival=first.arrival,
                records=restated.records,
                order_at=restated.order_at,
                planned_at=now,
                block=restated.block,
                pos=restated.pos,
            )
        ],
    )
    restated_no_more(connection, call_id)
    return made


def restate_at(connection: sa.Connection, call_id: int, at: int) -> None:
    """Have the newest values of what a call states be stated once more at this time, microseconds UTC."""
    connection.execute(sa.update(call).where(call.c.id == call_id).values(restate_at=at))


def restated_no_more(connection: sa.Connection, call_id: int) -> None:
    """The call owes no restatement any longer: it was made, or newer values made it needless."""
    connection.execute(sa.update(call).where(call.c.id == call_id).values(restate_at=None))


def lost(connection: sa.Connection, now: int, *, quarantine: int = QUARANTINE) -> int:
    """At the start of a pass: the answer of every call that was under way is lost; how many there were.

    Values that such a call stated are stated once more after the quarantine, in microseconds.
    """
    result = connection.execute(
        sa.update(call)
        .where(call.c.state == CallState.SENDING)
        .values(
            state=CallState.UNCERTAIN,
            answered_at=now,
            answer=_LOST,
            restate_at=sa.case((call.c.action.in_(ABSOLUTE), now + quarantine), else_=call.c.restate_at),
        )
    )
    return int(result.rowcount)


@dataclass(frozen=True, slots=True)
class _New:
    """A call as it is inserted, with its block and its POs."""

    vendor: str
    action: Action
    feed: str
    records: int
    planned_at: int
    block: bytes
    file_id: str | None = None
    order_file_id: str | None = None
    parent_id: int | None = None
    arrival: int = 0
    state: CallState = CallState.PLANNED
    rows: int = 0
    order_at: int = 0
    answer: str = ""
    code: str = ""
    pos: tuple[str, ...] = ()


_APART: Final = frozenset({"block", "pos"})
_INSERTED: Final = tuple(one.name for one in fields(_New) if one.name not in _APART)


def _add(connection: sa.Connection, new: Sequence[_New]) -> list[int]:
    """Insert calls; their ids, in order."""
    # A number is never given twice, also after calls were purged: that is what AUTOINCREMENT keeps.
    last = connection.exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = 'call'").scalar() or 0
    ids = list(range(last + 1, last + 1 + len(new)))
    numbered = list(zip(ids, new, strict=True))
    insert_many(
        connection,
        call,
        ("id", *_INSERTED),
        ((number, *(getattr(one, name) for name in _INSERTED)) for number, one in numbered),
    )
    insert_many(
        connection, call_block, ("call_id", "block"), ((number, one.block) for number, one in numbered)
    )
    named = [(number, po, one.vendor) for number, one in numbered for po in dict.fromkeys(one.pos)]
    if named:
        insert_many(connection, call_po, ("call_id", "po", "vendor"), named)
    return ids


def _of(file_id: str | None, order_file_id: str | None) -> sa.ColumnElement[bool]:
    if (file_id is None) == (order_file_id is None):
        raise ValueError("calls belong to a file or to a PO file: name one of them")
    return call.c.file_id == file_id if file_id is not None else call.c.order_file_id == order_file_id


def _select(connection: sa.Connection, *conditions: sa.ColumnElement[bool]) -> list[CallRow]:
    found = connection.execute(sa.select(*_COLUMNS).where(*conditions).order_by(call.c.id))
    return [_row(row) for row in found.mappings()]


def _row(found: Mapping[Any, Any]) -> CallRow:
    return CallRow(**{**found, "action": Action(found["action"]), "state": CallState(found["state"])})


def _all_changed(changed: int, ids: Collection[int], what: str) -> None:
    if changed != len(ids):
        raise ValueError(f"{len(ids) - changed} of {len(ids)} calls cannot be {what} in their state")
