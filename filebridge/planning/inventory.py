"""What is to be sent of an inventory file: told what is known, it compares by columns and decides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from filebridge.clock import SECOND
from filebridge.columns import (
    NO_INSTANT,
    Batch,
    Ints,
    Longs,
    Mask,
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
from filebridge.mapping.model import Mapping, RejectAbove
from filebridge.outcomes import OUTCOME_CODES, Outcome
from filebridge.planning.batches import in_batches
from filebridge.planning.guards import Change, hold_for_future, hold_for_guard
from filebridge.planning.known import KnownFeed, KnownQuantities
from filebridge.planning.plan import Action, Hold, Plan, PlannedCall

_SEND: Final = BY_RECORD
_UNCHANGED: Final = OUTCOME_CODES[Outcome.UNCHANGED]
_SUPERSEDED: Final = OUTCOME_CODES[Outcome.SUPERSEDED]
_REJECTED: Final = OUTCOME_CODES[Outcome.REJECTED]


@dataclass(frozen=True)
class InventoryFile:
    """What the planner is told of the file itself.

    `received_at` is when it arrived, `now` the moment of planning, in microseconds UTC. A `correction` is a
    reject file that came back: it keeps the time `order_at` of the file that it came from, counts as changes
    and meets no guard. `released` lets a held file go; `forced` states everything again.
    """

    sha256: str
    received_at: int
    now: int
    correction: bool = False
    order_at: int | None = None
    released: bool = False
    forced: bool = False


@dataclass
class _Look:
    """What comparing the records with what is known has found."""

    present: Mask
    zeroed: Mask
    decisions: list[Ints] = field(default_factory=list)
    newest: int = int(NO_INSTANT)


def plan_inventory(
    mapped: MappedFile,
    batches: Iterable[Batch],
    *,
    file: InventoryFile,
    mapping: Mapping,
    known: KnownQuantities,
    feed: KnownFeed,
) -> Plan:
    """The plan of one inventory file. `batches` are its spooled records, in order."""
    refused = mapped.refused or _too_many_rejects(mapped, mapping)
    if refused:
        return Plan(calls=(), runs=mapped.runs.all_as(Outcome.REJECTED), refused=refused)
    order_at = _order_at(mapped, file)
    look = _Look(present=np.zeros(len(known), np.bool_), zeroed=np.zeros(len(known), np.bool_))
    blocks = list(_packed(in_batches(_to_send(mapped, batches, file, mapping, known, order_at, look))))
    absent = _absent(mapped, file, mapping, known, order_at, look)
    hold = (
        None
        if file.released or file.correction
        else _hold(mapped, file, mapping, known, feed, look, absent, order_at)
    )
    if hold:
        return Plan(calls=(), runs=mapped.runs.all_as(Outcome.HELD, but=(Outcome.REJECTED,)), hold=hold)
    zeroes = (
        absent & (known.quantities != 0)
        if _zeroes_absent(mapped, mapping, file)
        else np.zeros(len(known), np.bool_)
    )
    decisions = np.concatenate([*look.decisions, np.empty(0, np.int32)]).astype(np.int32)
    calls = tuple(_calls(mapped, blocks, order_at)) + tuple(_zero_calls(known, zeroes, order_at))
    duplicate = not calls and not file.correction and file.sha256 == feed.last_sha256
    return Plan(
        calls=calls,
        runs=_runs(mapped.runs, decisions),
        duplicate_of=feed.last_id if duplicate else "",
        zeroed=int(zeroes.sum()),
        zeroing_refused=mapping.missing == "zero" and bool(mapped.keys_unread) and bool(absent.any()),
    )


def _too_many_rejects(mapped: MappedFile, mapping: Mapping) -> tuple[str, str] | None:
    """The reason against the whole file where `on_reject` says that its bad rows keep it back."""
    rejected = int(mapped.runs.lengths[mapped.runs.outcomes == _REJECTED].sum())
    if mapping.on_reject == "reject_file" and rejected:
        return (
            "too_many_rejects",
            f"{_rows(rejected)} of {mapped.rows:,} cannot be sent, and `on_reject` is reject_file.",
        )
    if (
        isinstance(mapping.on_reject, RejectAbove)
        and rejected > mapped.rows * mapping.on_reject.reject_file_above
    ):
        share = mapping.on_reject.reject_file_above
        return (
            "too_many_rejects",
            f"{_rows(rejected)} of {mapped.rows:,} cannot be sent, more than {share:.0%}.",
        )
    return None


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _order_at(mapped: MappedFile, file: InventoryFile) -> int:
    """The time that the file's values are given for, where a row has none of its own."""
    if file.order_at is not None:
        return file.order_at
    if mapped.as_of_file is None:
        return file.received_at
    return min(mapped.as_of_file, file.received_at) if file.released else mapped.as_of_file


def _times(batch: Batch, order_at: int, file: InventoryFile) -> Longs:
    """The time of each record, in microseconds UTC."""
    if "as_of" not in batch.schema.names:
        return np.full(batch.num_rows, order_at, dtype=np.int64)
    own = as_longs(batch.column("as_of"))
    times = np.where(own == NO_INSTANT, order_at, own)
    return np.minimum(times, file.received_at) if file.released else times


def _to_send(
    mapped: MappedFile,
    batches: Iterable[Batch],
    file: InventoryFile,
    mapping: Mapping,
    known: KnownQuantities,
    order_at: int,
    look: _Look,
) -> Iterator[Batch]:
    """The records that a call must carry, with their `record` numbers; `look` gathers the rest."""
    first = 0
    for batch in batches:
        times = _times(batch, order_at, file)
        if len(times):
            look.newest = max(look.newest, int(times.max()))
        decisions = _decide(batch, times, file, mapping, known, look)
        look.decisions.append(decisions)
        records = np.arange(first, first + batch.num_rows, dtype=np.int32)
        first += batch.num_rows
        numbered = _with_record(batch, records, times)
        yield numbered if (decisions == _SEND).all() else numbered.filter(bool_array(decisions == _SEND))


def _with_record(batch: Batch, records: Ints, times: Longs) -> Batch:
    arrays, fields = [], []
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        fields.append(pa.field(name, column.type))
        arrays.append(long_array(times) if name == "as_of" else column)
    return pa.RecordBatch.from_arrays(
        [*arrays, int_array(records)], schema=pa.schema([*fields, pa.field("record", pa.int32())])
    )


def _decide(
    batch: Batch, times: Longs, file: InventoryFile, mapping: Mapping, known: KnownQuantities, look: _Look
) -> Ints:
    """For each record: send it, or what it is without a call."""
    decisions = np.full(batch.num_rows, _SEND, dtype=np.int32)
    if not len(known):
        return decisions
    vpcs = batch.column("vpc")
    hashes = hash_text(vpcs)
    places, found = find(known, vpcs, hashes)
    look.present[places[found]] = True
    older = found & (times < known.order_at[places])
    quantities = as_ints(batch.column("quantity"))
    look.zeroed[places[found & ~older & (quantities == 0)]] = True
    if mapping.send == "changed" and not file.forced:
        fresh = known.confirmed_at[places] > file.now - int(mapping.restate_every * SECOND)
        same = found & fresh & (quantities == known.quantities[places]) & ~np.isin(hashes, known.doubtful)
        for name, column in (("unit_cost", known.unit_costs), ("active", known.actives)):
            if name in batch.schema.names:
                stated = batch.column(name)
                same &= as_mask(pc.equal(stated, column.take(int_array(places)))) | as_mask(
                    pc.equal(pc.binary_length(stated), int_array(np.zeros(1, np.int32))[0])
                )
        decisions[same] = _UNCHANGED
    decisions[older] = _SUPERSEDED
    return decisions


def find(known: KnownQuantities, vpcs: pa.StringArray, hashes: np.ndarray) -> tuple[Ints, Mask]:
    """Where each VPC stands in what is known: its place, and whether it is there at all.

    Hashes nominate, text decides; places of VPCs that are not there mean nothing.
    """
    last = len(known) - 1
    places = np.minimum(np.searchsorted(known.hashes, hashes), last).astype(np.int32)
    candidate = known.hashes[places] == hashes
    found = candidate & as_mask(pc.equal(vpcs, known.vpcs.take(int_array(places))))
    open_ = np.flatnonzero(candidate & ~found)
    while len(open_):
        # Two VPCs share a hash: go on to the next place that has it.
        places[open_] = np.minimum(places[open_] + 1, last)
        still = known.hashes[places[open_]] == hashes[open_]
        equal = as_mask(pc.equal(vpcs.take(int_array(open_)), known.vpcs.take(int_array(places[open_]))))
        found[open_] = still & equal
        open_ = open_[still & ~equal & (places[open_] < last)]
    return places, found


def _absent(
    mapped: MappedFile,
    file: InventoryFile,
    mapping: Mapping,
    known: KnownQuantities,
    order_at: int,
    look: _Look,
) -> Mask:
    """VPCs that this feed has set before and that a file which covers everything does not name."""
    if mapping.covers != "everything" or file.correction or not len(known):
        return np.zeros(len(known), np.bool_)
    present = look.present.copy()
    if mapped.rejected_keys:
        keys = text_column(mapped.rejected_keys)
        places, found = find(known, keys, hash_text(keys))
        present[places[found]] = True
    return known.of_feed & ~present & (known.order_at <= order_at)


def _zeroes_absent(mapped: MappedFile, mapping: Mapping, file: InventoryFile) -> bool:
    """Whether absent VPCs are set to zero; a released `missing: hold` is let go, and so does."""
    return not mapped.keys_unread and (
        mapping.missing == "zero" or (mapping.missing == "hold" and file.released)
    )


def _hold(
    mapped: MappedFile,
    file: InventoryFile,
    mapping: Mapping,
    known: KnownQuantities,
    feed: KnownFeed,
    look: _Look,
    absent: Mask,
    order_at: int,
) -> Hold | None:
    hold = hold_for_future(max(look.newest, order_at), file.received_at)
    if hold or mapping.guard == "off":
        return hold
    stocked = known.of_feed & (known.quantities > 0)
    zeroed = stocked & (
        look.zeroed | absent if _zeroes_absent(mapped, mapping, file) else stocked & look.zeroed
    )
    change = Change(mapped.rows, int(stocked.sum()), int(zeroed.sum()), int(absent.sum()))
    hold = hold_for_guard(change, covers=mapping.covers, guard=mapping.guard, feed=feed)
    gone = absent & (known.quantities != 0)
    if not hold and mapping.missing == "hold" and gone.any():
        names = known.vpcs.take(int_array(np.flatnonzero(gone)[:5].astype(np.int32))).to_pylist()
        more = f" and {int(gone.sum()) - 5:,} more" if gone.sum() > 5 else ""
        return Hold(
            "guard",
            f"VPCs are absent from the file: {', '.join(names)}{more}. Released, they are set to zero.",
        )
    return hold


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


def release(hold_file: InventoryFile) -> InventoryFile:
    """The same file, let go by a person."""
    return replace(hold_file, released=True)
