"""A small real Table over lists, a sink in memory, and `mapped`, which maps such a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from filebridge.columns import Batch, text_column
from filebridge.mapping.apply import map_table
from filebridge.mapping.mapped import BY_RECORD, MappedFile
from filebridge.mapping.model import Mapping as FeedMapping
from filebridge.outcomes import OUTCOME_BY_CODE
from filebridge.rejects import Note
from filebridge.tables.table import Chunk, Fault, Kind, ReadHow

ARRIVED = datetime(2026, 11, 23, 18, 30, tzinfo=UTC)


def micros(moment: datetime) -> int:
    """Microseconds since the epoch."""
    return round(moment.timestamp() * 1_000_000)


Cell = str | tuple[str, Kind]


@dataclass(frozen=True)
class ListTable:
    """A Table over rows of cells; the first row of cells is row 2. A row that is a Fault is one."""

    headers: tuple[str, ...]
    cells: Sequence[Sequence[Cell] | Fault]
    chunk_rows: int = 3
    header_row: int = 1
    rows: Sequence[int] | None = None

    @property
    def how(self) -> ReadHow:
        return ReadHow(format="csv", header_row=self.header_row)

    @property
    def notes(self) -> tuple[Note, ...]:
        return ()

    def chunks(self, columns: Sequence[int]) -> Iterator[Chunk]:
        numbered = list(zip(self.rows or range(2, len(self.cells) + 2), self.cells, strict=True))
        for first in range(0, len(numbered), self.chunk_rows):
            part = numbered[first : first + self.chunk_rows]
            good = [(row, cells) for row, cells in part if not isinstance(cells, Fault)]
            split = [
                [
                    cells[place] if isinstance(cells[place], tuple) else (cells[place], Kind.TEXT)
                    for _, cells in good
                ]
                for place in columns
            ]
            yield Chunk(
                rows=np.array([row for row, _ in good], dtype=np.int32),
                cells=tuple(text_column([text for text, _ in column]) for column in split),
                kinds=tuple(
                    np.array([kind for _, kind in column], dtype=np.uint8)
                    if any(kind for _, kind in column)
                    else None
                    for column in split
                ),
                faults=tuple(cells for _, cells in part if isinstance(cells, Fault)),
            )


@dataclass
class ListSink:
    """A RecordSink that keeps what it is given."""

    batches: list[Batch] = field(default_factory=list)
    rejected: list[Batch] = field(default_factory=list)
    restarts: int = 0
    replaced: int = 0

    def records(self, batch: Batch) -> None:
        self.batches.append(batch)

    def rejects(self, batch: Batch) -> None:
        self.rejected.append(batch)

    def restart(self) -> None:
        self.batches, self.rejected = [], []
        self.restarts += 1

    def reread(self) -> Iterator[Batch]:
        yield from self.batches

    def replace(self, batches: Iterator[Batch]) -> None:
        self.batches = list(batches)
        self.replaced += 1


@dataclass(frozen=True)
class Mapped:
    """A mapped file, its records and rejects as Python values."""

    file: MappedFile
    sink: ListSink

    @property
    def records(self) -> list[dict[str, Any]]:
        return [record for batch in self.sink.batches for record in batch.to_pylist()]

    @property
    def quantities(self) -> dict[str, int]:
        return {record["vpc"]: record["quantity"] for record in self.records}

    @property
    def rejects(self) -> list[dict[str, Any]]:
        found = [reject for batch in self.sink.rejected for reject in batch.to_pylist()]
        return sorted(found, key=lambda reject: reject["row"])

    @property
    def codes(self) -> dict[int, list[str]]:
        """The codes of each rejected row."""
        found: dict[int, list[str]] = {}
        for reject in self.rejects:
            found.setdefault(reject["row"], []).append(reject["code"])
        return found

    @property
    def outcomes(self) -> dict[int, str | int]:
        """For each row its outcome, or the number of its record."""
        rows, outcomes, records = self.file.runs.rows()
        return {
            int(row): int(record) if outcome == BY_RECORD else OUTCOME_BY_CODE[outcome].value
            for row, outcome, record in zip(rows, outcomes, records, strict=True)
        }


Map = Callable[..., Mapped]


@pytest.fixture
def mapped() -> Map:
    """Maps rows of cells under headers `SKU, Qty, …` by a mapping given as keyword arguments."""

    def map_rows(
        cells: Sequence[Sequence[Cell] | Fault],
        *,
        headers: tuple[str, ...] = ("SKU", "Qty"),
        fields: Mapping[str, Any] | None = None,
        vendor_zone: str = "America/Denver",
        file_name: str = "inventory.csv",
        arrived: datetime = ARRIVED,
        table: ListTable | None = None,
        chunk_rows: int = 3,
        rows: Sequence[int] | None = None,
        **mapping: Any,
    ) -> Mapped:
        feed = FeedMapping(
            document="inventory", fields={"vpc": "SKU", "quantity": "Qty", **(fields or {})}, **mapping
        )
        sink = ListSink()
        file = map_table(
            table or ListTable(headers, cells, chunk_rows, rows=rows),
            feed=feed,
            vendor_id="27",
            vendor_zone=vendor_zone,
            file_name=file_name,
            arrived_at=micros(arrived),
            sink=sink,
        )
        return Mapped(file, sink)

    return map_rows
