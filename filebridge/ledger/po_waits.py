"""POs that wait: those of which a file's rows are kept, and nothing is sent, until more is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from filebridge.ledger.po_calls import ends_of_joined
from filebridge.ledger.schema import CallState, call, call_po, file
from filebridge.planning.plan import Action

_KEEPS: Final = (Action.COMPLETE, Action.MARK_ACCEPTED, Action.MARK_SUBMITTED)
REFUSED: Final = "refused_by_vendor"
"""The code of a PO that the vendor refuses, or has back-ordered without a date."""


@dataclass(frozen=True)
class Kept:
    """The rows of one file that wait: the call that keeps them, its feed, since when (microseconds UTC)."""

    call_id: int
    feed: str
    since: int
    file_id: str
    file_name: str


@dataclass(frozen=True)
class WaitingPo:
    """A PO that waits with one action, as it stands now. `kept` has the oldest rows first, and at least one.

    `code` and `message` are those of the newest rows, which know of all that came before. `came` is when rows of
    it came, by feed: those that a later file has said anew count, too, or a file that says every day what it said
    the day before would never be overdue.
    """

    vendor: str
    po: str
    action: Action
    code: str
    message: str
    kept: tuple[Kept, ...]
    came: tuple[tuple[str, int], ...]

    @property
    def since(self) -> int:
        """Since when its first rows wait, microseconds UTC."""
        return min(at for _, at in self.came)

    @property
    def is_refused(self) -> bool:
        """Whether it waits for the retailer, whom a person must tell; else for its other rows."""
        return self.code == REFUSED

    def until(self, hold_for: Mapping[str, int]) -> int | None:
        """How long it may wait for its other rows, microseconds UTC; None where nothing limits that.

        `hold_for` gives, by feed, how long rows may wait, in microseconds. The first rows to come of age decide.
        """
        if self.is_refused:
            return None
        ends = (at + hold_for[feed] for feed, at in self.came if feed in hold_for)
        return min(ends, default=None)


def pos_that_wait(connection: sa.Connection, vendor: str | None = None) -> list[WaitingPo]:
    """What waits of one vendor, or of all: a PO that waits with two actions comes twice; the oldest first."""
    statement = _select()
    if vendor is not None:
        statement = statement.where(call.c.vendor == vendor)
    rows: dict[tuple[str, str, str], list[Any]] = {}
    for row in connection.execute(statement):
        rows.setdefault((row.vendor, row.po, row.action), []).append(row)
    return sorted(
        (found for key, of_one in rows.items() if (found := _waiting_po(key, of_one))),
        key=lambda one: (one.since, one.kept[0].call_id),
    )


def _waiting_po(key: tuple[str, str, str], rows: list[Any]) -> WaitingPo | None:
    waits = [row for row in rows if row.state == CallState.WAITING]
    if not waits:
        return None
    return WaitingPo(
        *key[:2],
        Action(key[2]),
        waits[-1].code,
        waits[-1].answer,
        tuple(Kept(row.id, row.feed, row.planned_at, row.file_id, row.name) for row in waits),
        tuple((row.feed, row.planned_at) for row in rows),
    )


@dataclass(frozen=True)
class WaitingRows:
    """The rows of one file that wait with a PO: what waits of it, from all files, and the file's own calls."""

    of: WaitingPo
    call_ids: tuple[int, ...]


def waiting_in(connection: sa.Connection, file_id: str) -> list[WaitingRows]:
    """The POs of which rows of a file wait, in the order of those rows.

    That holds for rows that only say again what rows of another file say, too, as long as those wait.
    """
    own = connection.execute(
        sa.select(call.c.id, call.c.vendor, call_po.c.po, call.c.action, call.c.state)
        .join(call_po, call_po.c.call_id == call.c.id)
        .where(call.c.file_id == file_id, call.c.state.in_([CallState.WAITING, CallState.JOINED]))
        .order_by(call.c.id)
    ).all()
    ends = ends_of_joined(connection, file_id) if any(row.state == CallState.JOINED for row in own) else {}
    wanted: dict[tuple[str, str], list[int]] = {}
    for row in own:
        if row.state == CallState.WAITING or ends[row.id][0] is CallState.WAITING:
            wanted.setdefault((row.po, row.action), []).append(row.id)
    if not wanted:
        return []
    found = {(one.po, one.action.value): one for one in pos_that_wait(connection, own[0].vendor)}
    return [WaitingRows(found[key], tuple(ids)) for key, ids in wanted.items() if key in found]


def _select() -> sa.Select[Any]:
    return (
        sa.select(
            call.c.id,
            call.c.vendor,
            call_po.c.po,
            call.c.action,
            call.c.state,
            call.c.code,
            call.c.answer,
            call.c.feed,
            call.c.planned_at,
            call.c.file_id,
            file.c.name,
        )
        .join(call_po, call_po.c.call_id == call.c.id)
        .join(file, file.c.id == call.c.file_id)
        .where(call.c.action.in_(_KEEPS), call.c.code != "")
        .where(call.c.state.in_([CallState.WAITING, CallState.SUPERSEDED]))
        .order_by(call.c.id)
    )


@dataclass(frozen=True)
class Carrier:
    """The call that rows of another file went with, or wait with: its state, and its own file's id and name."""

    call_id: int
    state: CallState
    file_id: str
    file_name: str


def carriers_of(connection: sa.Connection, file_id: str) -> dict[int, Carrier]:
    """For each joined call of a file, the call that decides what becomes of its rows."""
    ends = ends_of_joined(connection, file_id)
    found: dict[int, Carrier] = {}
    for call_id, (state, decides) in ends.items():
        of_file, name = connection.execute(
            sa.select(call.c.file_id, file.c.name)
            .outerjoin(file, file.c.id == call.c.file_id)
            .where(call.c.id == decides)
        ).one()
        found[call_id] = Carrier(decides, state, of_file or "", name or "")
    return found


def pos_of_calls(connection: sa.Connection, file_id: str) -> dict[int, list[str]]:
    """The POs that each call of a file is about."""
    found: dict[int, list[str]] = {}
    for call_id, po in connection.execute(
        sa.select(call_po.c.call_id, call_po.c.po)
        .join(call, call.c.id == call_po.c.call_id)
        .where(call.c.file_id == file_id)
        .order_by(call_po.c.call_id, call_po.c.po)
    ):
        found.setdefault(call_id, []).append(po)
    return found
