"""Statements: what calls said of which VPC, as columns, one place a record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from filebridge.columns import (
    NO_INSTANT,
    Batch,
    Hashes,
    Ints,
    Longs,
    Mask,
    TextColumn,
    as_longs,
    as_mask,
    constant_text,
    int_array,
)

PIECE: Final = 50_000
"""Statements that are hashed and compared at once: their copies stay small."""
_RANGE_BITS: Final = 3
RANGES: Final = 1 << _RANGE_BITS
"""Statements are parted by the first bits of their hash and folded part by part."""


@dataclass(frozen=True)
class Statements:
    """What calls said, one place a record. `calls` are places in a list of calls."""

    vpcs: TextColumn
    hashes: Hashes
    quantities: Ints
    order_at: Longs
    calls: Ints
    unit_costs: TextColumn | None
    """None where none of these calls states it."""
    actives: TextColumn | None

    def take(self, places: Ints) -> Statements:
        indices = int_array(places)
        return Statements(
            vpcs=self.vpcs.take(indices),
            hashes=self.hashes[places],
            quantities=self.quantities[places],
            order_at=self.order_at[places],
            calls=self.calls[places],
            unit_costs=None if self.unit_costs is None else self.unit_costs.take(indices),
            actives=None if self.actives is None else self.actives.take(indices),
        )


def times_of(batch: Batch, order_at: int) -> Longs:
    """The time of each record of a call's batch, microseconds UTC: its own `as_of`, else the call's."""
    if "as_of" not in batch.schema.names:
        return np.full(batch.num_rows, order_at, dtype=np.int64)
    own = as_longs(batch.column("as_of"))
    return np.where(own == NO_INSTANT, np.int64(order_at), own)


def joined(parts: Sequence[Statements]) -> Statements:
    """The statements of all parts, in their order."""
    return Statements(
        vpcs=pa.concat_arrays([part.vpcs for part in parts]),
        hashes=np.concatenate([part.hashes for part in parts]),
        quantities=np.concatenate([part.quantities for part in parts]),
        order_at=np.concatenate([part.order_at for part in parts]),
        calls=np.concatenate([part.calls for part in parts]),
        unit_costs=_joined_texts([(part.unit_costs, len(part.hashes)) for part in parts]),
        actives=_joined_texts([(part.actives, len(part.hashes)) for part in parts]),
    )


def _joined_texts(columns: list[tuple[TextColumn | None, int]]) -> TextColumn | None:
    if all(column is None for column, _ in columns):
        return None
    return pa.concat_arrays(
        [constant_text("", length) if column is None else column for column, length in columns]
    )


def by_range(statements: Statements) -> Iterator[Statements]:
    """The statements parted by the first bits of their hash, each part in order of calls."""
    numbers = (statements.hashes >> np.uint64(64 - _RANGE_BITS)).astype(np.uint8)
    order = np.argsort(numbers, kind="stable").astype(np.int32)
    bounds = np.searchsorted(numbers[order], np.arange(RANGES + 1))
    for first, end in pairwise(bounds.tolist()):
        yield statements.take(order[first:end])


def by_vpc(statements: Statements) -> tuple[Ints, Mask]:
    """Places in order of VPC, then of time; and which of them is the last of its VPC."""
    hashes = statements.hashes
    order = np.argsort(hashes, kind="stable").astype(np.int32)
    last = np.ones(len(order), dtype=np.bool_)
    last[:-1] = np.diff(hashes[order]) != 0
    pairs = places_of(~last)
    if not len(pairs):
        return order, last
    unlike = ~_same_text(statements.vpcs, order[pairs], order[pairs + 1])
    if not unlike.any():
        return order, last
    # Two VPCs share a hash: under that hash, statements are told apart by their text.
    shared = places_of(np.isin(hashes, hashes[order[pairs[unlike]]]))
    numbers: dict[str, int] = {}
    ranks = np.zeros(len(hashes), dtype=np.int32)
    for place in shared.tolist():
        ranks[place] = numbers.setdefault(statements.vpcs[place].as_py(), len(numbers))
    order = np.lexsort((ranks, hashes)).astype(np.int32)
    last[:-1] = (np.diff(hashes[order]) != 0) | (np.diff(ranks[order]) != 0)
    return order, last


def places_of(mask: Mask) -> Ints:
    """The places at which a mask is set."""
    return np.flatnonzero(mask).astype(np.int32)


def stated(batches: Sequence[Batch], name: str) -> TextColumn | None:
    """A text column of several batches, empty in those that lack it; None where all of them do."""
    if not any(name in batch.schema.names for batch in batches):
        return None
    return pa.concat_arrays(
        [
            batch.column(name) if name in batch.schema.names else constant_text("", batch.num_rows)
            for batch in batches
        ]
    )


def _same_text(vpcs: TextColumn, left: Ints, right: Ints) -> Mask:
    same = np.empty(len(left), dtype=np.bool_)
    for start in range(0, len(left), PIECE):
        some = slice(start, start + PIECE)
        same[some] = as_mask(pc.equal(vpcs.take(int_array(left[some])), vpcs.take(int_array(right[some]))))
    return same
