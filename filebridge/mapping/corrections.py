"""A reject file that comes back: its `fb_` columns are not data, only its rows run (DESIGN section 9).

What a person changed stays changed; what a spreadsheet merely spelled anew is read from the archived original,
with its kind; and damage stays damage: dropped back unchanged, every row is refused again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from filebridge.columns import text_column
from filebridge.errors import FileRefused
from filebridge.mapping.corrected_cell import NO_CELL, Cell, of_marked, of_unmarked
from filebridge.mapping.reject_form import (
    FB_COLUMN,
    FB_FILE,
    FB_REST,
    FB_ROW,
    NAMES,
    WORKBOOKS,
    fb_places,
    form_of,
    named_columns,
)
from filebridge.rejects import Note
from filebridge.tables.rows import loose
from filebridge.tables.table import Chunk, Fault, Kind, Kinds, ReadHow, ReadOptions, Table

_OriginalRow = tuple[Cell, ...]
"""A row of the original: one cell for each column that was asked for."""


def is_correction(headers: Sequence[str]) -> bool:
    """Whether a file with these headers is a reject file that comes back, known by its `fb_` columns."""
    found = fb_places(headers)
    return FB_FILE in found or len(found) > 1


def reading_of(dropped: ReadHow, original: ReadHow) -> ReadOptions:
    """How to read a dropped-back reject file, of which only detection is known, given how its original is read.

    Text that is plainly Unicode is; else it is in the encoding of the original, in which the reject file was
    written. It has the quotes of the original, unless a spreadsheet has saved it in another form.
    """
    if dropped.format in WORKBOOKS:
        return ReadOptions(format=dropped.format, sheet=dropped.sheet or None, header_row=dropped.header_row)
    form = form_of(original)
    as_written = (dropped.delimiter, dropped.line_end) == (form.delimiter, form.line_end)
    is_unicode = dropped.encoding.startswith("utf") or not form.encoding
    return ReadOptions(
        encoding=None if is_unicode else form.encoding,
        delimiter=dropped.delimiter,
        quote=(form.quote or "none") if as_written and form.quote != '"' else None,
        escape=form.escape or None if as_written else None,
        header_row=dropped.header_row,
    )


@dataclass(frozen=True)
class CorrectionTable:
    """A dropped-back reject file as a `Table` of its original's columns.

    `headers` are those of the original, except where the person renamed one; a column that the person added
    follows them. Row numbers are those of the dropped file. `file_ids` are the files that its rows came from:
    it keeps their time, counts as changes and meets no guard.
    """

    file_ids: tuple[str, ...]
    headers: tuple[str, ...]
    dropped: Table
    originals: Mapping[str, Table]
    our_places: Mapping[str, int]
    places: tuple[int | None, ...]
    """Where each column stands in the dropped file; None for one that the person deleted."""
    known_names: tuple[str, ...]
    """Headers of the original: what `fb_column` may name. Columns beyond them are the person's own."""

    @property
    def how(self) -> ReadHow:
        return self.dropped.how

    @property
    def notes(self) -> tuple[Note, ...]:
        return self.dropped.notes

    def chunks(self, columns: Sequence[int]) -> Iterator[Chunk]:
        """The asked columns of the dropped rows, each cell as typed or as its original has it."""
        asked = [place for column in columns if (place := self.places[column]) is not None]
        extra = [
            self.our_places[name] for name in (FB_ROW, FB_COLUMN, FB_FILE, FB_REST) if name in self.our_places
        ]
        wanted = list(dict.fromkeys([*asked, *extra]))
        known = [column for column in columns if column < len(self.known_names)]
        rows = {file_id: _RowsInStep(original, known) for file_id, original in self.originals.items()}
        for chunk in self.dropped.chunks(wanted):
            yield _Chunk(self, chunk, columns, wanted, known).resolved(rows)


@dataclass(frozen=True)
class _Chunk:
    """One chunk of the dropped file on its way to being resolved."""

    table: CorrectionTable
    chunk: Chunk
    columns: Sequence[int]
    wanted: Sequence[int]
    known: Sequence[int]

    def resolved(self, sources: Mapping[str, _RowsInStep]) -> Chunk:
        """The chunk with every cell decided."""
        ids, numbers = self._file_ids(), [_row_number(text) for text in self._texts(FB_ROW)]
        originals: list[_OriginalRow | None] = [None] * len(numbers)
        for file_id, source in sources.items():
            mine = [place for place, found in enumerate(ids) if found == file_id and numbers[place]]
            got = source.rows({numbers[place] for place in mine})
            for place in mine:
                originals[place] = got.get(numbers[place])
        rest = self._texts(FB_REST)
        named = self._texts(FB_COLUMN)
        places = {text: named_columns(text, self.table.known_names) for text in set(named)}
        marked = [places[text] for text in named]
        faults = list(self.chunk.faults)
        kept: list[int] = []
        for place, surplus in enumerate(rest):
            if surplus.strip():
                faults.append(self._ragged(place, surplus))
            else:
                kept.append(place)
        cells = [self._column(column, kept, originals, marked) for column in self.columns]
        return Chunk(
            rows=self.chunk.rows[np.array(kept, dtype=np.intp)],
            cells=tuple(text_column([cell.text for cell in column]) for column in cells),
            kinds=tuple(_kinds_of(column) for column in cells),
            faults=tuple(sorted(faults, key=lambda fault: fault.row)),
        )

    def _column(
        self,
        column: int,
        kept: Sequence[int],
        originals: Sequence[_OriginalRow | None],
        marked: Sequence[frozenset[int]],
    ) -> list[Cell]:
        typed = self._typed(column)
        at = self.known.index(column) if column in self.known else None
        is_text = self.table.how.format not in WORKBOOKS
        cells = []
        for place in kept:
            original = originals[place]
            if at is None or original is None:
                cells.append(typed[place] if typed else NO_CELL)
            elif typed is None:
                cells.append(original[at])
            elif column in marked[place]:
                cells.append(of_marked(typed[place], original[at], is_text=is_text))
            else:
                cells.append(of_unmarked(typed[place], original[at]))
        return cells

    def _typed(self, column: int) -> list[Cell] | None:
        """The cells of a column as the dropped file has them; None where it lacks the column."""
        place = self.table.places[column]
        if place is None:
            return None
        at = self.wanted.index(place)
        texts, kinds = self.chunk.cells[at].to_pylist(), self.chunk.kinds[at]
        if kinds is None:
            return [Cell(text, Kind.TEXT) for text in texts]
        return [Cell(text, int(kind)) for text, kind in zip(texts, kinds, strict=True)]

    def _texts(self, name: str) -> list[str]:
        place = self.table.our_places.get(name)
        if place is None:
            return [""] * len(self.chunk.rows)
        texts: list[str] = self.chunk.cells[self.wanted.index(place)].to_pylist()
        return texts

    def _file_ids(self) -> list[str]:
        """The file that each row came from. Where all came from one, a row need not repeat it."""
        only = self.table.file_ids[0] if len(self.table.file_ids) == 1 else ""
        return [text.strip() or only for text in self._texts(FB_FILE)]

    def _ragged(self, place: int, surplus: str) -> Fault:
        cells = [typed[place].text for column in self.columns if (typed := self._typed(column))]
        return Fault(
            int(self.chunk.rows[place]),
            "ragged_row",
            f"`{FB_REST}` still holds {surplus[:80]!r}: put what belongs to the row into its columns, then empty it.",
            (*cells, surplus),
        )


def _kinds_of(cells: Sequence[Cell]) -> Kinds | None:
    kinds = np.fromiter((cell.kind for cell in cells), dtype=np.uint8, count=len(cells))
    return kinds if kinds.any() else None


def _row_number(text: str) -> int:
    """The row that `fb_row` names, however a spreadsheet wrote it; 0 for a row that a person added."""
    whole, _, fraction = text.strip().partition(".")
    return int(whole) if whole.isdecimal() and len(whole) < 10 and not fraction.strip("0") else 0


class _RowsInStep:
    """Rows of an original by number, read once from start to end while they are asked for in rising order.

    Rows that were sorted otherwise cost a further pass for each chunk, never memory.
    """

    def __init__(self, table: Table, columns: Sequence[int]) -> None:
        self._table = table
        self._columns = columns
        self._chunks: Iterator[Chunk] = iter(())
        self._chunk: Chunk | None = None
        self._is_started = False

    def rows(self, numbers: set[int]) -> dict[int, _OriginalRow]:
        """Those of these rows that the original has."""
        if not numbers:
            return {}
        found: dict[int, _OriginalRow] = {}
        first, last = min(numbers), max(numbers)
        if not self._is_started or self._chunk is None or _first_row(self._chunk) > first:
            self._chunks = self._table.chunks(self._columns)
            self._chunk = next(self._chunks, None)
            self._is_started = True
        while self._chunk is not None:
            found.update(self._of_chunk(self._chunk, numbers))
            if _last_row(self._chunk) >= last:
                break
            self._chunk = next(self._chunks, None)
        return found

    def _of_chunk(self, chunk: Chunk, numbers: set[int]) -> Iterator[tuple[int, _OriginalRow]]:
        places = np.flatnonzero(np.isin(chunk.rows, np.fromiter(numbers, dtype=np.int64, count=len(numbers))))
        texts = [column.to_pylist() for column in chunk.cells] if len(places) else []
        for place in places:
            cells = (
                Cell(text[place], Kind.TEXT if kinds is None else int(kinds[place]))
                for text, kinds in zip(texts, chunk.kinds, strict=True)
            )
            yield int(chunk.rows[place]), tuple(cells)
        for fault in chunk.faults:
            if fault.row in numbers:
                cells = (
                    Cell(fault.cells[column], Kind.TEXT) if column < len(fault.cells) else NO_CELL
                    for column in self._columns
                )
                yield fault.row, tuple(cells)


def _first_row(chunk: Chunk) -> int:
    return min([int(row) for row in chunk.rows[:1]] + [fault.row for fault in chunk.faults], default=0)


def _last_row(chunk: Chunk) -> int:
    return max([int(row) for row in chunk.rows[-1:]] + [fault.row for fault in chunk.faults], default=0)


def original_ids(table: Table) -> tuple[str, ...]:
    """Ids of the files that the rows of a dropped-back reject file came from, in the order of the rows.

    Raises FileRefused `unknown_reject_file` where the file does not say.
    """
    places = fb_places(table.headers)
    if FB_FILE not in places:
        raise _unknown(
            f"The file has {', '.join(places)} as a reject file does, but no column {FB_FILE}: "
            "nobody can tell which file its rows came from."
        )
    ids: dict[str, None] = {}
    for chunk in table.chunks([places[FB_FILE]]):
        ids.update(
            dict.fromkeys(text.strip() for text in chunk.cells[0].unique().to_pylist() if text.strip())
        )
    if not ids:
        raise _unknown(f"The column {FB_FILE} is empty: nobody can tell which file the rows came from.")
    return tuple(ids)


def correction_of(table: Table, originals: Mapping[str, Table]) -> CorrectionTable:
    """A dropped-back reject file as a table of its original's columns.

    `originals` are the archived files as the tables that their rows were mapped from, by id (`original_ids`
    tells which); one that was a correction itself is a `CorrectionTable` again. Raises FileRefused
    `unknown_reject_file` where `fb_file` names one that is not among them, or files with different columns.
    """
    ids = original_ids(table)
    for file_id in ids:
        if file_id not in originals:
            raise _unknown(
                f"{FB_FILE} says {file_id[:40]!r}, and this vendor has no file of that id in the archive."
            )
    found = {file_id: originals[file_id] for file_id in ids}
    places = fb_places(table.headers)
    headers = _common_headers(found)
    columns = [(place, header) for place, header in enumerate(table.headers) if loose(header) not in NAMES]
    where, extra = _match(headers, columns)
    spelled = tuple(
        header if place is None else _header(header, table.headers[place])
        for header, place in zip(headers, where, strict=True)
    )
    return CorrectionTable(
        file_ids=tuple(found),
        headers=(*spelled, *(header for _, header in extra)),
        dropped=table,
        originals=found,
        our_places=places,
        places=(*where, *(place for place, _ in extra)),
        known_names=headers,
    )


def _header(original: str, dropped: str) -> str:
    return original if loose(original) == loose(dropped) else dropped


def _common_headers(originals: Mapping[str, Table]) -> tuple[str, ...]:
    (first_id, first), *others = originals.items()
    for file_id, other in others:
        if other.headers != first.headers:
            raise _unknown(
                f"The rows come from the files {first_id} and {file_id}, which have different columns: "
                f"{', '.join(first.headers)}; and {', '.join(other.headers)}.",
                fix="Drop back the reject file of each on its own.",
            )
    return first.headers


def _match(
    headers: Sequence[str], columns: Sequence[tuple[int, str]]
) -> tuple[list[int | None], list[tuple[int, str]]]:
    """Where each header of the original stands among the dropped columns, and the columns that are new.

    By name, repeated ones in their order; what is left over on both sides in equal number was renamed.
    """
    waiting: dict[str, list[int]] = {}
    for place, header in columns:
        waiting.setdefault(loose(header), []).append(place)
    where: list[int | None] = [
        waiting[loose(header)].pop(0) if waiting.get(loose(header)) else None for header in headers
    ]
    taken = {place for place in where if place is not None}
    left = [(place, header) for place, header in columns if place not in taken]
    gone = [at for at, place in enumerate(where) if place is None]
    if len(gone) == len(left):
        for at, (place, _) in zip(gone, left, strict=True):
            where[at] = place
        left = []
    return where, [(place, header) for place, header in left if header.strip()]


def _unknown(message: str, *, fix: str = "") -> FileRefused:
    return FileRefused(
        "unknown_reject_file",
        message,
        fix=fix or "Drop the reject file with all its fb_ columns, or the original file, corrected.",
    )
