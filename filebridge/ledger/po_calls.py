"""What the journal holds about POs: calls that were confirmed, are without an answer, or wait.

`call_po` says which calls are about a PO; what they say stands in their blocks. The business key decides what is
done already, whatever file names it, and this is where it is looked up.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
import sqlalchemy as sa

from filebridge.columns import unpack
from filebridge.ledger.calls import OPEN_STATES, blocks
from filebridge.ledger.connect import portions
from filebridge.ledger.schema import RISING, CallState, FileState, call, call_po, file
from filebridge.planning.plan import Action

_TELLING: Final = (CallState.CONFIRMED, *OPEN_STATES, CallState.HELD, CallState.WAITING)


@dataclass(frozen=True)
class PoCall:
    """What one call says of one PO: its records, two for two ship dates. `planned_at` is microseconds UTC."""

    id: int
    vendor: str
    po: str
    action: Action
    state: CallState
    file_id: str | None
    file_name: str
    code: str
    message: str
    planned_at: int
    records: tuple[Mapping[str, Any], ...]

    @property
    def is_open(self) -> bool:
        """Whether it is to be sent, or its answer is owed."""
        return self.state in OPEN_STATES or self.state is CallState.HELD

    @property
    def waits(self) -> bool:
        """Whether it only keeps what a file says."""
        return self.state is CallState.WAITING


def calls_about(
    connection: sa.Connection, vendor: str, pos: Collection[str], *, but_of: str = ""
) -> list[PoCall]:
    """What is confirmed, owed or waiting of some POs, in the order of the calls; not of the file `but_of`."""
    found: list[Any] = []
    for some in portions(sorted(pos)):
        found += connection.execute(
            _select()
            .where(call_po.c.vendor == vendor, call_po.c.po.in_(some))
            .where(call.c.file_id.is_(None) | (call.c.file_id != but_of))
            .where(call.c.state.in_(_TELLING))
        )
    return _with_records(connection, sorted(found))


def waiting_calls(
    connection: sa.Connection, vendor: str | None = None, *, file_id: str | None = None, po: str | None = None
) -> list[PoCall]:
    """What waits: of one vendor, one file, one PO, or all of it; the oldest first."""
    statement = _select().where(call.c.state == CallState.WAITING)
    for column, value in ((call_po.c.vendor, vendor), (call.c.file_id, file_id), (call_po.c.po, po)):
        if value is not None:
            statement = statement.where(column == value)
    return _with_records(connection, sorted(connection.execute(statement)))


def pos_of_file(connection: sa.Connection, file_id: str, action: Action) -> list[str]:
    """The POs that confirmed calls of a file are about."""
    found = connection.execute(
        sa.select(call_po.c.po)
        .join(call, call.c.id == call_po.c.call_id)
        .where(call.c.file_id == file_id, call.c.action == action, call.c.state == CallState.CONFIRMED)
    )
    return list(found.scalars())


def ends_of_joined(connection: sa.Connection, file_id: str) -> dict[int, tuple[CallState, int]]:
    """For each joined call of a file: the state that its rows share, and the call that decides it.

    A joined call is carried by another, which may be joined itself, or cut into parts: then the part with its PO
    counts. Of two calls about the PO in the file that carries it, the one that keeps it from being delivered
    decides.
    """
    found = connection.execute(
        sa.select(call.c.id, call.c.parent_id, call_po.c.po)
        .join(call_po, call_po.c.call_id == call.c.id)
        .where(call.c.file_id == file_id, call.c.state == CallState.JOINED)
    )
    return {call_id: _end(connection, parent, po) for call_id, parent, po in found.all()}


def _end(connection: sa.Connection, parent: int, po: str) -> tuple[CallState, int]:
    state, of_file, above = _state(connection, parent)
    while state is CallState.JOINED and above is not None:
        parent = above
        state, of_file, above = _state(connection, parent)
    if of_file is None or state is CallState.WAITING:
        return state, parent
    beside = connection.execute(
        sa.select(call.c.state, call.c.id)
        .join(call_po, call_po.c.call_id == call.c.id)
        .where(
            call.c.file_id == of_file,
            call_po.c.po == po,
            call.c.state.not_in([CallState.SPLIT, CallState.JOINED, CallState.WAITING]),
        )
    ).all()
    ends = [(CallState(one), call_id) for one, call_id in beside] or [(state, parent)]
    return max(ends, key=lambda end: RISING.index(end[0]))


def _state(connection: sa.Connection, call_id: int) -> tuple[CallState, str | None, int | None]:
    state, file_id, parent = connection.execute(
        sa.select(call.c.state, call.c.file_id, call.c.parent_id).where(call.c.id == call_id)
    ).one()
    return CallState(state), file_id, parent


def carried_files(connection: sa.Connection, vendor: str) -> set[str]:
    """The vendor's files that are not settled, and of which another file's call carries rows, or says them anew."""
    taken_over = call.c.state.in_([CallState.JOINED, CallState.SUPERSEDED]) & (call.c.action != Action.UPDATE)
    found = connection.execute(
        sa.select(call.c.file_id)
        .join(file, file.c.id == call.c.file_id)
        .where(call.c.vendor == vendor, taken_over, file.c.settled_at.is_(None))
    )
    return set(found.scalars())


def part_again(connection: sa.Connection, file_id: str) -> list[int]:
    """Have what the unsent calls of a file carried along wait once more: those calls are given up; their ids."""
    own = sa.select(call.c.id).where(
        call.c.file_id == file_id, call.c.state.in_([CallState.PLANNED, CallState.HELD])
    )
    parted = (call.c.parent_id.in_(own)) & (call.c.state == CallState.JOINED)
    ids = list(connection.execute(sa.select(call.c.id).where(parted)).scalars())
    given_up = "The file that it was to go with was given up."
    connection.execute(
        sa.update(call)
        .where(parted)
        .values(
            state=CallState.WAITING,
            parent_id=None,
            code=sa.case((call.c.code == "", "partial_shipment"), else_=call.c.code),
            answer=sa.case((call.c.answer == "", given_up), else_=call.c.answer),
        )
    )
    return ids


def reopen_carried(connection: sa.Connection, call_ids: Iterable[int]) -> list[str]:
    """Have the files that these waiting or joined calls belong to settled anew: their rows get another end.

    Returns their ids.
    """
    file_ids: set[str] = set()
    for call_id in call_ids:
        found = connection.execute(sa.select(call.c.file_id).where(call.c.id == call_id)).scalar()
        if found is not None:
            file_ids.add(found)
        below = sa.select(call.c.id).where(call.c.parent_id == call_id, call.c.state == CallState.JOINED)
        file_ids.update(reopen_carried(connection, connection.execute(below).scalars().all()))
    connection.execute(
        sa.update(file)
        .where(file.c.id.in_(file_ids), file.c.settled_at.is_not(None))
        .values(state=FileState.PLANNED, settled_at=None)
    )
    return sorted(file_ids)


def _select() -> sa.Select[Any]:
    return (
        sa.select(
            call.c.id,
            call_po.c.po,
            call_po.c.vendor,
            call.c.action,
            call.c.state,
            call.c.file_id,
            file.c.name,
            call.c.code,
            call.c.answer,
            call.c.planned_at,
        )
        .join(call_po, call_po.c.call_id == call.c.id)
        .outerjoin(file, file.c.id == call.c.file_id)
    )


def _with_records(connection: sa.Connection, rows: Sequence[Any]) -> list[PoCall]:
    said: dict[tuple[int, str], list[Mapping[str, Any]]] = {}
    wanted = {(row[0], row[1]) for row in rows}
    ids = sorted({row[0] for row in rows})
    for some in portions(ids):
        for call_id, block in blocks(connection, some).items():
            for text in unpack(block).column("records").to_pylist():
                record = orjson.loads(text)
                if (call_id, record["po"]) in wanted:
                    said.setdefault((call_id, record["po"]), []).append(record)
    return [
        PoCall(
            call_id,
            of_vendor,
            po,
            Action(action),
            CallState(state),
            file_id,
            name or "",
            code,
            message,
            planned_at,
            tuple(said.get((call_id, po), ())),
        )
        for call_id, po, of_vendor, action, state, file_id, name, code, message, planned_at in rows
    ]
