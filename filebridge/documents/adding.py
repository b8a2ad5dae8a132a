"""Inventory rows that are added up (`duplicates: sum`): all rows of a VPC share one record, and one outcome."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from filebridge.columns import (
    Batch,
    Hashes,
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
    text_column,
)
from filebridge.documents.groups import (
    Groups,
    Reread,
    codes_of,
    group_records,
    in_parts,
    standing_twice,
    take_records,
)
from filebridge.documents.settled import (
    REJECTED,
    Refusal,
    Refuse,
    RowsOf,
    Settled,
    refuse_conflicts,
    renumbered,
)
from filebridge.rejects import Note


@dataclass(frozen=True)
class TotalRule:
    """What becomes of a VPC's total: a quantity from 0, or a code and a message.

    `is_plain` says that the quantity of a row that stands alone stays what it is.
    """

    finish: Callable[[int], int | tuple[str, str]]
    is_plain: bool


@dataclass
class Adding:
    """The records of one file while they are added up.

    `rejected_keys` are the VPCs of rejected rows, each with the first such row: one bad row rejects them all.
    `quantities` has that of each record; the first record of a VPC is given the total of all.
    """

    rule: TotalRule
    rejected_keys: Mapping[str, int]
    quantities: Longs
    rows_of: RowsOf
    reread: Reread
    refuse: Refuse
    _newest: list[tuple[Ints, Longs]] = field(default_factory=list)
    """Of each part: first records of VPCs and their newest `as_of`: a total is as new as its newest part."""

    def settle(self, hashes: Hashes, notes: tuple[Note, ...]) -> Settled:
        """What becomes of each record."""
        fates = np.arange(len(hashes), dtype=np.int32)
        nominated = standing_twice(hashes)
        keys = text_column(list(self.rejected_keys))
        if len(keys):
            nominated |= np.isin(hashes, hash_text(keys))
        if nominated.any():
            for part in in_parts(nominated, hashes):
                self._add_up(group_records(part, self.reread, by="vpc"), keys, fates)
        self._finish(fates, nominated)
        kept: Mask = fates == np.arange(len(hashes), dtype=np.int32)
        if kept.all() and self.rule.is_plain:
            return Settled(notes=notes)
        return Settled(renumbered(fates, kept), lambda: self._records(kept), notes)

    def _add_up(self, groups: Groups, rejected: pa.StringArray, fates: Ints) -> None:
        """Totals of some VPCs; those with a bad row, or whose rows differ in what cannot be added, are refused."""
        firsts = groups.firsts()
        fates[groups.records] = firsts[groups.group]
        quantities = as_ints(groups.batch.column("quantity")).astype(np.int64)
        self.quantities[firsts] = np.add.reduceat(quantities, groups.starts)
        if "as_of" in groups.batch.schema.names:
            moments = as_longs(groups.batch.column("as_of"))
            self._newest.append((firsts, np.maximum.reduceat(moments, groups.starts)))
        differ = np.zeros(len(groups.starts), dtype=np.bool_)
        for name in groups.batch.schema.names:
            if name in ("unit_cost", "active"):
                differ |= groups.differ_in(codes_of(groups.batch.column(name)))
        vpcs = groups.batch.column("vpc").take(int_array(groups.starts))
        bad = as_mask(pc.is_in(vpcs, value_set=rejected))
        fates[groups.records[(differ | bad)[groups.group]]] = REJECTED
        self.refuse(refuse_conflicts(groups, differ & ~bad, self.rows_of))
        self.refuse(self._in_bad_company(groups, bad))

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

    def _finish(self, fates: Ints, nominated: Mask) -> None:
        """Buffer, min and max of each total. A total that is no quantity rejects all its rows."""
        stands = fates == np.arange(len(fates), dtype=np.int32)
        places = np.flatnonzero(stands & nominated if self.rule.is_plain else stands)
        totals, which = np.unique(self.quantities[places], return_inverse=True)
        answers = [self.rule.finish(total) for total in totals.tolist()]
        finished = np.array([answer if isinstance(answer, int) else -1 for answer in answers], dtype=np.int64)
        self.quantities[places] = finished[which]
        failed = np.flatnonzero(finished[which] < 0)
        if not len(failed):
            return
        faults = {int(places[at]): answers[which[at]] for at in failed.tolist()}
        rows = np.isin(fates, places[failed])
        firsts = fates[rows]
        fates[rows] = REJECTED
        self.refuse(self._out_of_range(rows, firsts, faults))

    def _out_of_range(
        self, rows: Mask, firsts: Ints, faults: Mapping[int, int | tuple[str, str]]
    ) -> Iterator[Refusal]:
        vpcs = take_records(rows, self.reread).column("vpc").to_pylist()
        for record, first, vpc in zip(np.flatnonzero(rows).tolist(), firsts.tolist(), vpcs, strict=True):
            fault = faults[first]
            if isinstance(fault, tuple):
                message = f"The quantities of {vpc} are added up here: {fault[1]}"
                yield Refusal(record, vpc, "quantity", fault[0], message)

    def _records(self, kept: Mask) -> Iterator[Batch]:
        """The records that stay, each VPC's first one with the total of all."""
        newest = self._newest_by_record()
        first = 0
        for batch in self.reread():
            last = first + batch.num_rows
            columns = {name: batch.column(name) for name in batch.schema.names}
            columns["quantity"] = int_array(self.quantities[first:last].astype(np.int32))
            if newest:
                records, newest_moments = newest
                moments = as_longs(batch.column("as_of")).copy()
                start, end = np.searchsorted(records, (first, last)).tolist()
                moments[records[start:end] - first] = newest_moments[start:end]
                columns["as_of"] = long_array(moments)
            whole = pa.RecordBatch.from_arrays(list(columns.values()), schema=batch.schema)
            yield whole.filter(bool_array(kept[first:last]))
            first = last

    def _newest_by_record(self) -> tuple[Ints, Longs] | None:
        if not self._newest:
            return None
        records = np.concatenate([firsts for firsts, _ in self._newest])
        moments = np.concatenate([newest for _, newest in self._newest])
        order = np.argsort(records)
        return records[order], moments[order]
