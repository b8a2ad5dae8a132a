"""One reading of a table: chunk by chunk, the rules of its fields make records and rejects of its rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from filebridge.columns import Batch, Mask, TextColumn, as_mask, bool_array, int_array, text_column
from filebridge.mapping.by_column import (
    ColumnReader,
    ReadColumn,
    constant_column,
    date_like_places,
    differs_from,
    joined_column,
    texts_of,
)
from filebridge.mapping.headers import ResolvedColumns
from filebridge.mapping.judge import Decision
from filebridge.mapping.mapped import BY_RECORD, REJECTS_SCHEMA, RowRuns
from filebridge.mapping.sink import RecordSink
from filebridge.mapping.steps import FieldRule
from filebridge.mapping.values import CellFault, Read, shown
from filebridge.outcomes import OUTCOME_CODES, Outcome
from filebridge.tables.table import Chunk, Table

MOST_EXAMPLES: Final = 3
_REJECTED: Final = OUTCOME_CODES[Outcome.REJECTED]
_LONGEST_VALUE: Final = 200


@dataclass(frozen=True)
class MappedField:
    """One mapped field of this file: its rule, and its columns, or what is one for all rows.

    `header` is what a reject names: the vendor's header of the column, of the first one under `join`.
    """

    rule: FieldRule
    places: tuple[int, ...]
    header: str
    constant: Read | None

    @classmethod
    def of(
        cls, rule: FieldRule, columns: ResolvedColumns, *, headers: Sequence[str], file_name: str
    ) -> MappedField:
        """The field in a file with these headers."""
        places = columns.places.get(rule.spec.name, ())
        header = headers[places[0]] if places else ""
        return cls(rule, places, header, rule.constant(file_name))

    @property
    def name(self) -> str:
        """FileBridge's own name of the field."""
        return self.rule.spec.name

    @property
    def is_for_the_file(self) -> bool:
        """Whether this is the time of the whole file, which no record needs to hold."""
        return self.name == "as_of" and self.constant is not None

    def decided(self, decision: Decision | None) -> MappedField:
        """The field, with what its column has decided."""
        return self if decision is None else replace(self, rule=self.rule.decided(decision))

    def cells(self, chunk: Chunk, at: Mapping[int, int]) -> tuple[TextColumn, Any]:
        """The field's cells in a chunk, and their kinds."""
        columns = [chunk.cells[at[place]] for place in self.places]
        kinds = [chunk.kinds[at[place]] for place in self.places]
        return joined_column(self.rule, columns, kinds) if self.rule.steps.join else (columns[0], kinds[0])

    def constants(self, length: int) -> ReadColumn:
        """What each of `length` rows has, where it is one for all."""
        value = self.constant.value if self.constant else None
        if isinstance(value, CellFault):
            return ReadColumn(constant_column(self.rule, None, length), dict.fromkeys(range(length), value))
        return ReadColumn(constant_column(self.rule, value, length))


@dataclass(frozen=True)
class Reason:
    """Why a row cannot go, as a reject says it."""

    column: str
    code: str
    message: str
    value: str = ""


class Gathered(Protocol):
    """What the rules across rows are told while the rows are read."""

    @property
    def key(self) -> str:
        """The field whose text tells what a row speaks of: a VPC, or a PO."""
        ...

    @property
    def rejected_keys(self) -> Mapping[str, int]:
        """Keys of rejected rows, each with the first such row."""
        ...

    def add(self, batch: Batch) -> None:
        """Take the records of one chunk."""
        ...

    def refuse(self, keys: Sequence[str], rows: Sequence[int]) -> None:
        """Take the keys of rows that were rejected."""
        ...


@dataclass
class Reading:
    """One going through a table. What it keeps is small: hashes, runs of rows, and what is bad."""

    table: Table
    fields: Sequence[MappedField]
    vendor_id: str
    schema: Any
    gathered: Gathered
    sink: RecordSink
    readers: dict[str, ColumnReader] = field(init=False)
    runs: list[RowRuns] = field(default_factory=list)
    records: int = 0
    rejects: int = 0
    keys_unread: int = 0
    doubtful: str = ""
    """Of a text whose encoding is a guess: the first mapped cell that the guess decides, in a sentence."""
    date_like: int = 0
    date_like_examples: list[tuple[int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.readers = {one.name: ColumnReader(one.rule) for one in self.fields}
        self.is_guess = any(note.code == "wrong_encoding" for note in self.table.notes)

    def run(self) -> None:
        """Go through the whole table. Raises FileRefused where it turns out to be damaged."""
        places = sorted({place for one in self.fields for place in one.places})
        at = {place: index for index, place in enumerate(places)}
        for chunk in self.table.chunks(places):
            self._take(chunk, at)
            if self.is_guess and not self.doubtful:
                self._doubt(chunk, places)

    def _doubt(self, chunk: Chunk, places: Sequence[int]) -> None:
        for place, cells in zip(places, chunk.cells, strict=True):
            odd = np.flatnonzero(~as_mask(pc.string_is_ascii(cells)))
            if len(odd):
                encoding = self.table.how.encoding
                self.doubtful = (
                    f"Nobody can be sure that the text is {encoding}, and that decides what row "
                    f"{int(chunk.rows[odd[0]])} says in column {self.table.headers[place]}. "
                    f"If it is, add `read: {{encoding: {encoding}}}` to the mapping; else save the file as UTF-8."
                )
                return

    def decisions(self) -> dict[str, Decision]:
        """What columns with open cells have decided; empty where another reading would find nothing new."""
        found = {
            name: reader.evidence.decide(reader.rule.candidates)
            for name, reader in self.readers.items()
            if reader.evidence.is_open
        }
        return {name: decision for name, decision in found.items() if decision.beats}

    def reject(self, rows: Sequence[int], reasons: Sequence[Reason]) -> None:
        """Hand over the reasons why rows cannot go, one row for each reason."""
        if not rows:
            return
        texts = (
            text_column([reason.column for reason in reasons]),
            text_column([reason.code for reason in reasons]),
            text_column([reason.message for reason in reasons]),
            text_column([reason.value[:_LONGEST_VALUE] for reason in reasons]),
        )
        numbers = int_array(np.array(rows, dtype=np.int32))
        self.sink.rejects(pa.RecordBatch.from_arrays([numbers, *texts], schema=REJECTS_SCHEMA))
        self.rejects += len(rows)

    def _take(self, chunk: Chunk, at: Mapping[int, int]) -> None:
        columns: dict[str, ReadColumn] = {}
        bad: list[tuple[int, Reason]] = []
        for one in self.fields:
            if one.constant is not None:
                column = one.constants(len(chunk.rows))
                cells = column.values
                bad += [(place, Reason("", why.code, why.message)) for place, why in column.faults.items()]
            else:
                cells, kinds = one.cells(chunk, at)
                column = self.readers[one.name].read(cells, kinds)
                bad += _bad_cells(one, cells, column.faults)
            if one.name == "vendor_id":
                bad += self._of_other_vendors(one, cells, column)
            columns[one.name] = column
        good = np.ones(len(chunk.rows), dtype=np.bool_)
        good[[place for place, _ in bad]] = False
        self.runs.append(runs_of_chunk(chunk, good, first_record=self.records))
        self._keep(columns, good)
        self._refuse(chunk, bad, columns[self.gathered.key], good)
        if "vpc" in columns:
            self._note_dates(chunk, columns["vpc"])

    def _of_other_vendors(
        self, one: MappedField, cells: TextColumn, column: ReadColumn
    ) -> Iterable[tuple[int, Reason]]:
        others = np.flatnonzero(as_mask(differs_from(column.values, self.vendor_id)))
        others = others[[place not in column.faults for place in others.tolist()]]
        for place, text in zip(others.tolist(), _texts_at(cells, others), strict=True):
            message = (
                f"The row says vendor {shown(text)}, and this folder is that of vendor {self.vendor_id}."
            )
            yield place, Reason(one.header, "wrong_vendor", message, text)

    def _keep(self, columns: Mapping[str, ReadColumn], good: Mask) -> None:
        arrays = [columns[name].values for name in self.schema.names]
        batch = pa.RecordBatch.from_arrays(arrays, schema=self.schema)
        if not good.all():
            batch = batch.filter(bool_array(good))
        self.records += batch.num_rows
        self.gathered.add(batch)
        self.sink.records(batch)

    def _refuse(self, chunk: Chunk, bad: list[tuple[int, Reason]], keys: ReadColumn, good: Mask) -> None:
        self.reject(
            [fault.row for fault in chunk.faults],
            [Reason("", fault.code, fault.message) for fault in chunk.faults],
        )
        self.keys_unread += len(chunk.faults)
        if not bad:
            return
        # The sort keeps the reasons of one row in the order of the fields.
        bad.sort(key=lambda pair: pair[0])
        self.reject([int(chunk.rows[place]) for place, _ in bad], [reason for _, reason in bad])
        places = np.flatnonzero(~good)
        readable = places[[place not in keys.faults for place in places.tolist()]]
        self.gathered.refuse(_texts_at(keys.values, readable), chunk.rows[readable].tolist())
        self.keys_unread += len(places) - len(readable)

    def _note_dates(self, chunk: Chunk, vpcs: ReadColumn) -> None:
        places = date_like_places(vpcs.values)
        self.date_like += len(places)
        some = places[: MOST_EXAMPLES - len(self.date_like_examples)]
        self.date_like_examples += zip(chunk.rows[some].tolist(), _texts_at(vpcs.values, some), strict=True)


def _texts_at(column: TextColumn, places: Any) -> list[str]:
    return texts_of(column.take(int_array(np.asarray(places, dtype=np.int32))))


def _bad_cells(
    one: MappedField, cells: TextColumn, faults: Mapping[int, CellFault]
) -> Iterable[tuple[int, Reason]]:
    values = _texts_at(cells, list(faults)) if faults else []
    for (place, fault), value in zip(faults.items(), values, strict=True):
        yield place, Reason(one.header, fault.code, fault.message, value)


def runs_of_chunk(chunk: Chunk, good: Mask, *, first_record: int) -> RowRuns:
    """The rows of a chunk, its faults among them; good ones have records that count on from `first_record`."""
    rows = chunk.rows
    if not chunk.faults and len(rows) and good.all() and rows[-1] - rows[0] + 1 == len(rows):
        one = (rows[0], len(rows), BY_RECORD, first_record)
        return RowRuns(*(np.array([part], dtype=np.int32) for part in one))
    outcomes = np.where(good, BY_RECORD, _REJECTED).astype(np.int32)
    records = np.where(good, first_record + np.cumsum(good) - 1, -1).astype(np.int32)
    odd = np.array([fault.row for fault in chunk.faults], dtype=np.int32)
    return RowRuns.of_rows(
        np.concatenate([rows, odd]),
        np.concatenate([outcomes, np.full(len(odd), _REJECTED, dtype=np.int32)]),
        np.concatenate([records, np.full(len(odd), -1, dtype=np.int32)]),
    )
