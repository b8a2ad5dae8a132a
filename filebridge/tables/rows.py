"""From records to chunks: which rows are rows of the table, and the columns that were asked for.

All readers share it, so that blank rows, `skip_rows`, ragged rows and `fill_down` mean the same everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from filebridge.columns import text_column
from filebridge.errors import FileRefused
from filebridge.tables.table import Chunk, Fault, Kinds, ReadOptions

CHUNK_ROWS = 16_384

Cells = Sequence[str]
Row = tuple[int, Cells, bytes | None]
"""Row number, cells, and the kind of each cell; None where all are text."""


def is_blank(cells: Cells) -> bool:
    """Whether no cell holds anything but white space."""
    return not "".join(cells).strip()


def first_filled(cells: Cells) -> str:
    """The first cell that is not blank, stripped; empty where there is none."""
    return next((cell.strip() for cell in cells if cell and not cell.isspace()), "")


def fit(row: int, cells: Cells, width: int) -> Cells | Fault:
    """The cells of a row under a header of `width` columns, or why they do not fit it."""
    count = len(cells)
    if count == width or (count > width and is_blank(cells[width:])):
        return cells[:width]
    found = count if count < width else max(place for place in range(count) if cells[place].strip()) + 1
    return Fault(
        row,
        "ragged_row",
        f"The row has {found} {'cell' if found == 1 else 'cells'}, the header has {width}: "
        "nobody can tell which belongs to which column.",
        tuple(cells),
    )


def loose(header: str) -> str:
    """A header as it is compared: without case, spaces and punctuation."""
    return "".join(mark for mark in header.casefold() if mark.isalnum())


def places_of(names: Sequence[str], headers: Sequence[str]) -> tuple[int, ...]:
    """Where the columns of `fill_down` stand. Raises FileRefused `missing_column` for one that is not there."""
    found = {loose(header): place for place, header in reversed(list(enumerate(headers)))}
    missing = [name for name in names if loose(name) not in found]
    if missing:
        raise FileRefused(
            "missing_column",
            f"`fill_down` names {', '.join(missing)}; the file has {', '.join(headers)}.",
            fix="Restore the header, or correct `fill_down`.",
        )
    return tuple(found[loose(name)] for name in names)


@dataclass
class FillDown:
    """Repeats the cell above in the columns where an empty cell means that.

    Below a ragged row nothing is known of a column until its next filled cell.
    """

    places: tuple[int, ...]
    _above: dict[int, tuple[str, int]] = field(default_factory=dict)
    _lost: dict[int, int] = field(default_factory=dict)

    def lose(self, row: int) -> None:
        """A ragged row stands at `row`."""
        self._lost.update(dict.fromkeys(self.places, row))

    def fill(self, row: int, cells: Cells, kinds: bytes | None) -> tuple[Cells, bytes | None] | Fault:
        """Cells and kinds with what is filled in, or the fault of a row for which nobody knows what is above."""
        filled, of = list(cells), bytearray(kinds or bytes(len(cells)))
        lost = 0
        for place in self.places:
            if filled[place].strip() or of[place]:
                self._above[place] = filled[place], of[place]
                self._lost.pop(place, None)
            elif place in self._lost:
                lost = self._lost[place]
            else:
                filled[place], of[place] = self._above.get(place, ("", 0))
        if not lost:
            return filled, bytes(of)
        message = f"An empty cell means what stands above, and row {lost} above does not fit the header."
        return Fault(row, "ragged_row", message, tuple(cells))


@dataclass
class Sieve:
    """Turns the records below a header into chunks of the asked columns.

    `width` is that of the header; a record that does not fit it is a fault. After a pass, `rows` counts the rows
    of the table, faults included.
    """

    width: int
    columns: Sequence[int]
    skip_rows: re.Pattern[str] | None = None
    fill_down: tuple[int, ...] = ()
    rows: int = 0

    @classmethod
    def of(cls, headers: Sequence[str], columns: Sequence[int], options: ReadOptions) -> Sieve:
        """The sieve of a table with these headers. Raises FileRefused as `places_of` does."""
        return cls(
            width=len(headers),
            columns=columns,
            skip_rows=re.compile(options.skip_rows) if options.skip_rows else None,
            fill_down=places_of(options.fill_down, headers),
        )

    def chunks(self, records: Iterable[Row]) -> Iterator[Chunk]:
        """The chunks of these records, in order."""
        fill = FillDown(self.fill_down) if self.fill_down else None
        batch = Batch(self.columns, self.width)
        for row, found, of in records:
            if len(batch.rows) + len(batch.faults) >= CHUNK_ROWS:
                yield batch.chunk()
                batch = Batch(self.columns, self.width)
            if is_blank(found) and not (of and any(of)):
                continue
            if self.skip_rows and self.skip_rows.search(first_filled(found)):
                continue
            self.rows += 1
            cells, kinds = found, of
            if len(found) != self.width:
                fitted = fit(row, found, self.width)
                if isinstance(fitted, Fault):
                    batch.faults.append(fitted)
                    if fill:
                        fill.lose(row)
                    continue
                cells = fitted
            if fill:
                filled = fill.fill(row, cells, kinds)
                if isinstance(filled, Fault):
                    batch.faults.append(filled)
                    continue
                cells, kinds = filled
            batch.add(row, cells, kinds)
        if batch.rows or batch.faults:
            yield batch.chunk()


class Batch:
    """Rows gathered for one chunk, each as wide as the header."""

    def __init__(self, columns: Sequence[int], width: int) -> None:
        self._columns = columns
        self._width = width
        self.rows: list[int] = []
        self.faults: list[Fault] = []
        self._cells: list[Cells] = []
        self._kinds: list[bytes | None] = []

    def add(self, row: int, cells: Cells, kinds: bytes | None) -> None:
        """One row of the table."""
        self.rows.append(row)
        self._cells.append(cells)
        self._kinds.append(kinds)

    def chunk(self) -> Chunk:
        """What was gathered."""
        columns = list(zip(*self._cells, strict=True)) or [()] * self._width
        return Chunk(
            rows=np.array(self.rows, dtype=np.int32),
            cells=tuple(text_column(columns[place]) for place in self._columns),
            kinds=self._kinds_of_columns(),
            faults=tuple(self.faults),
        )

    def _kinds_of_columns(self) -> tuple[Kinds | None, ...]:
        if not any(self._kinds):
            return (None,) * len(self._columns)
        all_text = bytes(self._width)
        joined = b"".join(kinds or all_text for kinds in self._kinds)
        table = np.frombuffer(joined, dtype=np.uint8).reshape(len(self._kinds), self._width)
        found = [np.ascontiguousarray(table[:, place]) for place in self._columns]
        return tuple(kinds if kinds.any() else None for kinds in found)
