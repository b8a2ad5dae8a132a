"""The order of calls about one PO: which of them waits for which, and what files said of it last."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from filebridge.ledger.connect import portions
from filebridge.ledger.schema import CallState
from filebridge.planning.plan import Action

# Restatements belong to no file: they wait for nobody, and nobody waits for them.
_RIVALS: Final = """
    SELECT own.id, mine.po, rival.id FROM call AS own
    CROSS JOIN call_po AS mine ON mine.call_id = own.id
    CROSS JOIN call_po AS other ON other.vendor = mine.vendor AND other.po = mine.po AND other.call_id <> own.id
    CROSS JOIN call AS rival ON rival.id = other.call_id
    WHERE own.{column} = ? AND own.state IN ('planned', 'uncertain')
    AND rival.state IN ('planned', 'sending', 'uncertain') AND rival.{column} IS NOT ?
    AND (rival.file_id IS NOT NULL OR rival.order_file_id IS NOT NULL)
"""
_FIRST: Final = """
    WITH RECURSIVE up (id, first) AS (
        SELECT id, id FROM call WHERE id IN ({places})
        UNION ALL
        SELECT up.id, whole.id FROM up JOIN call AS part ON part.id = up.first
        JOIN call AS whole ON whole.id = part.parent_id WHERE whole.state = 'split'
    )
    SELECT id, MIN(first) FROM up GROUP BY id
"""
_OF_FILE: Final = """
    SELECT po, call.id, state, answer FROM call JOIN call_po ON call_id = call.id
    WHERE file_id = ? AND action = ? AND state <> 'split' ORDER BY call.id
"""
_CARRIER: Final = """
    SELECT call.id, state, answer FROM call WHERE id = (SELECT parent_id FROM call WHERE id = ?)
"""
_PART: Final = """
    SELECT call.id, state, answer FROM call JOIN call_po ON call_id = call.id
    WHERE parent_id = ? AND po = ? AND state <> 'joined'
"""
_CONFIRMED: Final = """
    SELECT DISTINCT call.id, order_at, arrival, block FROM call_po
    JOIN call ON call.id = call_po.call_id JOIN call_block ON call_block.call_id = call.id
    WHERE call_po.vendor = ? AND po IN ({places}) AND action = ? AND state = 'confirmed' AND file_id IS NOT NULL
    ORDER BY call.id
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """How the call about a PO stands, and RetailOps' words for it."""

    state: CallState
    answer: str


@dataclass(frozen=True, slots=True)
class ConfirmedRecords:
    """The block of a confirmed call, and what it is older or newer by: its time (microseconds UTC), its file."""

    call_id: int
    order_at: int
    arrival: int
    block: bytes


def waiting_pos(
    connection: sa.Connection, *, file_id: str | None = None, order_file_id: str | None = None
) -> dict[int, Set[str]]:
    """Of the unsent calls of one file or PO file: the POs on which an earlier call has no answer yet, by call.

    Earlier is what was planned before, for another file or PO file. Calls that wait for nothing are left out.
    """
    column, value = ("file_id", file_id) if file_id is not None else ("order_file_id", order_file_id)
    rivals = connection.exec_driver_sql(_RIVALS.format(column=column), (value, value)).all()
    first = _first_of(connection, {number for own, _, rival in rivals for number in (own, rival)})
    found: dict[int, set[str]] = {}
    for own, po, rival in rivals:
        if first[rival] < first[own]:
            found.setdefault(own, set()).add(po)
    return {call_id: frozenset(pos) for call_id, pos in found.items()}


def standings(connection: sa.Connection, file_id: str, action: Action) -> Mapping[str, Standing]:
    """How a file's calls of one action stand, by PO; of several about one PO, the one without confirmation.

    A call that another carries along stands as that one does.
    """
    found: dict[str, Standing] = {}
    for po, *row in connection.exec_driver_sql(_OF_FILE, (file_id, action.value)).all():
        standing = _standing(connection, po, row)
        if po not in found or found[po].state is CallState.CONFIRMED:
            found[po] = standing
    return found


def confirmed(
    connection: sa.Connection, vendor: str, action: Action, pos: Collection[str]
) -> Iterator[ConfirmedRecords]:
    """The vendor's confirmed calls of one action about any of these POs, each once, as they were planned.

    Only those of files: a restatement says nothing that another has not said.
    """
    told: set[int] = set()
    for some in portions(sorted(pos)):
        statement = _CONFIRMED.format(places=",".join("?" * len(some)))
        for row in connection.exec_driver_sql(statement, (vendor, *some, action.value)):
            if row[0] not in told:
                told.add(row[0])
                yield ConfirmedRecords(*row)


def confirmed_pos(connection: sa.Connection, vendor: str, action: Action, pos: Collection[str]) -> set[str]:
    """Those of these POs for which a call of this action was confirmed."""
    found: set[str] = set()
    for some in portions(sorted(pos)):
        rows = connection.exec_driver_sql(
            "SELECT po FROM call_po JOIN call ON id = call_id WHERE call_po.vendor = ? "
            f"AND po IN ({','.join('?' * len(some))}) AND action = ? AND state = 'confirmed'",
            (vendor, *some, action.value),
        )
        found.update(row[0] for row in rows)
    return found


def _first_of(connection: sa.Connection, ids: Set[int]) -> dict[int, int]:
    """The call that each is, or is a part of: its number tells when it was planned."""
    found: dict[int, int] = {}
    for some in portions(sorted(ids)):
        rows = connection.exec_driver_sql(_FIRST.format(places=",".join("?" * len(some))), tuple(some))
        found.update((row[0], row[1]) for row in rows)
    return found


def _standing(connection: sa.Connection, po: str, row: Sequence[object]) -> Standing:
    """Follow a call that another carries along to that one, or to that part of it that is about the PO."""
    call_id, state, answer = row
    while state in (CallState.JOINED, CallState.SPLIT):
        statement, values = (_CARRIER, (call_id,)) if state == CallState.JOINED else (_PART, (call_id, po))
        carrier = connection.exec_driver_sql(statement, values).first()
        if carrier is None:
            break
        call_id, state, answer = carrier
    return Standing(CallState(str(state)), str(answer))
