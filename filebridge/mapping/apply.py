"""A table and a mapping become records, rejects and facts: `map_table`. Pure but for the sink it is handed."""

from __future__ import annotations

import collections.abc
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, partial
from itertools import islice
from typing import Final

import numpy as np

from filebridge.columns import Ints
from filebridge.documents.adding import TotalRule
from filebridge.documents.fields import DOCUMENT_FIELDS, FieldKind
from filebridge.documents.inventory import InventoryRows
from filebridge.documents.po_rows import PoRows
from filebridge.documents.settled import PASSED_OVER, REJECTED, Refusal, RowsOf, Settled
from filebridge.mapping.headers import ResolvedColumns, Unresolved, resolve_columns
from filebridge.mapping.judge import Decision
from filebridge.mapping.mapped import BY_RECORD, MappedFile, RowRuns, inventory_schema, po_schema
from filebridge.mapping.model import Mapping
from filebridge.mapping.reading import MappedField, Reading, Reason, runs_of_chunk
from filebridge.mapping.sink import RecordSink
from filebridge.mapping.steps import field_rule
from filebridge.mapping.values import UNDECLARED, CellFault, QuantityRule
from filebridge.outcomes import OUTCOME_CODES, Outcome
from filebridge.rejects import Note
from filebridge.tables.table import Table

_REJECTED: Final = OUTCOME_CODES[Outcome.REJECTED]
_SUPERSEDED: Final = OUTCOME_CODES[Outcome.SUPERSEDED]
_REFUSALS_AT_A_TIME: Final = 10_000


def map_table(
    table: Table,
    *,
    feed: Mapping,
    vendor_id: str,
    vendor_zone: str,
    file_name: str,
    arrived_at: int,
    sink: RecordSink,
) -> MappedFile:
    """Read, map and check a whole file; its records and rejects go to `sink`, what is left to know comes back.

    `arrived_at` is in microseconds UTC. A mapped column that is missing or there twice, or whose letters may be
    others than was read, gives a `MappedFile` that is `refused`, all rows counted. Raises FileRefused where the
    table turns out to be damaged on the way.
    """
    columns = resolve_columns(table.headers, feed.fields, has_header=bool(table.how.header_row))
    if isinstance(columns, Unresolved):
        return _refused(table, feed, columns)
    fields = [
        MappedField.of(
            field_rule(
                spec,
                feed.fields[spec.name],
                vendor_zone=vendor_zone,
                arrived_at=arrived_at,
                per_total=feed.duplicates == "sum",
            ),
            columns,
            headers=table.headers,
            file_name=file_name,
        )
        for spec in DOCUMENT_FIELDS[feed.document]
        if spec.name in feed.fields
    ]
    reading = _reading(table, feed, fields, vendor_id=vendor_id, sink=sink)
    reading.run()
    if reading.doubtful:
        sink.restart()
        return _refused(table, feed, Unresolved("wrong_encoding", reading.doubtful))
    decisions = reading.decisions()
    if decisions:
        sink.restart()
        fields = [one.decided(decisions.get(one.name)) for one in fields]
        reading = _reading(table, feed, fields, vendor_id=vendor_id, sink=sink)
        reading.run()
    return _mapped(reading, feed, decisions)


def _refused(table: Table, feed: Mapping, why: Unresolved) -> MappedFile:
    """A file that is refused as a whole: its rows are counted, so that the receipt adds up."""
    runs = RowRuns.joined(
        [
            runs_of_chunk(chunk, np.zeros(len(chunk.rows), dtype=np.bool_), first_record=0)
            for chunk in table.chunks((0,) if table.headers else ())
        ]
    )
    rows = int(runs.lengths.sum())
    return MappedFile(
        document=feed.document,
        fields=(),
        headers=table.headers,
        how=table.how,
        rows=rows,
        records=0,
        rejects=0,
        runs=runs,
        keys_unread=rows,
        notes=table.notes,
        refused=(why.code, why.message),
    )


def _reading(
    table: Table, feed: Mapping, fields: Sequence[MappedField], *, vendor_id: str, sink: RecordSink
) -> Reading:
    kept = tuple(one.name for one in fields if not one.is_for_the_file)
    if feed.document != "inventory":
        return Reading(table, fields, vendor_id, po_schema(feed.document, kept), PoRows(), sink)
    quantities = next((one.rule.quantities for one in fields if one.name == "quantity"), QuantityRule())
    gathered = InventoryRows(feed.duplicates, _total_rule(quantities) if feed.duplicates == "sum" else None)
    return Reading(table, fields, vendor_id, inventory_schema(kept), gathered, sink)


def _total_rule(quantities: QuantityRule) -> TotalRule:
    def finish(total: int) -> int | tuple[str, str]:
        left = quantities.finish(total)
        return (left.code, left.message) if isinstance(left, CellFault) else left

    return TotalRule(finish, quantities.is_plain)


def _mapped(reading: Reading, feed: Mapping, decisions: collections.abc.Mapping[str, Decision]) -> MappedFile:
    """The mapped file, once all rows were seen: here the rules across rows are applied."""
    runs = RowRuns.joined(reading.runs)
    sink, gathered = reading.sink, reading.gathered
    rows_of = cache(partial(_rows_of_records, runs))

    def refuse(refusals: Iterable[Refusal]) -> None:
        _reject_across_rows(reading, refusals, rows_of)

    settled = (
        gathered.settle(rows_of=rows_of, reread=sink.reread, refuse=refuse)
        if isinstance(gathered, InventoryRows)
        else Settled()
    )
    records = reading.records
    if settled.fates is not None and settled.records is not None:
        runs = _with_fates(runs, settled.fates)
        records = int(settled.fates.max(initial=-1)) + 1
        sink.replace(settled.records())
    as_of = next((one.constant for one in reading.fields if one.is_for_the_file and one.constant), None)
    return MappedFile(
        document=feed.document,
        fields=tuple(reading.schema.names),
        headers=reading.table.headers,
        how=reading.table.how,
        rows=int(runs.lengths.sum()),
        records=records,
        rejects=reading.rejects,
        runs=runs,
        keys_unread=reading.keys_unread,
        rejected_keys=tuple(gathered.rejected_keys),
        rejected_key_rows=tuple(gathered.rejected_keys.values()),
        notes=(*reading.table.notes, *_notes(reading, decisions, settled)),
        as_of_file=as_of.value if as_of and isinstance(as_of.value, int) else None,
    )


def _reject_across_rows(reading: Reading, refusals: Iterable[Refusal], rows_of: RowsOf) -> None:
    headers = {one.name: one.header for one in reading.fields}
    left = iter(refusals)
    while some := list(islice(left, _REFUSALS_AT_A_TIME)):
        at = rows_of()[[refusal.record for refusal in some]].tolist()
        reasons = [Reason(headers[each.field], each.code, each.message, each.value) for each in some]
        reading.reject(at, reasons)
        reading.gathered.refuse([refusal.vpc for refusal in some], at)


def _rows_of_records(runs: RowRuns) -> Ints:
    """The row of each record, while each has one."""
    rows, outcomes, records = runs.rows()
    by_record = outcomes == BY_RECORD
    found = np.zeros(int(by_record.sum()), dtype=np.int32)
    found[records[by_record]] = rows[by_record]
    return found


def _with_fates(runs: RowRuns, fates: Ints) -> RowRuns:
    """The runs once the rules across rows have spoken: rows share records, are rejected, or are passed over."""
    rows, outcomes, records = runs.rows()
    by_record = outcomes == BY_RECORD
    fate = fates[records[by_record]]
    settled = np.where(fate == PASSED_OVER, _SUPERSEDED, BY_RECORD)
    outcomes[by_record] = np.where(fate == REJECTED, _REJECTED, settled)
    records[by_record] = np.maximum(fate, -1)
    return RowRuns.of_rows(rows, outcomes, records)


def _notes(
    reading: Reading, decisions: collections.abc.Mapping[str, Decision], settled: Settled
) -> Iterator[Note]:
    for one in reading.fields:
        if one.name in decisions:
            yield _note_of_decision(one, decisions[one.name])
    if reading.date_like:
        examples = ", ".join(f"{text} in row {row}" for row, text in reading.date_like_examples)
        more = reading.date_like - len(reading.date_like_examples)
        yield Note(
            "date_like_identifier",
            f"{reading.date_like:,} identifiers look like dates that a spreadsheet has made of them: {examples}"
            f"{f', and {more:,} more' if more else ''}. Compare them with their source.",
            reading.date_like_examples[0][0],
        )
    yield from settled.notes


def _note_of_decision(one: MappedField, decision: Decision) -> Note:
    winners = sorted({better for better, _ in decision.beats})
    if one.rule.spec.kind is FieldKind.INSTANT:
        how = "dates are read by " + " or ".join(one.rule.formats[place].text for place in winners)
    else:
        mark = {".": "point", ",": "comma"}[UNDECLARED[winners[0]].decimal]
        how = f"the {mark} is the decimal mark"
    return Note("judged_by_column", f"Column {one.header}: {how}, as those of its cells say that decide.")


__all__ = ["RecordSink", "ResolvedColumns", "Unresolved", "map_table", "resolve_columns"]
