"""Inventory across rows: what becomes of several rows that name one VPC (DESIGN section 5, `duplicates`).

`InventoryRows` is handed the records of a file as they are read, and keeps a hash of each VPC. When all are
read, `settle` says which records stay and which rows share them. Hashes only nominate: the texts decide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from filebridge.clock import iso
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
    bool_array,
    hash_text,
    int_array,
    long_array,
    text_column,
)
from filebridge.documents.groups import Groups, codes_of, group_records, standing_twice, take_records
from filebridge.rejects import Note

Duplicates = Literal["reject", "last", "sum", "min"]
Rows = Callable[[], Ints]
"""The row of each record, in the order in which they were handed over. Asked only where rows must be named."""
Reread = Callable[[], Iterator[Batch]]
"""The records again, as they were handed over."""

REJECTED: Final = -1
PASSED_OVER: Final = -2
_MOST_NAMED: Final = 6
_MOST_TWINS: Final = 3
_LOWER_A, _UPPER_A = np.uint8(0x61), np.uint8(0x41)


@dataclass(frozen=True)
class TotalRule:
    """What `sum` makes of a VPC's total: a quantity from 0, or a code and a message.

    `is_plain` says that the quantity of a row that stands alone stays what it is.
    """

    finish: Callable[[int], int | tuple[str, str]]
    is_plain: bool


@dataclass(frozen=True)
class Refusal:
    """Why the row of a record cannot go: its number as handed over, its VPC, our field, and what a reject says."""

    record: int
    vpc: str
    field: str
    code: str
    message: str
    value: str = ""


@dataclass(frozen=True)
class Settled:
    """What became of the records that were handed over.

    `fates` has for each the number of the record in the new spool whose outcome its row shares, or REJECTED, or
    PASSED_OVER; None where nothing has changed. `refusals` can be gone through once, before `records` is called,
    which gives the new spool's batches.
    """

    fates: Ints | None = None
    refusals: Iterable[Refusal] = ()
    records: Callable[[], Iterator[Batch]] | None = None
    notes: tuple[Note, ...] = ()


@dataclass
class InventoryRows:
    """The records of one file, gathered while they are read. `total_rule` is needed under `sum` alone."""

    duplicates: Duplicates
    total_rule: TotalRule | None = None
    rejected_keys: dict[str, int] = field(default_factory=dict)
    """VPCs of rejected rows, each with the first such row."""
    _hashes: list[Hashes] = field(default_factory=list)
    _quantities: list[Ints] = field(default_factory=list)
    _has_upper: bool = False
    _has_lower: bool = False

    def add(self, batch: Batch) -> None:
        """Take the records of one chunk."""
        vpcs = batch.column("vpc")
        self._hashes.append(hash_text(vpcs))
        if self.duplicates == "sum":
            self._quantities.append(as_ints(batch.column("quantity")).copy())
        if not (self._has_lower and self._has_upper) and batch.num_rows:
            letters = _bytes_of(vpcs)
            self._has_lower = self._has_lower or bool((letters - _LOWER_A < 26).any())
            self._has_upper = self._has_upper or bool((letters - _UPPER_A < 26).any())

    def refuse(self, vpcs: Sequence[str], rows: Sequence[int]) -> None:
        """Take the VPCs of rows that were rejected."""
        for vpc, row in zip(vpcs, rows, strict=True):
            self.rejected_keys.setdefault(vpc, row)

    def settle(self, *, rows_of: Rows, reread: Reread) -> Settled:
        """What becomes of each record, now that all are read."""
        hashes = np.concatenate(self._hashes) if self._hashes else np.empty(0, dtype=np.uint64)
        self._hashes.clear()
        notes = _twins(reread) if self._has_lower and self._has_upper else ()
        if self.duplicates == "sum" and self.total_rule:
            total = _Total(self.total_rule, self.rejected_keys, self._joined_quantities())
            return total.settle(hashes, notes, rows_of=rows_of, reread=reread)
        nominated = standing_twice(hashes)
        if not nominated.any():
            return Settled(notes=notes)
        return self._choose(group_records(nominated, reread, by="vpc"), len(hashes), notes, rows_of, reread)

    def _choose(
        self, groups: Groups, count: int, notes: tuple[Note, ...], rows_of: Rows, reread: Reread
    ) -> Settled:
        """Under `reject`, `last` and `min`: which record of a VPC stands."""
        fates = np.arange(count, dtype=np.int32)
        fates[groups.records] = groups.first_alike()
        conflicts = groups.differ()
        if self.duplicates == "last":
            fates[groups.records[~groups.like_the_last()]] = PASSED_OVER
            conflicts[:] = False
        elif self.duplicates == "min":
            # Quantity is the first field after the VPC, so that a group begins with its smallest.
            fates[groups.records[~groups.like_the_first_place()]] = PASSED_OVER
            conflicts &= _has_two_smallest(groups)
        fates[groups.records[conflicts[groups.group]]] = REJECTED
        kept: Mask = fates == np.arange(count, dtype=np.int32)
        if kept.all():
            return Settled(notes=notes)
        refusals = _conflicts(groups, conflicts, rows_of)
        return Settled(_renumbered(fates, kept), refusals, lambda: _kept(reread, kept), notes)

    def _joined_quantities(self) -> Longs:
        if not self._quantities:
            return np.empty(0, dtype=np.int64)
        return np.concatenate(self._quantities).astype(np.int64)


def _bytes_of(column: TextColumn) -> npt.NDArray[np.uint8]:
    """The bytes of a column's texts, one after the other."""
    _, offsets, content = column.buffers()
    if content is None:
        return np.empty(0, dtype=np.uint8)
    ends = np.frombuffer(offsets, dtype=np.int32)
    first, last = int(ends[column.offset]), int(ends[column.offset + len(column)])
    return np.frombuffer(content, dtype=np.uint8)[first:last] if last > first else np.empty(0, dtype=np.uint8)


def _has_two_smallest(groups: Groups) -> Mask:
    """Which groups have records of the smallest quantity that differ in another field."""
    quantities = as_ints(groups.batch.column("quantity"))
    smallest = quantities[groups.starts]
    another = (quantities == smallest[groups.group]) & ~groups.like_the_first_place()
    has_two = np.zeros(len(groups.starts), dtype=np.bool_)
    has_two[groups.group[another]] = True
    return has_two


def _renumbered(fates: Ints, kept: Mask) -> Ints:
    """The fates, with records counted as they are once only the kept ones are left."""
    numbers = np.cumsum(kept, dtype=np.int32) - 1
    return np.where(fates >= 0, numbers[np.maximum(fates, 0)], fates).astype(np.int32)


def _kept(reread: Reread, kept: Mask) -> Iterator[Batch]:
    first = 0
    for batch in reread():
        yield batch.filter(bool_array(kept[first : first + batch.num_rows]))
        first += batch.num_rows


# Rows that say different things


def _conflicts(groups: Groups, conflicts: Mask, rows_of: Rows) -> Iterator[Refusal]:
    """A refusal for each record of the groups in `conflicts`, which names the other rows and what they say."""
    if not conflicts.any():
        return
    rows = rows_of()
    for records, said in groups.members(conflicts):
        vpc = str(said.pop("vpc")[0])
        different = {name: values for name, values in said.items() if len(set(values)) > 1}
        message = _conflict(vpc, different, rows[records].tolist())
        name, values = next(iter(different.items()))
        for record, value in zip(records.tolist(), values, strict=True):
            yield Refusal(record, vpc, name, "conflicting_rows", message, _as_text(name, value))


def _conflict(vpc: str, said: dict[str, list[str | int]], rows: list[int]) -> str:
    each = [
        ", ".join(f"{name} {_as_text(name, values[place]) or 'empty'}" for name, values in said.items())
        + f" in row {row}"
        for place, row in enumerate(rows[:_MOST_NAMED])
    ]
    more = f"; and {len(rows) - _MOST_NAMED:,} rows more" if len(rows) > _MOST_NAMED else ""
    return (
        f"{len(rows)} rows say different things of {vpc}: {'; '.join(each)}{more}. Keep one of them, or declare "
        "`duplicates:` in the mapping."
    )


def _as_text(name: str, value: str | int) -> str:
    if name == "as_of" and isinstance(value, int):
        return "" if value == int(NO_INSTANT) else iso(value)
    return str(value)


# Rows that are added up


@dataclass(frozen=True)
class _Total:
    """Under `sum`: all rows of a VPC share one record, and one bad row rejects them all."""

    rule: TotalRule
    rejected_keys: dict[str, int]
    quantities: Longs
    """Of each record; the first record of a VPC is given the total of all."""

    def settle(self, hashes: Hashes, notes: tuple[Note, ...], *, rows_of: Rows, reread: Reread) -> Settled:
        """What becomes of each record."""
        every = np.arange(len(hashes), dtype=np.int32)
        fates = every.copy()
        newest: _Newest | None = None
        refusals: Iterable[Refusal] = ()
        nominated = standing_twice(hashes) | self._shares_a_rejected_key(hashes)
        if nominated.any():
            groups = group_records(nominated, reread, by="vpc")
            fates[groups.records] = groups.firsts()[groups.group]
            totals = np.add.reduceat(as_ints(groups.batch.column("quantity")).astype(np.int64), groups.starts)
            self.quantities[groups.firsts()] = totals
            newest = _newest(groups)
            refusals = self._refuse_groups(groups, fates, rows_of)
        refusals = chain(refusals, self._finish(fates, nominated, reread))
        kept = fates == every
        if kept.all() and self.rule.is_plain:
            return Settled(notes=notes)
        return Settled(_renumbered(fates, kept), refusals, lambda: self._records(reread, kept, newest), notes)

    def _shares_a_rejected_key(self, hashes: Hashes) -> Mask:
        if not self.rejected_keys:
            return np.zeros(len(hashes), dtype=np.bool_)
        return np.isin(hashes, hash_text(text_column(list(self.rejected_keys))))

    def _refuse_groups(self, groups: Groups, fates: Ints, rows_of: Rows) -> Iterator[Refusal]:
        """Marks, in `fates`, groups with a bad row and groups whose rows differ in what cannot be added."""
        differ = np.zeros(len(groups.starts), dtype=np.bool_)
        for name in groups.batch.schema.names:
            if name in ("unit_cost", "active"):
                differ |= groups.differ_in(codes_of(groups.batch.column(name)))
        keys = groups.batch.column("vpc").take(int_array(groups.starts)).to_pylist()
        bad = np.fromiter((key in self.rejected_keys for key in keys), dtype=np.bool_, count=len(keys))
        fates[groups.records[(differ | bad)[groups.group]]] = REJECTED
        return chain(_conflicts(groups, differ & ~bad, rows_of), self._in_bad_company(groups, bad))

    def _in_bad_company(self, groups: Groups, bad: Mask) -> Iterator[Refusal]:
        """A refusal for each good row of a VPC of which another row was rejected."""
        for records, said in groups.members(bad):
            vpc = str(said["vpc"][0])
            message = (
                f"Row {self.rejected_keys[vpc]} of {vpc} was rejected, and the rows of a VPC are added up here. "
                "Correct that row and drop them all back."
            )
            for record in records.tolist():
                yield Refusal(record, vpc, "vpc", "group_rejected", message, vpc)

    def _finish(self, fates: Ints, nominated: Mask, reread: Reread) -> Iterator[Refusal]:
        """Buffer, min and max of each total. A total that is no quantity marks all its rows in `fates`."""
        every = np.arange(len(fates), dtype=np.int32)
        places = np.flatnonzero((fates == every) & (nominated | (not self.rule.is_plain)))
        totals, which = np.unique(self.quantities[places], return_inverse=True)
        answers = [self.rule.finish(total) for total in totals.tolist()]
        finished = [answer if isinstance(answer, int) else -1 for answer in answers]
        self.quantities[places] = np.array(finished, dtype=np.int64)[which]
        faults = {
            int(places[at]): answers[which[at]] for at in np.flatnonzero(self.quantities[places] < 0).tolist()
        }
        if not faults:
            return iter(())
        failed = np.isin(fates, list(faults))
        firsts = fates[failed]
        fates[failed] = REJECTED
        return _too_large(failed, firsts, faults, reread)

    def _records(self, reread: Reread, kept: Mask, newest: _Newest | None) -> Iterator[Batch]:
        first = 0
        for batch in reread():
            last = first + batch.num_rows
            columns = {name: batch.column(name) for name in batch.schema.names}
            columns["quantity"] = int_array(self.quantities[first:last].astype(np.int32))
            if newest:
                moments = as_longs(batch.column("as_of")).copy()
                some = slice(*np.searchsorted(newest.records, (first, last)).tolist())
                moments[newest.records[some] - first] = newest.moments[some]
                columns["as_of"] = long_array(moments)
            whole = pa.RecordBatch.from_arrays(list(columns.values()), schema=batch.schema)
            yield whole.filter(bool_array(kept[first:last]))
            first = last


def _too_large(
    failed: Mask, firsts: Ints, faults: dict[int, int | tuple[str, str]], reread: Reread
) -> Iterator[Refusal]:
    vpcs = take_records(failed, reread).column("vpc").to_pylist()
    for record, first, vpc in zip(np.flatnonzero(failed).tolist(), firsts.tolist(), vpcs, strict=True):
        fault = faults[first]
        if isinstance(fault, tuple):
            yield Refusal(record, vpc, "quantity", fault[0], f"The rows of {vpc} add up: {fault[1]}")


@dataclass(frozen=True)
class _Newest:
    """The newest `as_of` of each VPC, by its first record, rising: a total is as new as its newest part."""

    records: Ints
    moments: Longs


def _newest(groups: Groups) -> _Newest | None:
    if "as_of" not in groups.batch.schema.names:
        return None
    moments = np.maximum.reduceat(as_longs(groups.batch.column("as_of")), groups.starts)
    order = np.argsort(groups.firsts())
    return _Newest(groups.firsts()[order], moments[order])


# VPCs that differ in case alone


def _twins(reread: Reread) -> tuple[Note, ...]:
    """A note on VPCs that differ only in case: they are not the same, and may be meant to be."""
    folded = [hash_text(pc.ascii_upper(batch.column("vpc"))) for batch in reread()]
    nominated = standing_twice(np.concatenate(folded)) if folded else np.empty(0, dtype=np.bool_)
    if not nominated.any():
        return ()
    vpcs = group_records(nominated, reread, by="vpc")
    different = vpcs.batch.column("vpc").take(int_array(vpcs.starts))
    upper = pc.ascii_upper(different)
    codes = as_ints(upper.dictionary_encode().indices)
    shared = np.flatnonzero(np.bincount(codes) > 1)
    if not len(shared):
        return ()
    examples = [
        " and ".join(different.filter(bool_array(codes == code)).to_pylist()) for code in shared[:_MOST_TWINS]
    ]
    more = f", and {len(shared) - _MOST_TWINS:,} more" if len(shared) > _MOST_TWINS else ""
    message = (
        f"VPCs that differ only in upper and lower case count as different: {', '.join(examples)}{more}."
    )
    return (Note("similar_keys", message),)
