"""Inventory across rows: what becomes of several rows that name one VPC (DESIGN section 5, `duplicates`).

`InventoryRows` is handed the records of a file as they are read, and keeps a hash of each VPC. When all are
read, `settle` says which records stay and which rows share them. Hashes only nominate: the texts decide.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final, Literal

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from filebridge.columns import (
    Batch,
    Hashes,
    Ints,
    Longs,
    Mask,
    TextColumn,
    as_ints,
    bool_array,
    hash_text,
    int_array,
)
from filebridge.documents.adding import Adding, TotalRule
from filebridge.documents.groups import Groups, Reread, group_records, in_parts, standing_twice
from filebridge.documents.settled import (
    PASSED_OVER,
    REJECTED,
    Refuse,
    RowsOf,
    Settled,
    refuse_conflicts,
    renumbered,
)
from filebridge.rejects import Note

Duplicates = Literal["reject", "last", "sum", "min"]

_MOST_TWINS: Final = 3
_LOWER_A, _UPPER_A = np.uint8(0x61), np.uint8(0x41)


@dataclass
class InventoryRows:
    """The records of one file, gathered while they are read. `total_rule` is needed under `sum` alone."""

    duplicates: Duplicates
    total_rule: TotalRule | None = None
    key: ClassVar[str] = "vpc"
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

    def settle(self, *, rows_of: RowsOf, reread: Reread, refuse: Refuse) -> Settled:
        """What becomes of each record, now that all are read. `refuse` is told of rows that this rejects."""
        hashes = np.concatenate(self._hashes) if self._hashes else np.empty(0, dtype=np.uint64)
        self._hashes.clear()
        notes = _twins(reread) if self._has_lower and self._has_upper else ()
        if self.total_rule:
            keys = dict(self.rejected_keys)
            adding = Adding(self.total_rule, keys, self._joined_quantities(), rows_of, reread, refuse)
            return adding.settle(hashes, notes)
        nominated = standing_twice(hashes)
        if not nominated.any():
            return Settled(notes=notes)
        fates = np.arange(len(hashes), dtype=np.int32)
        for part in in_parts(nominated, hashes):
            groups = group_records(part, reread, by="vpc")
            conflicts = self._choose(groups, fates)
            refuse(refuse_conflicts(groups, conflicts, rows_of))
        kept: Mask = fates == np.arange(len(hashes), dtype=np.int32)
        if kept.all():
            return Settled(notes=notes)
        return Settled(renumbered(fates, kept), lambda: _kept(reread, kept), notes)

    def _choose(self, groups: Groups, fates: Ints) -> Mask:
        """Under `reject`, `last` and `min`: which record of each VPC stands. Returns the groups where none does."""
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
        return conflicts

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


def _kept(reread: Reread, kept: Mask) -> Iterator[Batch]:
    first = 0
    for batch in reread():
        yield batch.filter(bool_array(kept[first : first + batch.num_rows]))
        first += batch.num_rows


# VPCs that differ in case alone


def _twins(reread: Reread) -> tuple[Note, ...]:
    """A note on VPCs that differ only in case: they are not the same, and may be meant to be."""
    hashes = np.concatenate([hash_text(pc.ascii_upper(batch.column("vpc"))) for batch in reread()])
    nominated = standing_twice(hashes)
    count = 0
    examples: list[str] = []
    for part in in_parts(nominated, hashes) if nominated.any() else ():
        vpcs = group_records(part, reread, by="vpc")
        different = vpcs.batch.column("vpc").take(int_array(vpcs.starts))
        codes = as_ints(pc.ascii_upper(different).dictionary_encode().indices)
        shared = np.flatnonzero(np.bincount(codes) > 1)
        count += len(shared)
        examples += [
            " and ".join(different.filter(bool_array(codes == code)).to_pylist())
            for code in shared[: _MOST_TWINS - len(examples)]
        ]
    if not count:
        return ()
    more = f", and {count - len(examples):,} more" if count > len(examples) else ""
    message = (
        f"VPCs that differ only in upper and lower case count as different: {', '.join(examples)}{more}."
    )
    return (Note("similar_keys", message),)
