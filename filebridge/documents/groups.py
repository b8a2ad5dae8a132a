"""Records that share a key, found by hashes and told apart by text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from filebridge.columns import (
    Batch,
    Hashes,
    Ints,
    Longs,
    Mask,
    as_ints,
    as_longs,
    bool_array,
    int_array,
    repeated,
)

Reread = Callable[[], Iterator[Batch]]
"""The records again, as they were handed over."""

_BITS_OF_A_BUCKET: Final = 21
_WORTH_SIEVING: Final = 1 << 16
_AT_A_TIME: Final = 4096
_RECORDS_OF_A_PART: Final = 150_000


def standing_twice(hashes: Hashes) -> Mask:
    """Which places have a hash that stands at another place too."""
    if len(hashes) < _WORTH_SIEVING:
        return repeated(hashes)
    # Sorting a million hashes costs 95 ms; dropping those that are alone in a bucket first, 25 ms in all.
    places = np.flatnonzero(_sharing_a_bucket(hashes, 0)).astype(np.int32)
    places = places[_sharing_a_bucket(hashes[places], _BITS_OF_A_BUCKET)]
    twice = np.zeros(len(hashes), dtype=np.bool_)
    twice[places[repeated(hashes[places])]] = True
    return twice


def _sharing_a_bucket(hashes: Hashes, shift: int) -> Mask:
    """Places that are not alone in their bucket, by some bits of the hash. Equal hashes share theirs."""
    buckets = 1 << _BITS_OF_A_BUCKET
    bucket = np.empty(len(hashes), dtype=np.int32)
    for first in range(0, len(hashes), _WORTH_SIEVING):
        some = slice(first, first + _WORTH_SIEVING)
        bucket[some] = (hashes[some] >> np.uint64(shift)) & np.uint64(buckets - 1)
    holder = np.empty(buckets, dtype=np.int32)
    places = np.arange(len(hashes), dtype=np.int32)
    holder[bucket] = places
    shared = np.zeros(buckets, dtype=np.bool_)
    shared[bucket[holder[bucket] != places]] = True
    return shared[bucket]


def in_parts(nominated: Mask, hashes: Hashes) -> Iterator[Mask]:
    """The nominated records in parts that can be told apart in little memory. Equal hashes stand in one part."""
    parts = int(nominated.sum()) // _RECORDS_OF_A_PART + 1
    if parts == 1:
        yield nominated
        return
    for part in range(parts):
        yield nominated & (hashes % np.uint64(parts) == part)


@dataclass(frozen=True)
class Groups:
    """Some records of a file, ordered by key, within a key by what they say, and alike ones by number.

    `records` are their numbers, `batch` their fields, `group` counts keys and `alike` counts sets of records
    that are equal in every field: four things of one length. `starts` are the places where groups begin.
    """

    records: Ints
    batch: Batch
    group: Ints
    alike: Ints
    starts: Ints

    def first_alike(self) -> Ints:
        """For each place, the number of the first record that is equal to its own in every field."""
        firsts = np.flatnonzero(np.diff(self.alike, prepend=-1))
        return self.records[firsts][self.alike]

    def firsts(self) -> Ints:
        """For each group, the number of its first record."""
        return np.minimum.reduceat(self.records, self.starts)

    def differ(self) -> Mask:
        """Which groups hold records that are not equal."""
        ends = np.append(self.starts[1:], len(self.records)) - 1
        differ: Mask = self.alike[self.starts] != self.alike[ends]
        return differ

    def differ_in(self, values: Ints | Longs) -> Mask:
        """Which groups hold different `values`, given one for each place."""
        differ: Mask = np.minimum.reduceat(values, self.starts) != np.maximum.reduceat(values, self.starts)
        return differ

    def like_the_last(self) -> Mask:
        """The places that are equal to the last record of their group."""
        is_last = self.records == np.maximum.reduceat(self.records, self.starts)[self.group]
        like: Mask = self.alike == self.alike[is_last][self.group]
        return like

    def like_the_first_place(self) -> Mask:
        """The places that are equal to the smallest record of their group, by the fields in their order."""
        like: Mask = self.alike == self.alike[self.starts][self.group]
        return like

    def members(self, wanted: Mask) -> Iterator[tuple[Ints, dict[str, list[str | int]]]]:
        """Of each wanted group, in order: the numbers of its records, rising, and what they say, by field."""
        for some in _slices(np.flatnonzero(wanted)):
            places = np.flatnonzero(np.isin(self.group, some))
            places = places[np.lexsort((self.records[places], self.group[places]))]
            said = self.batch.take(int_array(places.astype(np.int32))).to_pydict()
            ends = np.flatnonzero(np.diff(self.group[places], append=-1)) + 1
            start = 0
            for end in ends.tolist():
                yield self.records[places[start:end]], {name: said[name][start:end] for name in said}
                start = end


def group_records(nominated: Mask, reread: Reread, *, by: str) -> Groups:
    """The nominated records, by the text of one field. At least one is nominated.

    Fields are compared in the order of the records' schema; text by code, which is no order.
    """
    batch = take_records(nominated, reread)
    records = np.flatnonzero(nominated).astype(np.int32)
    codes = {name: codes_of(batch.column(name)) for name in batch.schema.names}
    others = [codes[name] for name in reversed(batch.schema.names) if name != by]
    order = np.lexsort((records, *others, codes[by])).astype(np.int32)
    new_group = np.diff(codes[by][order], prepend=-1) != 0
    new_set = new_group.copy()
    for values in others:
        new_set[1:] |= values[order][1:] != values[order][:-1]
    return Groups(
        records=records[order],
        batch=batch.take(int_array(order)),
        group=(np.cumsum(new_group) - 1).astype(np.int32),
        alike=(np.cumsum(new_set) - 1).astype(np.int32),
        starts=np.flatnonzero(new_group).astype(np.int32),
    )


def codes_of(column: Any) -> Ints | Longs:
    """Numbers that are equal where the column's values are; numbers are their own."""
    if column.type == pa.int32():
        return as_ints(column)
    if column.type == pa.int64():
        return as_longs(column)
    return as_ints(column.dictionary_encode().indices)


def _slices(groups: Longs) -> Iterator[Longs]:
    """Some thousand groups at a time, so that telling of them takes no more memory where they are many."""
    for first in range(0, len(groups), _AT_A_TIME):
        yield groups[first : first + _AT_A_TIME]


def take_records(nominated: Mask, reread: Reread) -> Batch:
    """The nominated records as one batch, in order of their numbers. At least one is nominated."""
    taken = []
    first = 0
    for batch in reread():
        part = nominated[first : first + batch.num_rows]
        first += batch.num_rows
        if part.any():
            taken.append(batch.filter(bool_array(part)))
    return pa.Table.from_batches(taken).combine_chunks().to_batches()[0]
