"""What stands between cells, and where the header is; and how sure that is.

A bounded head of the text is read with each delimiter that may be meant. The one under which most rows have the
same width wins; a rival that does as well makes it unsure. Never a guess in silence: below 0.8 it is said.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from filebridge.errors import FileRefused
from filebridge.tables.delimited import Dialect, Records
from filebridge.tables.rows import is_blank

HEAD: Final = 64 * 1024
"""Characters that detection looks at, more where they are less than three lines."""
_DELIMITERS: Final = (",", ";", "\t", "|", "^")
_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_SEPARATOR_LINE: Final = re.compile(r"sep=(.)(?:\r\n|\r|\n|$)", re.IGNORECASE)
_NUMERIC: Final = re.compile(r"[-+(]?[$€£]?\s?[\d.,:/ %+eE)-]*\d[\d.,:/ %)TZ+-]*[$€£]?")


@dataclass(frozen=True)
class Layout:
    """How a delimited text is laid out. `width` is that of most rows, `header_row` 0 where there is none."""

    dialect: Dialect
    headers: tuple[str, ...]
    header_row: int
    width: int
    separator_line: bool
    confidence: float
    detected: tuple[str, ...]
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Trial:
    """The head read with one dialect. `rows` are (row, cells), blank ones left out."""

    dialect: Dialect
    rows: Sequence[tuple[int, list[str]]]
    width: int
    refused: FileRefused | None

    @property
    def share(self) -> float:
        """How many of the rows are as wide as most."""
        return sum(len(cells) == self.width for _, cells in self.rows) / max(len(self.rows), 1)


@dataclass(frozen=True)
class Head:
    """The first lines of a text, with their ends; `whole` says that there are no others."""

    lines: Sequence[str]
    whole: bool


def head_of(text: str, *, whole: bool) -> Head:
    """The head in some characters; the last line, which may be cut, is left out unless they are the `whole`."""
    lines = _LINE.findall(text)
    return Head(lines if whole or len(lines) < 2 else lines[:-1], whole)


def line_end_of(lines: Sequence[str]) -> str:
    """The line end of the first line; LF where there is none."""
    first = lines[0] if lines else ""
    return first[len(first.rstrip("\r\n")) :][:2] or "\n"


def detect_layout(head: Head, declared: Dialect, known: frozenset[str], header_row: int | None) -> Layout:
    """The layout of the text that begins so. `known` names the keys of `declared` that were declared.

    Raises FileRefused `empty_file` where there is no filled cell, and what the only possible reading raises.
    """
    lines = head.lines
    separator = _SEPARATOR_LINE.match(lines[0]) if lines and declared.delimiter else None
    body = Head(lines[1:] if separator else lines, head.whole)
    trials = _trials(body, declared, known, separator[1] if separator else "")
    best = trials[0]
    if best.refused and not best.rows:
        raise best.refused
    if any(not trial.rows and not trial.refused for trial in trials):
        raise FileRefused("empty_file", "The file has no filled cell.", fix="Export it again.")
    found, header_confidence = (
        (header_row, 1.0) if header_row is not None else find_header(best.rows, best.width)
    )
    is_told = "delimiter" in known or separator is not None
    below = replace(best, rows=[(row, cells) for row, cells in best.rows if row >= found])
    confidence, doubts = (1.0, ()) if is_told else _how_sure(below, trials)
    headers = next((tuple(cells) for row, cells in best.rows if row == found), ()) if found else ()
    while len(headers) > best.width and not headers[-1].strip():
        headers = headers[:-1]
    if header_confidence < 0.8:
        doubts = (*doubts, "it is not plain which row is the header")
    keys = [key for key in ("delimiter", "quote") if key not in known] + (
        [] if header_row is not None else ["header_row"]
    )
    return Layout(
        dialect=best.dialect,
        headers=headers,
        header_row=found,
        width=best.width,
        separator_line=separator is not None,
        confidence=min(confidence, header_confidence),
        detected=tuple(keys),
        doubts=doubts,
    )


def _trials(body: Head, declared: Dialect, known: frozenset[str], separator: str) -> list[_Trial]:
    """The head under each dialect that may be meant, the best first."""
    fixed = declared.delimiter if "delimiter" in known else separator
    trials = []
    for delimiter in (fixed,) if fixed else _DELIMITERS:
        if delimiter in (declared.quote, declared.escape) or delimiter == declared.comment[:1]:
            continue
        dialect = replace(declared, delimiter=delimiter)
        trials.append(_try(body, dialect))
    trials.sort(key=_rank, reverse=True)
    if trials[0].width == 1:
        # One column is what remains when the delimiter that is meant was refused for its quotes.
        for trial in trials:
            if trial.refused and any(trial.dialect.delimiter in line for line in body.lines):
                raise trial.refused
    return trials


def _try(body: Head, dialect: Dialect) -> _Trial:
    rows: list[tuple[int, list[str]]] = []
    refused = None
    try:
        rows.extend((row, cells) for row, cells in Records(body.lines, dialect) if not is_blank(cells))
    except FileRefused as refusal:
        # The end of a head may lie within quotes.
        refused = refusal if _is_of_text(body, refusal) else None
    widths = Counter(len(cells) for _, cells in rows)
    width = max(widths, key=lambda width: (widths[width], width), default=0)
    return _Trial(dialect, rows, width, refused)


def _is_of_text(body: Head, refusal: FileRefused) -> bool:
    """Whether a refusal is one of the text and not of having seen only its head."""
    return body.whole or refusal.code != "incomplete_file"


def _rank(trial: _Trial) -> tuple[float, ...]:
    """A table before one column, regular before irregular, whole before broken, wide before narrow."""
    share = trial.share
    return (trial.width > 1, round(share, 1), trial.refused is None, round(share, 2), trial.width)


def _how_sure(best: _Trial, trials: Sequence[_Trial]) -> tuple[float, tuple[str, ...]]:
    """How sure a delimiter is, and why not surer. `best` has the rows from the header on."""
    if best.width == 1:
        prose = any(len(cells) == 1 and cells[0].count(" ") > 8 for _, cells in best.rows)
        torn = any(len(cells) > 1 for trial in trials for _, cells in trial.rows)
        if prose or torn:
            return 0.5, ("no delimiter fits the lines",)
        return 0.9, ()
    if best.share < 0.7:
        return 0.5, (f"only {best.share:.0%} of the rows have the same number of cells",)
    if len(best.rows) == 1 and any(cell.count(" ") > 6 for cell in best.rows[0][1]):
        return 0.5, ("one line of text is no table",)
    rivals = [
        trial
        for trial in trials[1:]
        if trial.refused is None
        and trial.width > 1
        and trial.share >= best.share
        and trial.width >= best.width
    ]
    if rivals:
        return 0.6, (f"the delimiter may be {best.dialect.delimiter!r} or {rivals[0].dialect.delimiter!r}",)
    return 0.95, ()


def is_numeric(cell: str) -> bool:
    """Whether a cell looks like a value rather than a name: a number, an amount, a date or a time."""
    return bool(_NUMERIC.fullmatch(cell.strip()))


def find_header(rows: Sequence[tuple[int, Sequence[str]]], width: int) -> tuple[int, float]:
    """The row of the header, 0 for none, and how sure: the first row as wide as most that looks like one."""
    if len(rows) > 1 and _is_too_wide(rows[0][1], rows[1][1], width):
        return rows[0][0], 0.6
    for place, (row, cells) in enumerate(rows[:50]):
        filled = [cell for cell in cells if cell.strip()]
        is_wide = len(cells) == width or (len(cells) > width and is_blank(cells[width:]))
        if not is_wide and not _narrow_header(cells, width, rows[place + 1 :]):
            continue
        if width > 1 and len(filled) < max(2, (min(len(cells), width) + 1) // 2):
            continue
        return _judge(row, filled, rows[place + 1 :])
    return 0, 0.5


def _is_too_wide(first: Sequence[str], second: Sequence[str], width: int) -> bool:
    """Whether the first row names more columns than the rows have, which begin right below it."""
    names = [cell for cell in first if cell.strip()]
    return (
        len(names) > width > 1
        and len(second) == width
        and not any(map(is_numeric, names))
        and any(map(is_numeric, second))
    )


def _narrow_header(cells: Sequence[str], width: int, below: Sequence[tuple[int, Sequence[str]]]) -> bool:
    """Whether a row narrower than most is a header all the same, since what it lacks is empty in every row."""
    count = len(cells)
    return 1 < count < width and bool(below) and all(is_blank(found[count:]) for _, found in below)


def _judge(row: int, filled: Sequence[str], below: Sequence[tuple[int, Sequence[str]]]) -> tuple[int, float]:
    """Whether the first row of full width is a header or already a row of the table."""
    numeric = sum(map(is_numeric, filled))
    if numeric and numeric * 2 >= len(filled):
        return 0, 0.9
    if numeric:
        return row, 0.6
    if any(re.search(r"\d", cell) for cell in filled) and _is_like(filled, below):
        return 0, 0.85
    typed = any(is_numeric(cell) for _, cells in below[:50] for cell in cells)
    return row, 0.95 if typed else 0.8


def _is_like(filled: Sequence[str], below: Sequence[tuple[int, Sequence[str]]]) -> bool:
    """Whether the first row's cells have the very shapes of those below it: digits where they have digits."""
    return bool(below) and all(_shape(cells[0]) == _shape(filled[0]) for _, cells in below[:20] if cells)


def _shape(cell: str) -> str:
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "9", cell.strip()))
