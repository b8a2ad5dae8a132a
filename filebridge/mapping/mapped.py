"""`MappedFile`: a file that was read, mapped and checked whole, and spooled, before anything of it is sent."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from filebridge.columns import Batch, Ints, as_ints, int_array
from filebridge.documents.fields import DOCUMENT_FIELDS, FieldKind
from filebridge.outcomes import OUTCOME_CODES, Outcome
from filebridge.rejects import Note
from filebridge.tables.table import ReadHow

BY_RECORD: Final = 255
"""In `RowRuns.outcomes`: the rows' outcome is that of their records."""

REJECTS_SCHEMA: Final = pa.schema(
    [
        ("row", pa.int32()),
        ("column", pa.string()),
        ("code", pa.string()),
        ("message", pa.string()),
        ("value", pa.string()),
    ]
)
"""Reasons why rows cannot go, one each: several may name one row. Batches are in no order of rows."""

_RUNS_SCHEMA: Final = pa.schema(
    [("first_row", pa.int32()), ("length", pa.int32()), ("outcome", pa.int32()), ("first_record", pa.int32())]
)
_RECORD_TYPES: Final = {
    "row": pa.int32(),
    "vpc": pa.string(),
    "quantity": pa.int32(),
    "unit_cost": pa.string(),
    "active": pa.string(),
    "as_of": pa.int64(),
}
_TYPE_OF_KIND: Final = {FieldKind.QUANTITY: pa.int32(), FieldKind.INSTANT: pa.int64()}


def inventory_schema(fields: tuple[str, ...]) -> Any:
    """Arrow schema of inventory records: `vpc`, `quantity`, then those of unit_cost, active, as_of in `fields`.

    Only mapped fields have a column. `unit_cost` is canonical decimal text, `active` is `1` or `0`; an empty
    text is a field that this record does not state. `as_of` is microseconds UTC, `NO_INSTANT` where absent.
    """
    names = ["vpc", "quantity", *(name for name in ("unit_cost", "active", "as_of") if name in fields)]
    return pa.schema([(name, _RECORD_TYPES[name]) for name in names])


def po_schema(document: str, fields: tuple[str, ...]) -> Any:
    """Arrow schema of the records of a document about POs: its mapped `fields`, in the document's order.

    Instants are microseconds UTC, `NO_INSTANT` where not stated; quantities are -1 there; all else is text, empty
    there.
    """
    return pa.schema(
        [
            (spec.name, _TYPE_OF_KIND.get(spec.kind, pa.string()))
            for spec in DOCUMENT_FIELDS[document]
            if spec.name in fields
        ]
    )


@dataclass(frozen=True)
class RowRuns:
    """What became of each data row, as runs of rows: four arrays of one length.

    A run is `lengths[i]` rows with consecutive row numbers from `first_rows[i]`. `outcomes[i]` is a code of
    OUTCOME_CODES that they all have, or BY_RECORD: then their records are consecutive too, from
    `first_records[i]` (else -1). Runs stand in order of rows; every data row is in exactly one.
    """

    first_rows: Ints
    lengths: Ints
    outcomes: Ints
    first_records: Ints

    @classmethod
    def of_rows(cls, rows: Ints, outcomes: Ints, records: Ints) -> RowRuns:
        """Runs of rows given one by one: row numbers, outcome codes or BY_RECORD, records or -1."""
        if not len(rows):
            return cls(rows, rows, rows, rows)
        if not (rows[1:] > rows[:-1]).all():
            order = np.argsort(rows, kind="stable")
            rows, outcomes, records = rows[order], outcomes[order], records[order]
        by_record = outcomes == BY_RECORD
        same = (np.diff(rows) == 1) & (outcomes[1:] == outcomes[:-1])
        same &= ~by_record[1:] | (np.diff(records) == 1)
        starts = np.concatenate([[0], np.flatnonzero(~same) + 1])
        lengths = np.diff(np.concatenate([starts, [len(rows)]])).astype(np.int32)
        return cls(
            rows[starts],
            lengths,
            outcomes[starts],
            np.where(by_record[starts], records[starts], -1).astype(np.int32),
        )

    @classmethod
    def joined(cls, parts: Sequence[RowRuns]) -> RowRuns:
        """The runs of parts of a file, in order of rows, as few as they can be."""
        if not parts:
            nothing = np.empty(0, dtype=np.int32)
            return cls(nothing, nothing, nothing, nothing)
        first_rows, lengths, outcomes, first_records = (
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("first_rows", "lengths", "outcomes", "first_records")
        )
        order = np.argsort(first_rows, kind="stable")
        first_rows, lengths = first_rows[order], lengths[order]
        outcomes, first_records = outcomes[order], first_records[order]
        goes_on = (first_rows[1:] == first_rows[:-1] + lengths[:-1]) & (outcomes[1:] == outcomes[:-1])
        goes_on &= (outcomes[1:] != BY_RECORD) | (first_records[1:] == first_records[:-1] + lengths[:-1])
        starts = np.concatenate([[True], ~goes_on])[: len(order)]
        places = np.flatnonzero(starts)
        summed = np.add.reduceat(lengths, places).astype(np.int32) if len(places) else lengths
        return cls(first_rows[places], summed, outcomes[places], first_records[places])

    def rows(self) -> tuple[Ints, Ints, Ints]:
        """The inverse of `of_rows`: row numbers, outcome codes or BY_RECORD, and records, one of each a row."""
        steps = np.arange(self.lengths.sum(), dtype=np.int32)
        steps -= np.repeat((np.cumsum(self.lengths) - self.lengths).astype(np.int32), self.lengths)
        outcomes = np.repeat(self.outcomes, self.lengths)
        records = np.repeat(self.first_records, self.lengths)
        return (
            (np.repeat(self.first_rows, self.lengths) + steps).astype(np.int32),
            outcomes,
            np.where(outcomes == BY_RECORD, records + steps, -1).astype(np.int32),
        )

    def all_as(self, outcome: Outcome, *, but: tuple[Outcome, ...] = ()) -> RowRuns:
        """These rows, all with one outcome, but for those that have one of `but` already."""
        keep = np.isin(self.outcomes, [OUTCOME_CODES[kept] for kept in but])
        return RowRuns.of_rows(
            *_expanded(self, np.where(keep, self.outcomes, OUTCOME_CODES[outcome]).astype(np.int32))
        )

    def without_records(self, outcome: Outcome, *, but: Collection[int] = (), are: Outcome) -> RowRuns:
        """These rows, with `outcome` where it is that of their record; those of the records `but` have `are`."""
        rows, outcomes, records = self.rows() if but else (self.first_rows, self.outcomes, self.first_records)
        by_record = outcomes == BY_RECORD
        outcomes = np.where(by_record, OUTCOME_CODES[outcome], outcomes).astype(np.int32)
        if not but:
            return RowRuns(self.first_rows, self.lengths, outcomes, np.full_like(records, -1))
        waits = by_record & np.isin(records, np.array(sorted(but), dtype=np.int32))
        outcomes[waits] = OUTCOME_CODES[are]
        return RowRuns.of_rows(rows, outcomes, np.full_like(records, -1))

    def batch(self) -> Batch:
        """As a record batch, to be packed into a block."""
        arrays = [
            int_array(part) for part in (self.first_rows, self.lengths, self.outcomes, self.first_records)
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=_RUNS_SCHEMA)

    @classmethod
    def of_batch(cls, batch: Batch) -> RowRuns:
        """The inverse of `batch`."""
        return cls(*(as_ints(batch.column(place)) for place in range(4)))


def _expanded(runs: RowRuns, outcomes: Ints) -> tuple[Ints, Ints, Ints]:
    rows, _, records = runs.rows()
    return rows, np.repeat(outcomes, runs.lengths), records


@dataclass(frozen=True)
class MappedFile:
    """A file as records, rejects and facts. The records and rejects lie in the file's work folder.

    `records` counts the records in the spool (`records.arrow`, an Arrow IPC file of `inventory_schema`
    batches in record order); a record's number is its place over all batches, and each record has at least
    one row: where rules across rows took records out, the spool was written anew without them. `rejects`
    counts the reasons in `rejects.arrow` (`REJECTS_SCHEMA`). `runs` covers each data row: BY_RECORD, REJECTED,
    or SUPERSEDED where `duplicates` passed over it.
    """

    document: str
    fields: tuple[str, ...]
    """The fields that the records have, in the document's order: those of `inventory_schema` or `po_schema`.

    `vendor_id` is checked and not kept; an `as_of` that is one for all rows is `as_of_file` instead.
    """
    headers: tuple[str, ...]
    how: ReadHow
    rows: int
    records: int
    rejects: int
    runs: RowRuns
    keys_unread: int = 0
    """Rows whose key (the VPC of inventory, else the PO) could not be read: then nothing is zeroed for being absent."""
    rejected_keys: tuple[str, ...] = ()
    """VPCs of rejected rows: present in the file, so not missing. POs of rejected rows: nothing is sent of them."""
    rejected_key_rows: tuple[int, ...] = ()
    """For each of `rejected_keys` the first such row."""
    notes: tuple[Note, ...] = ()
    refused: tuple[str, str] | None = None
    """Code and message of a reason against the whole file, such as missing_column."""
    as_of_file: int | None = None
    """The file's own time, microseconds UTC, where `as_of` comes from its name or is one for all rows."""

    @classmethod
    def unread(cls, document: str) -> MappedFile:
        """A file of which no row could be read."""
        nothing = np.empty(0, dtype=np.int32)
        return cls(
            document=document,
            fields=(),
            headers=(),
            how=ReadHow(format=""),
            rows=0,
            records=0,
            rejects=0,
            runs=RowRuns(nothing, nothing, nothing, nothing),
        )
