"""How a file is cut up on its way, into chunks and into calls, changes nothing of what comes of it."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO, StringIO
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from filebridge.columns import Batch, int_array, text_column
from filebridge.mapping.apply import map_table
from filebridge.mapping.model import Mapping
from filebridge.planning.batches import in_batches
from filebridge.tables.open import open_table
from filebridge.tables.table import Chunk, ReadHow, ReadOptions, Table

READ = ReadOptions(format="csv", encoding="utf-8", delimiter=",", header_row=1)
VPC = st.sampled_from(["A", "B", "a", "00120", "1.23E+17", "", "1-Mar"])
QUANTITY = st.sampled_from(["1", "2", "-1", "1,000", "1,234,567", "2.000", "x", ""])
ROWS = st.lists(
    st.one_of(st.tuples(VPC, QUANTITY), st.tuples(VPC), st.tuples(VPC, QUANTITY, st.just("more"))),
    max_size=14,
)


@dataclass(frozen=True)
class CutUp:
    """A table whose chunks have `size` rows, bad ones included."""

    table: Table
    size: int

    @property
    def headers(self) -> tuple[str, ...]:
        return self.table.headers

    @property
    def how(self) -> ReadHow:
        return self.table.how

    @property
    def notes(self) -> Any:
        return self.table.notes

    def chunks(self, columns: Sequence[int]) -> Iterator[Chunk]:
        for chunk in self.table.chunks(columns):
            numbers = sorted([*chunk.rows.tolist(), *(fault.row for fault in chunk.faults)])
            for start in range(0, len(numbers), self.size):
                part = set(numbers[start : start + self.size])
                places = np.flatnonzero(np.isin(chunk.rows, list(part))).astype(np.int32)
                yield Chunk(
                    rows=chunk.rows[places],
                    cells=tuple(cells.take(int_array(places)) for cells in chunk.cells),
                    kinds=tuple(None if kinds is None else kinds[places] for kinds in chunk.kinds),
                    faults=tuple(fault for fault in chunk.faults if fault.row in part),
                )


@dataclass
class Kept:
    """A sink that keeps what it is given."""

    batches: list[Batch] = field(default_factory=list)
    reasons: list[dict[str, Any]] = field(default_factory=list)

    def records(self, batch: Batch) -> None:
        self.batches.append(batch)

    def rejects(self, batch: Batch) -> None:
        self.reasons += batch.to_pylist()

    def restart(self) -> None:
        self.batches, self.reasons = [], []

    def reread(self) -> Iterator[Batch]:
        yield from self.batches

    def replace(self, batches: Iterator[Batch]) -> None:
        self.batches = list(batches)


def mapped(text: str, duplicates: str, size: int) -> tuple[Any, ...]:
    """All that is known of a file once it is mapped, its chunks having `size` rows."""
    kept = Kept()
    table = CutUp(open_table(BytesIO(text.encode()), name="stock.csv", options=READ), size)
    feed = {"document": "inventory", "fields": {"vpc": "SKU", "quantity": "Qty"}, "duplicates": duplicates}
    facts = map_table(
        table,
        feed=Mapping.model_validate(feed),
        vendor_id="27",
        vendor_zone="UTC",
        file_name="stock.csv",
        arrived_at=0,
        sink=kept,
    )
    rows, outcomes, records = (part.tolist() for part in facts.runs.rows())
    found = [record for batch in kept.batches for record in batch.to_pylist()]
    reasons = sorted(map(repr, kept.reasons))
    counts = (facts.rows, facts.records, facts.rejects, facts.keys_unread, sorted(facts.rejected_keys))
    return rows, outcomes, records, found, reasons, counts, facts.notes, facts.refused


@settings(max_examples=150, deadline=None)
@given(rows=ROWS, duplicates=st.sampled_from(["reject", "last", "sum", "min"]), size=st.integers(1, 6))
@example(rows=[("A", "1,000"), ("B", "1"), ("A", "1,234,567")], duplicates="reject", size=1)
def test_the_size_of_chunks_changes_nothing(rows: list[Any], duplicates: str, size: int) -> None:
    written = StringIO(newline="")
    csv.writer(written).writerows([("SKU", "Qty"), *rows])
    whole = mapped(written.getvalue(), duplicates, 1000)
    assert mapped(written.getvalue(), duplicates, size) == whole


@settings(max_examples=150, deadline=None)
@given(sizes=st.lists(st.integers(0, 12), max_size=8), most=st.integers(1, 9))
def test_batches_joined_give_the_input_each_within_the_limit(sizes: list[int], most: int) -> None:
    texts = [[f"{part}-{place}" for place in range(size)] for part, size in enumerate(sizes)]
    given_batches = [pa.RecordBatch.from_arrays([text_column(part)], names=["vpc"]) for part in texts]
    cut = [batch.column("vpc").to_pylist() for batch in in_batches(given_batches, most=most)]
    assert [vpc for part in cut for vpc in part] == [vpc for part in texts for vpc in part]
    assert all(len(part) == most for part in cut[:-1])
    assert all(0 < len(part) <= most for part in cut)
