"""Reading helpers for the tests of this folder."""

from __future__ import annotations

import io
from dataclasses import dataclass, field

import pytest

from filebridge.errors import FileRefused
from filebridge.tables.open import open_table
from filebridge.tables.table import Fault, Kind, ReadHow, ReadOptions, Table


@dataclass
class Whole:
    """A whole table, read into memory."""

    headers: list[str]
    how: ReadHow
    rows: dict[int, list[str]] = field(default_factory=dict)
    kinds: dict[int, list[Kind]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)


def whole(table: Table, columns: list[int] | None = None) -> Whole:
    asked = list(range(len(table.headers))) if columns is None else columns
    found = Whole(list(table.headers), table.how)
    for chunk in table.chunks(asked):
        cells = [column.to_pylist() for column in chunk.cells]
        for place, row in enumerate(chunk.rows.tolist()):
            found.rows[row] = [column[place] for column in cells]
            found.kinds[row] = [Kind.TEXT if kinds is None else Kind(int(kinds[place])) for kinds in chunk.kinds]
        found.faults.extend(chunk.faults)
    found.notes = [note.code for note in table.notes]
    found.messages = [note.message for note in table.notes]
    return found


class Reads:
    """`read(b"…", name=…, header_row=…)` gives a `Whole`; `refused` gives the refusal."""

    def __call__(self, content: bytes, name: str = "stock.csv", **options: object) -> Whole:
        return whole(open_table(io.BytesIO(content), name=name, options=ReadOptions(**options)))  # type: ignore[arg-type]

    def refused(self, content: bytes, name: str = "stock.csv", **options: object) -> FileRefused:
        with pytest.raises(FileRefused) as refusal:
            self(content, name, **options)
        return refusal.value


@pytest.fixture
def read() -> Reads:
    return Reads()
