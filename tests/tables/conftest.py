"""Reading helpers for the tests of this folder."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from filebridge.errors import FileRefused
from filebridge.tables.open import open_table
from filebridge.tables.table import Fault, Kind, ReadHow, ReadOptions, Table

Cells = Sequence[str | None]


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

    @property
    def codes(self) -> set[str]:
        """The codes of all that was found fault with, cells included."""
        kinds = {kind for row in self.kinds.values() for kind in row}
        found = {fault.code for fault in self.faults} | set(self.notes)
        found |= {"error_cell"} if Kind.ERROR in kinds else set()
        return found | ({"formula_without_value"} if Kind.NO_VALUE in kinds else set())


def whole(table: Table, columns: list[int] | None = None) -> Whole:
    asked = list(range(len(table.headers))) if columns is None else columns
    found = Whole(list(table.headers), table.how)
    for chunk in table.chunks(asked):
        cells = [column.to_pylist() for column in chunk.cells]
        for place, row in enumerate(chunk.rows.tolist()):
            found.rows[row] = [column[place] for column in cells]
            found.kinds[row] = [
                Kind.TEXT if kinds is None else Kind(int(kinds[place])) for kinds in chunk.kinds
            ]
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


def options_of(settings: str) -> ReadOptions:
    """The `read:` keys of a manifest's line."""
    keys = json.loads(settings) if settings else {}
    if "header_row" in keys:
        keys["header_row"] = 0 if keys["header_row"] == "none" else int(keys["header_row"])
    if "columns" in keys:
        keys["columns"] = {name: tuple(map(int, span.split("-"))) for name, span in keys["columns"].items()}
    if "sheet" in keys:
        keys["sheet"] = str(keys["sheet"])
    return ReadOptions(**{**keys, "fill_down": tuple(keys.get("fill_down", ()))})


def without_bare_edges(
    headers: Cells, rows: Sequence[Cells]
) -> tuple[list[str | None], list[list[str | None]]]:
    """Headers and rows without edge columns that have neither header nor values: they may be left out."""
    table = [list(headers), *map(list, rows)]
    for edge in (-1, 0):
        while table[0] and all(len(row) and not (row[edge] or "").strip() for row in table):
            table = [row[:-1] if edge else row[1:] for row in table]
    return table[0], table[1:]


class Judge:
    """Holds one file of a corpus against its verdict: an empty answer says that it is right."""

    def __call__(
        self, path: Path, verdict: str, settings: str, expect: Mapping[str, Sequence[Cells]] | None
    ) -> str:
        try:
            with path.open("rb") as stream:
                found = whole(open_table(stream, name=path.name, options=options_of(settings)))
        except FileRefused as refusal:
            is_right = verdict in ("ask", "survive") or refusal.code in verdict.removeprefix("refuse:").split(
                "|"
            )
            return "" if is_right else f"refused: {refusal.code}: {refusal}"
        if verdict.startswith("refuse:"):
            return "" if found.codes & set(verdict.removeprefix("refuse:").split("|")) else f"read: {found}"
        if verdict == "ask":
            return "" if found.how.confidence < 0.8 or found.notes or found.faults else f"sure: {found}"
        return "" if expect is None else self._difference(found, expect)

    def _difference(self, found: Whole, expect: Mapping[str, Sequence[Cells]]) -> str:
        if found.faults:
            return f"faults: {found.faults[:3]}"
        headers, rows = without_bare_edges(found.headers, list(found.rows.values()))
        wanted_headers, wanted_rows = without_bare_edges(expect["headers"], expect["rows"])  # type: ignore[arg-type]
        if headers != wanted_headers or len(rows) != len(wanted_rows):
            return f"{headers} with {len(rows)} rows, not {wanted_headers} with {len(wanted_rows)}"
        for row, wanted in zip(rows, wanted_rows, strict=True):
            pairs = zip(row, wanted, strict=True)
            if len(row) != len(wanted) or any(cell != other for cell, other in pairs if other is not None):
                return f"{row}, not {wanted}"
        return ""


@pytest.fixture
def judge() -> Judge:
    return Judge()
