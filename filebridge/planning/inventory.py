"""What is to be sent of an inventory file: told what is known, it compares by columns and decides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from filebridge.clock import SECOND
from filebridge.columns import (
    NO_INSTANT,
    Batch,
    Hashes,
    Ints,
    Longs,
    Mask,
    TextColumn,
    as_ints,
    as_longs,
    as_mask,
    bool_array,
    hash_text,
    int_array,
    long_array,
    pack,
    text_column,
)
from filebridge.mapping.mapped import BY_RECORD, MappedFile, RowRuns
from filebridge.mapping.model import Mapping
from filebridge.outcomes import OUTCOME_CODES, Outcome
from filebridge.planning.batches import in_batches
from filebridge.planning.guards import (
    TEST_VENDOR,
    Change,
    header_changes,
    hold_for_future,
    hold_for_guard,
    too_many_rejects,
)
from filebridge.planning.known import FileFacts, KnownFeed, KnownQuantities
from filebridge.planning.plan import Action, Hold, Plan, PlannedCall

_SEND: Final = BY_RECORD
_UNCHANGED: Final = OUTCOME_CODES[Outcome.UNCHANGED]
_SUPERSEDED: Final = OUTCOME_CODES[Outcome.SUPERSEDED]
_REJECTED: Final = OUTCOME_CODES[Outcome.REJECTED]


@dataclass
class _Comparison:
    """One file beside what is known: what it was told, and what going through its records has found."""

    mapped: MappedFile
    file: FileFacts
    mapping: Mapping
    known: KnownQuantities
    order_at: int
    decisions: list[Ints] = field(default_factory=list)
    renewed: list[bytes] = field(default_factory=list)
    newest: int = int(NO_INSTANT)

    def __post_init__(self) -> None:
        self.present: Mask = np.zeros(len(self.known), np.bool_)
        self.zeroed: Mask = np.zeros(len(self.known), np.bool_)

    def to_send(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """The records that a call must carry, with their `record` numbers."""
        first = 0
        for batch in batches:
            times = self._times(batch)
            if len(times):
                self.newest = max(self.newest, int(times.max()))
            decisions = self._decide(batch, times)
            self.decisions.append(decisions)
            numbered = _with_record(batch, np.arange(first, first + batch.num_rows, dtype=np.int32), times)
            first += batch.num_rows
            self._renew(numbered.filter(bool_array(decisions == _UNCHANGED)))
            yield numbered if (decisions == _SEND).all() else numbered.filter(bool_array(decisions == _SEND))

    def _renew(self, unchanged: Batch) -> None:
        if unchanged.num_rows:
            names = [name for name in ("vpc", "as_of") if name in unchanged.schema.names]
            self.renewed.append(pack(unchanged.select(names)))

    def _times(self, batch: Batch) -> Longs:
        """The time of each record, in microseconds UTC."""
        if "as_of" not in batch.schema.names:
            return np.full(batch.num_rows, self.order_at, dtype=np.int64)
        own = as_longs(batch.column("as_of"))
        times = np.where(own == NO_INSTANT, self.order_at, own)
        return np.minimum(times, np.int64(self.file.received_at)) if self.file.released else times

    def _decide(self, batch: Batch, times: Longs) -> Ints:
        """For each record: send it, or what it is without a call."""
        decisions = np.full(batch.num_rows, _SEND, dtype=np.int32)
        known = self.known
        if not len(known):
            return decisions
        vpcs = batch.column("vpc")
        hashes = hash_text(vpcs)
        places, found = find(known, vpcs, hashes)
        self.present[places[found]] = True
        older = found & (times < known.order_at[places])
        if len(known.arrivals):
            # A file that was held may be planned after a later arrival of the same time.
            same_time = times == known.order_at[places]
            older |= found & same_time & (known.arrivals[places] > self.file.seq)
        quantities = as_ints(batch.column("quantity"))
        self.zeroed[places[found & ~older & (quantities == 0)]] = True
        if self.mapping.send == "changed" and not self.file.forced:
            fresh = known.confirmed_at[places] > self.file.now - int(self.mapping.restate_every * SECOND)
            same = found & fresh & (quantities == known.quantities[places]) & ~np.isin(hashes, known.doubtful)
            for name, column in (("unit_cost", known.unit_costs), ("active", known.actives)):
                if name in batch.schema.names:
                    same &= _equal_or_unstated(batch.column(name), column.take(int_array(places)))
            decisions[same] = _UNCHANGED
        decisions[older] = _SUPERSEDED
        return decisions

    def absent(self) -> Mask:
        """VPCs that this feed has set before and that a file which covers everything does not name."""
        known = self.known
        if self.mapping.covers != "everything" or self.file.correction or not len(known):
            return np.zeros(len(known), np.bool_)
        present = self.present.copy()
        if self.mapped.rejected_keys:
            keys = text_column(self.mapped.rejected_keys)
            places, found = find(known, keys, hash_text(keys))
            present[places[found]] = True
        absent: Mask = known.of_feed & ~present & (known.order_at <= self.order_at)
        return absent

    def nothing_left(self, absent: Mask) -> Mask:
        """The absent VPCs that are given a zero; letting go of a held `missing: hold` means to."""
        wanted = self.mapping.missing == "zero" or (self.mapping.missing == "hold" and self.file.released)
        return absent if wanted and not self.mapped.keys_unread else np.zeros(len(self.known), np.bool_)

    def zeroes(self, absent: Mask) -> Mask:
        """Those of them that RetailOps must be told of; the others are zero already."""
        zeroes: Mask = self.nothing_left(absent) & (self.known.quantities != 0)
        return zeroes

    def renewals(self, absent: Mask) -> tuple[bytes, ...]:
        """`Plan.renewed`, once all records were seen."""
        still = np.flatnonzero(self.nothing_left(absent) & (self.known.quantities == 0)).astype(np.int32)
        if not len(still):
            return tuple(self.renewed)
        vpcs = self.known.vpcs.take(int_array(still))
        block = pack(pa.RecordBatch.from_arrays([vpcs], schema=pa.schema([("vpc", pa.string())])))
        return (*self.renewed, block)

    def hold(self, feed: KnownFeed, absent: Mask) -> Hold | None:
        """Why a person must look at the file before anything of it is sent."""
        if self.file.test:
            return TEST_VENDOR
        if self.file.released or self.file.correction:
            return None
        hold = hold_for_future(max(self.newest, self.order_at), self.file.received_at)
        if hold or self.mapping.guard == "off":
            return hold
        stocked = self.known.of_feed & (self.known.quantities > 0)
        zeroed = stocked & (self.zeroed | self.zeroes(absent))
        change = Change(rows=self.mapped.rows, stocked=int(stocked.sum()), zeroed=int(zeroed.sum()))
        hold = hold_for_guard(change, covers=self.mapping.covers, guard=self.mapping.guard, feed=feed)
        gone = np.flatnonzero(absent & (self.known.quantities != 0)).astype(np.int32)
        if hold or self.mapping.missing != "hold" or not len(gone):
            return hold
        names = ", ".join(self.known.vpcs.take(int_array(gone[:5])).to_pylist())
        more = f" and {len(gone) - 5:,} more" if len(gone) > 5 else ""
        return Hold("guard", f"VPCs are absent from the file: {names}{more}. Released, they are set to zero.")


def _equal_or_unstated(stated: TextColumn, known: TextColumn) -> Mask:
    unstated = as_mask(pc.equal(pc.binary_length(stated), int_array(np.zeros(1, np.int32))[0]))
    return as_mask(pc.equal(stated, known)) | unstated


def plan_inventory(
    mapped: MappedFile,
    batches: Iterable[Batch],
    *,
    file: FileFacts,
    mapping: Mapping,
    known: KnownQuantities,
    feed: KnownFeed,
) -> Plan:
    """The plan of one inventory file. `batches` are its spooled records, in order."""
    notes = () if file.correction else header_changes(mapped.headers, feed)
    refused = mapped.refused or too_many_rejects(mapped.runs, mapping)
    if refused:
        return Plan(calls=(), runs=mapped.runs.all_as(Outcome.REJECTED), refused=refused, notes=notes)
    look = _Comparison(mapped, file, mapping, known, _order_at(mapped, file))
    blocks = list(_packed(in_batches(look.to_send(batches))))
    absent = look.absent()
    hold = look.hold(feed, absent)
    if hold:
        runs = mapped.runs.all_as(Outcome.HELD, but=(Outcome.REJECTED,))
        return Plan(calls=(), runs=runs, order_at=look.order_at, hold=hold, notes=notes)
    zeroes = look.zeroes(absent)
    calls = (*_calls(mapped, blocks, look.order_at), *_zero_calls(known, zeroes, look.order_at))
    duplicate = not calls and not file.correction and file.sha256 == feed.last_sha256
    return Plan(
        calls=calls,
        runs=_runs(mapped.runs, np.concatenate([*look.decisions, np.empty(0, np.int32)]).astype(np.int32)),
        order_at=look.order_at,
        duplicate_of=feed.last_id if duplicate else "",
        zeroed=int(zeroes.sum()),
        zeroing_refused=mapping.missing == "zero" and bool(mapped.keys_unread) and bool(absent.any()),
        notes=notes,
        renewed=look.renewals(absent),
    )


def _order_at(mapped: MappedFile, file: FileFacts) -> int:
    """The time that the file's values are given for, where a row has none of its own."""
    if file.order_at is not None:
        return file.order_at
    if mapped.as_of_file is None:
        return file.received_at
    return min(mapped.as_of_file, file.received_at) if file.released else mapped.as_of_file


def _with_record(batch: Batch, records: Ints, times: Longs) -> Batch:
    arrays, fields = [], []
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        fields.append(pa.field(name, column.type))
        arrays.append(long_array(times) if name == "as_of" else column)
    return pa.RecordBatch.from_arrays(
        [*arrays, int_array(records)], schema=pa.schema([*fields, pa.field("record", pa.int32())])
    )


def find(known: KnownQuantities, vpcs: pa.StringArray, hashes: Hashes) -> tuple[Ints, Mask]:
    """Where each VPC stands in what is known: its place, and whether it is there at all.

    Hashes nominate, text decides; places of VPCs that are not there mean nothing.
    """
    last = len(known) - 1
    places = np.minimum(np.searchsorted(known.hashes, hashes), last).astype(np.int32)
    candidate = known.hashes[places] == hashes
    found = candidate & as_mask(pc.equal(vpcs, known.vpcs.take(int_array(places))))
    open_ = np.flatnonzero(candidate & ~found).astype(np.int32)
    while len(open_):
        # Two VPCs share a hash: go on to the next place that has it.
        places[open_] = np.minimum(places[open_] + 1, last)
        still = known.hashes[places[open_]] == hashes[open_]
        equal = as_mask(pc.equal(vpcs.take(int_array(open_)), known.vpcs.take(int_array(places[open_]))))
        found[open_] = still & equal
        open_ = open_[still & ~equal & (places[open_] < last)]
    return places, found


def _packed(batches: Iterable[Batch]) -> Iterator[tuple[Ints, bytes]]:
    for batch in batches:
        yield as_ints(batch.column("record")).copy(), pack(batch)


def _calls(mapped: MappedFile, blocks: list[tuple[Ints, bytes]], order_at: int) -> Iterator[PlannedCall]:
    by_record = int(mapped.runs.lengths[mapped.runs.outcomes == BY_RECORD].sum())
    rows_of = None
    if by_record != mapped.records:
        _, outcomes, records = mapped.runs.rows()
        rows_of = np.bincount(records[outcomes == BY_RECORD], minlength=mapped.records)
    for records, block in blocks:
        rows = len(records) if rows_of is None else int(rows_of[records].sum())
        yield PlannedCall(Action.UPDATE, records=len(records), rows=rows, block=block, order_at=order_at)


def _zero_calls(known: KnownQuantities, zeroes: Mask, order_at: int) -> Iterator[PlannedCall]:
    """Calls that set VPCs to zero for being absent: records that stand in no row."""
    places = np.flatnonzero(zeroes).astype(np.int32)
    if not len(places):
        return
    schema = pa.schema([("vpc", pa.string()), ("quantity", pa.int32()), ("record", pa.int32())])
    nothing = np.zeros(len(places), np.int32)
    columns = [known.vpcs.take(int_array(places)), int_array(nothing), int_array(nothing - 1)]
    for batch in in_batches([pa.RecordBatch.from_arrays(columns, schema=schema)]):
        yield PlannedCall(Action.UPDATE, records=batch.num_rows, rows=0, block=pack(batch), order_at=order_at)


def _runs(runs: RowRuns, decisions: Ints) -> RowRuns:
    """Rows with the outcome of their record where that needs no call."""
    if (decisions == _SEND).all():
        return runs
    rows, outcomes, records = runs.rows()
    by_record = outcomes == BY_RECORD
    outcomes = outcomes.copy()
    outcomes[by_record] = decisions[records[by_record]]
    return RowRuns.of_rows(rows, outcomes, np.where(outcomes == BY_RECORD, records, -1).astype(np.int32))
