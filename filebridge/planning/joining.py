"""What a file says of a PO beside what earlier files said of it, and what waits. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Generic, TypeVar

from filebridge.documents.po_rows import PoRow
from filebridge.planning.known_pos import Acknowledged, Shipped, Waiting, units, waiting_record
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
    """`before` is what still waits, in `files`, and is carried along; `lines` is what this file adds to it."""

    before: tuple[Said, ...]
    lines: tuple[Line[Said], ...]
    files: tuple[str, ...]
    joins: tuple[int, ...]
    replaces: tuple[int, ...]

    def whole(self) -> list[Said]:
        """All that is said of the PO now, the oldest first."""
        return list(self.before) + [line.said for line in self.lines]


def join_waiting(
    file: PoFile,
    waits: Sequence[tuple[Waiting, tuple[Said, ...]]],
    lines: Sequence[Line[Said]],
    *,
    room: Mapping[object, int] = MappingProxyType({}),
) -> Joined[Said]:
    """Put what a file says of a PO together with what waits of it.

    A key (a parcel's VPC, an item) is one statement: said again by a later file, it counts once. What waits
    and is said anew as a whole is replaced; where only a part of it is, and differs, those rows are rejected.
    Units of a key in `room` may come in several files: other units of it than wait are added to those, as far
    as the PO has room for both.
    """
    stated = _statements([line.said for line in lines])

    def adds(key: object, told: Mapping[object, int]) -> bool:
        before, now = sum(told.values()), sum(stated[key].values())
        return before != now and before + now <= room.get(key, 0)

    carried: list[Said] = []
    kept: list[Waiting] = []
    replaces: list[int] = []
    again: set[object] = set()
    for waiting, said in waits:
        told = _statements(said)
        if told.keys() <= stated.keys() and not all(adds(key, told[key]) for key in told):
            replaces.append(waiting.call_id)
            continue
        carried += said
        kept.append(waiting)
        for key in told.keys() & stated.keys():
            if adds(key, told[key]):
                continue
            again.add(key)
            if told[key] != stated[key]:
                _reject_conflict(file, lines, key, waiting, told=told[key], stated=stated[key])
    return Joined(
        before=tuple(carried),
        lines=tuple(line for line in lines if line.said.key not in again),
        files=tuple(waiting.file for waiting in kept),
        joins=tuple(waiting.call_id for waiting in kept),
        replaces=tuple(replaces),
    )


def _statements(said: Sequence[Said]) -> dict[object, dict[object, int]]:
    """What is said of each key: units by what else is said of them."""
    found: dict[object, dict[object, int]] = {}
    for one in said:
        of_key = found.setdefault(one.key, {})
        of_key[one.about] = of_key.get(one.about, 0) + one.quantity
    return found


def wait_for_rest(file: PoFile, group: PoGroup, action: Action, joined: Joined[Said], hold: Hold) -> None:
    """Keep what a file adds to a PO; rows that add nothing have the end of what they say again."""
    record = waiting_record(group.po, [line.said for line in joined.lines])
    if joined.lines:
        file.wait(group, group.rows, action, record, hold)
    else:
        file.follow(group, group.rows, action, record, joined.joins[-1], waits=hold)


def _reject_conflict(
    file: PoFile,
    lines: Sequence[Line[Said]],
    key: object,
    waiting: Waiting,
    *,
    told: dict[object, int],
    stated: dict[object, int],
) -> None:
    before, now = sum(told.values()), sum(stated.values())
    what = " in ".join(reversed(key)) if isinstance(key, tuple) else f"item {key}"
    else_said = "another package or ship class" if isinstance(key, tuple) else "another ship date or status"
    differs = f"{units(before)} of {what}, and waits; this file says " + (
        f"the same units with {else_said}" if before == now else units(now)
    )
    message = f"{waiting.file} says {differs}. Drop all rows of the PO again, or discard what waits."
    for row in dict.fromkeys(line.row for line in lines if line.said.key == key):
        value = "" if row.quantity is None else str(row.quantity)
        file.reject(row, "conflicting_rows", message, field="quantity", value=value)
