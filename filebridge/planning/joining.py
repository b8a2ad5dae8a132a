"""What a file says of a PO beside what earlier files said of it, and what waits. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from filebridge.documents.po_rows import PoRow
from filebridge.planning.known_pos import Acknowledged, Shipped, Waiting, summed, units, waiting_record
from filebridge.planning.plan import Action, Hold
from filebridge.planning.po_file import PoFile, PoGroup

Said = TypeVar("Said", Shipped, Acknowledged)


@dataclass(frozen=True, slots=True)
class Line(Generic[Said]):
    """What one row says of one item."""

    row: PoRow
    said: Said


@dataclass(frozen=True)
class Joined(Generic[Said]):
    """`before` is what still waits and is carried along, `lines` what this file adds to it."""

    before: tuple[Said, ...]
    lines: tuple[Line[Said], ...]
    joins: tuple[int, ...]
    replaces: tuple[int, ...]

    def whole(self) -> list[Said]:
        """All that is said of the PO now, the oldest first."""
        return list(self.before) + [line.said for line in self.lines]


def join_waiting(
    file: PoFile, waits: Sequence[tuple[Waiting, tuple[Said, ...]]], lines: Sequence[Line[Said]]
) -> Joined[Said]:
    """Put what a file says of a PO together with what waits of it.

    A key (a parcel's VPC, an item) is one statement: said again by a later file, it counts once. What waits
    and is said anew as a whole is replaced; where only a part of it is, and differs, those rows are rejected.
    """
    stated = summed((line.said.key, line.said.quantity) for line in lines)
    before: list[Said] = []
    joins: list[int] = []
    replaces: list[int] = []
    again: set[object] = set()
    for waiting, said in waits:
        told = summed((one.key, one.quantity) for one in said)
        if told.keys() <= stated.keys():
            replaces.append(waiting.call_id)
            continue
        before += said
        joins.append(waiting.call_id)
        for key in told.keys() & stated.keys():
            again.add(key)
            if told[key] != stated[key]:
                _reject_conflict(file, lines, key, f"{waiting.file} says {units(told[key])}", stated[key])
    kept = tuple(line for line in lines if line.said.key not in again)
    return Joined(tuple(before), kept, tuple(joins), tuple(replaces))


def wait_for_rest(file: PoFile, group: PoGroup, action: Action, joined: Joined[Said], hold: Hold) -> None:
    """Keep what a file adds to a PO; rows that add nothing have the end of what they say again."""
    record = waiting_record(group.po, [line.said for line in joined.lines])
    if joined.lines:
        file.wait(group, group.rows, action, record, hold)
    else:
        file.follow(group, group.rows, action, record, joined.joins[-1], waits=hold)


def _reject_conflict(file: PoFile, lines: Sequence[Line[Said]], key: object, waits: str, stated: int) -> None:
    what = " in ".join(reversed(key)) if isinstance(key, tuple) else f"item {key}"
    message = (
        f"{waits} of {what}, and waits; this file says {units(stated)}. Drop all rows of the PO again, or discard "
        "what waits."
    )
    for row in dict.fromkeys(line.row for line in lines if line.said.key == key):
        value = "" if row.quantity is None else str(row.quantity)
        file.reject(row, "conflicting_rows", message, field="quantity", value=value)
