"""Where the table is on a sheet: its header row and its columns; and how sure that is.

A header is the first row whose columns are the ones that the rows below fill: banners and blocks of facts above
it have cells that the rows below do not, or lack cells that they have.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from filebridge.tables.rows import Row, first_filled, is_blank
from filebridge.tables.table import Kind

HEAD_ROWS: Final = 2000
_CANDIDATES: Final = 50
_BELOW: Final = 60


@dataclass(frozen=True)
class SheetLayout:
    """The header's row (0: none), its cells, the 0-based columns of the table, and how sure that is."""

    header_row: int
    headers: tuple[str, ...]
    columns: tuple[int, ...]
    confidence: float
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Line:
    """A row of the head: which columns are filled, and with what kind."""

    row: int
    cells: Sequence[str]
    filled: dict[int, int]


def holds_table(rows: Sequence[Row]) -> bool:
    """Whether some rows of a sheet look like a table rather than prose: several cells side by side."""
    return sum(sum(1 for cell in cells if cell.strip()) > 1 for _, cells, _ in rows[:200]) > 1


def lay_out(rows: Sequence[Row], header_row: int | None, skip_rows: re.Pattern[str] | None) -> SheetLayout:
    """The layout of a sheet that begins with these rows."""
    lines = [
        _Line(
            row,
            cells,
            {
                at: kinds[at] if kinds else 0
                for at, cell in enumerate(cells)
                if cell.strip() or (kinds and kinds[at])
            },
        )
        for row, cells, kinds in rows
        if not (is_blank(cells) and not (kinds and any(kinds)))
        and not (skip_rows and row != header_row and skip_rows.search(first_filled(cells)))
    ]
    found, confidence, doubts = _find(lines) if header_row is None else (header_row, 1.0, [])
    header = next((line for line in lines if found and line.row == found), None)
    body = [line for line in lines if line.row > found]
    used = {at for line in body for at in line.filled} | (set(header.filled) if header else set())
    columns = tuple(range(min(used), max(used) + 1)) if used else ()
    headers = tuple(_at(header.cells, at) for at in columns) if header else ()
    if header and header_row is None:
        against = _doubts(header, body, used, columns)
        doubts = [*doubts, *against]
        confidence = min(confidence, 0.6) if against else confidence
    return SheetLayout(found, headers, columns, confidence, tuple(doubts))


def _at(cells: Sequence[str], place: int) -> str:
    return cells[place] if place < len(cells) else ""


def _find(lines: Sequence[_Line]) -> tuple[int, float, list[str]]:
    """The header's row, 0 for none, and how sure."""
    if not lines:
        return 0, 1.0, []
    if max(len(line.filled) for line in lines) == 1:
        first = lines[0]
        is_text = set(first.filled.values()) == {Kind.TEXT}
        typed = any(Kind.TEXT not in line.filled.values() for line in lines[1:])
        return (first.row, 0.85 if typed else 0.7, []) if is_text and len(lines) > 1 else (0, 0.8, [])
    scores = [
        (_score(line, lines[place + 1 : place + 1 + _BELOW]), line)
        for place, line in enumerate(lines[:_CANDIDATES])
    ]
    best = max(score for score, _ in scores)
    if best < 0.4:
        return 0, 0.9 if any(Kind.NUMBER in line.filled.values() for line in lines[:1]) else 0.5, []
    place, header = next((at, line) for at, (score, line) in enumerate(scores) if score >= 0.8 * best)
    if place and _spans_all(lines):
        place, header = 0, lines[0]
    above = lines[place - 1] if place else None
    if (
        above
        and above.row == header.row - 1
        and len(above.filled) * 2 > len(header.filled)
        and _is_text(above)
    ):
        return header.row, 0.7, [f"row {header.row} was taken for the header, and it may be row {above.row}"]
    numeric = sum(kind == Kind.NUMBER for kind in header.filled.values())
    return (
        header.row,
        0.75 if numeric else 0.95,
        [f"the header in row {header.row} has numbers in it"] if numeric else [],
    )


def _spans_all(lines: Sequence[_Line]) -> bool:
    """Whether the first row has different names side by side, and no row below it has a cell beyond them.

    Columns that no row fills do not speak against such a header: a form that is partly filled in has them.
    """
    first, *below = lines[: _BELOW + 1]
    names = [first.cells[at].strip().casefold() for at in first.filled]
    return (
        _is_text(first)
        and len(set(names)) == len(names) == max(first.filled) - min(first.filled) + 1
        and all(line.filled.keys() <= first.filled.keys() for line in below)
    )


def _is_text(line: _Line) -> bool:
    return all(kind == Kind.TEXT for kind in line.filled.values())


def _score(line: _Line, below: Sequence[_Line]) -> float:
    """How well a row fits as the header of those below it, from 0 to 1."""
    filled = line.filled
    values = sum(kind not in (Kind.TEXT, Kind.DATE) for kind in filled.values())
    if len(filled) < 2 or values * 3 > len(filled) or not _is_name(line):
        return 0.0
    if not below:
        return 0.5 if _is_text(line) else 0.0
    covered = sum(len(filled.keys() & other.filled.keys()) / len(other.filled) for other in below) / len(
        below
    )
    used = {at for other in below for at in other.filled}
    score = covered * len(filled.keys() & used) / len(filled)
    return score * (1.0 if _is_text(line) else 0.9)


def _is_name(line: _Line) -> bool:
    """Whether a row's first cell is text: a row of values mostly begins with a number or a date otherwise."""
    return line.filled[min(line.filled)] == Kind.TEXT


def _doubts(header: _Line, body: Sequence[_Line], used: set[int], columns: Sequence[int]) -> list[str]:
    """What speaks against a header that was found: two tables side by side, or a second header row."""
    found: list[str] = []
    empty = [at for at in columns if at not in used]
    if any(at + 1 in empty for at in empty):
        found.append("two tables stand side by side on the sheet")
    if len(body) > 1 and _is_text(body[0]) and len(body[0].filled) == len(header.filled):
        typed = [
            at
            for at in header.filled
            if all(line.filled.get(at, Kind.NUMBER) in (Kind.NUMBER, Kind.DATE) for line in body[1:])
            and any(at in line.filled for line in body[1:])
        ]
        if len(typed) > 1:
            found.append(
                f"row {body[0].row}, right below the header, may belong to it (skip it with `skip_rows`)"
            )
    return found
