"""Confirmed quantities: no table, but the newest confirmed value of each VPC over the blocks of confirmed calls.

The fold goes by columns, in partitions, so that neither a year of small feeds nor one large file costs memory.
A statement is one record of one confirmed call. Newest is the latest time, of equal times the later arrival,
then the later call. Hashes bring the statements of one VPC together; text decides whether they are of one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

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
    constant_text,
    hash_text,
    int_array,
    long_array,
    pack,
    text_scalar,
    unpack,
)
from filebridge.planning.inventory import find
from filebridge.planning.known import KnownQuantities, nothing_known
from filebridge.planning.plan import Action, PlannedCall

HashOf: TypeAlias = Callable[[TextColumn], Hashes]

_PIECE: Final = 50_000
"""Statements that are hashed and compared at once: their copies stay small."""
_PARTITION: Final = 1_200_000
"""Statements that are folded at once, at the least."""

_CONFIRMED: Final = """
    SELECT order_at, arrival, answered_at, feed = ?, block FROM call
    WHERE vendor = ? AND action = 'update' AND state = 'confirmed' ORDER BY id
"""
_DOUBTFUL: Final = """
    SELECT block FROM call
    WHERE vendor = ? AND action = 'update' AND state IN ('planned', 'sending', 'uncertain')
    AND file_id IS NOT ? ORDER BY id
"""


def known_quantities(
    connection: sa.Connection, vendor: str, feed: str, *, but_file: str = "", hash_of: HashOf = hash_text
) -> KnownQuantities:
    """The newest confirmed values of a vendor, over all of its feeds, for planning a file of `feed`.

    VPCs in calls of other files than `but_file` whose answer is open are `doubtful`. Two VPCs with one hash
    stand side by side, each with its own text.
    """
    doubtful = _doubtful(connection, vendor, but_file, hash_of)
    return _Fold(hash_of).over(connection, vendor, feed, doubtful=doubtful)


def newest_of(
    connection: sa.Connection, vendor: str, vpcs: TextColumn, *, hash_of: HashOf = hash_text
) -> KnownQuantities:
    """The newest confirmed values of these VPCs, those that RetailOps was never told of left out."""
    wanted = hash_of(vpcs)
    found = _Fold(hash_of, wanted=wanted).over(connection, vendor, "", doubtful=np.empty(0, dtype=np.uint64))
    if not len(found):
        return found
    places, known = find(found, vpcs, wanted)
    asked = np.zeros(len(found), dtype=np.bool_)
    asked[places[known]] = True
    return _at(found, _places(asked))


def restatement(newest: KnownQuantities) -> PlannedCall:
    """The call that states these values once more, each with the time that it was given for."""
    arrays = [
        newest.vpcs,
        int_array(newest.quantities),
        newest.unit_costs,
        newest.actives,
        long_array(newest.order_at),
        int_array(np.full(len(newest), -1, dtype=np.int32)),
    ]
    schema = pa.schema(
        [
            ("vpc", pa.string()),
            ("quantity", pa.int32()),
            ("unit_cost", pa.string()),
            ("active", pa.string()),
            ("as_of", pa.int64()),
            ("record", pa.int32()),
        ]
    )
    return PlannedCall(
        Action.UPDATE,
        records=len(newest),
        rows=0,
        block=pack(pa.RecordBatch.from_arrays(arrays, schema=schema)),
        order_at=int(newest.order_at.max()) if len(newest) else 0,
    )


def stale_records(known: KnownQuantities, batch: Batch, order_at: int, *, arrival: int) -> Mask:
    """Which records of a call's batch a newer confirmed value stands against: they must not be sent any more.

    `order_at` and `arrival` are the call's; a record's own `as_of` comes before `order_at`. `known` must have
    been made with the usual hashes.
    """
    if not len(known) or not batch.num_rows:
        return np.zeros(batch.num_rows, dtype=np.bool_)
    vpcs = batch.column("vpc")
    places, found = find(known, vpcs, hash_text(vpcs))
    times = _times(batch, order_at)
    arrivals = known.arrivals if len(known.arrivals) else np.zeros(len(known), dtype=np.int64)
    newer = known.order_at[places] > times
    newer |= (known.order_at[places] == times) & (arrivals[places] > arrival)
    stale: Mask = found & newer
    return stale


@dataclass(frozen=True)
class _Statements:
    """What calls said, one place a record. `calls` are places in the lists of `_Fold`."""

    vpcs: TextColumn
    hashes: Hashes
    quantities: Ints
    order_at: Longs
    calls: Ints
    unit_costs: TextColumn | None
    """None where none of these calls states it."""
    actives: TextColumn | None

    def take(self, places: Ints) -> _Statements:
        indices = int_array(places)
        return _Statements(
            vpcs=self.vpcs.take(indices),
            hashes=self.hashes[places],
            quantities=self.quantities[places],
            order_at=self.order_at[places],
            calls=self.calls[places],
            unit_costs=None if self.unit_costs is None else self.unit_costs.take(indices),
            actives=None if self.actives is None else self.actives.take(indices),
        )


@dataclass(frozen=True)
class _Newest:
    """Places of the newest statements, one for each VPC in order of hashes; -1 where nothing was stated.

    None where nothing was stated for any VPC.
    """

    statements: _Statements
    quantity: Ints
    unit_cost: Ints | None
    active: Ints | None
    of_feed: Ints | None

    def kept(self) -> _Statements:
        """The statements that still decide something, in order of time."""
        keep = np.zeros(len(self.statements.hashes), dtype=np.bool_)
        for places in (self.quantity, self.unit_cost, self.active, self.of_feed):
            if places is not None:
                keep[places[places >= 0]] = True
        return self.statements if keep.all() else self.statements.take(_places(keep))


@dataclass
class _Fold:
    """Goes over the confirmed calls of a vendor; knows of each call its arrival, confirmation and feed."""

    hash_of: HashOf
    wanted: Hashes | None = None
    arrivals: list[int] = field(default_factory=list)
    confirmed_at: list[int] = field(default_factory=list)
    of_feed: list[bool] = field(default_factory=list)

    def over(self, connection: sa.Connection, vendor: str, feed: str, *, doubtful: Hashes) -> KnownQuantities:
        parts: list[_Statements] = []
        size = kept = 0
        newest: _Newest | None = None
        for statements in self._pieces(connection, vendor, feed):
            parts.append(statements)
            size += len(statements.hashes)
            # Never less than was kept at a time: else a large past would be gone over again and again.
            if size >= max(_PARTITION, 2 * kept):
                newest = self._newest(parts)
                parts = [newest.kept()]
                size = kept = len(parts[0].hashes)
        if size > kept:
            newest = self._newest(parts)
        if newest is None:
            return replace(nothing_known(), doubtful=doubtful)
        parts.clear()
        return self._known(newest, doubtful)

    def _pieces(self, connection: sa.Connection, vendor: str, feed: str) -> Iterator[_Statements]:
        batches: list[Batch] = []
        times: list[Longs] = []
        calls: list[Ints] = []
        size = 0
        for order_at, arrival, confirmed_at, of_feed, block in connection.exec_driver_sql(
            _CONFIRMED, (feed, vendor)
        ):
            batch = unpack(block)
            batches.append(batch)
            times.append(_times(batch, order_at))
            calls.append(np.full(batch.num_rows, len(self.arrivals), dtype=np.int32))
            self.arrivals.append(arrival)
            self.confirmed_at.append(confirmed_at)
            self.of_feed.append(bool(of_feed))
            size += batch.num_rows
            if size >= _PIECE:
                yield self._statements(batches, times, calls)
                batches, times, calls, size = [], [], [], 0
        if batches:
            yield self._statements(batches, times, calls)

    def _statements(self, batches: list[Batch], times: list[Longs], calls: list[Ints]) -> _Statements:
        vpcs = pa.concat_arrays([batch.column("vpc") for batch in batches])
        statements = _Statements(
            vpcs=vpcs,
            hashes=self.hash_of(vpcs),
            quantities=np.concatenate([as_ints(batch.column("quantity")) for batch in batches]),
            order_at=np.concatenate(times),
            calls=np.concatenate(calls),
            unit_costs=_stated(batches, "unit_cost"),
            actives=_stated(batches, "active"),
        )
        if self.wanted is None:
            return statements
        return statements.take(_places(np.isin(statements.hashes, self.wanted)))

    def _newest(self, parts: list[_Statements]) -> _Newest:
        """What is newest in these parts, which are let go of."""
        joined = _joined(parts)
        parts.clear()
        statements = self._in_order_of_time(joined)
        order, last = _by_vpc(statements)
        starts = np.concatenate([np.zeros(1, np.int32), _places(last)[:-1] + 1]) if len(order) else order
        of_feed = np.array(self.of_feed, dtype=np.bool_)
        return _Newest(
            statements=statements,
            quantity=order[last],
            unit_cost=_last_of(order, starts, _filled(statements.unit_costs)),
            active=_last_of(order, starts, _filled(statements.actives)),
            of_feed=_last_of(order, starts, of_feed[statements.calls] if of_feed.any() else None),
        )

    def _in_order_of_time(self, statements: _Statements) -> _Statements:
        """Statements stand in order of calls: only where a later call speaks of an earlier time do they move."""
        arrivals = np.array(self.arrivals, dtype=np.int32)[statements.calls]
        in_order = statements.order_at[1:] > statements.order_at[:-1]
        in_order |= (statements.order_at[1:] == statements.order_at[:-1]) & (arrivals[1:] >= arrivals[:-1])
        if in_order.all():
            return statements
        return statements.take(np.lexsort((statements.calls, arrivals, statements.order_at)).astype(np.int32))

    def _known(self, newest: _Newest, doubtful: Hashes) -> KnownQuantities:
        statements, places = newest.statements, newest.quantity
        calls = statements.calls[places]
        return KnownQuantities(
            hashes=statements.hashes[places],
            vpcs=statements.vpcs.take(int_array(places)),
            quantities=statements.quantities[places],
            unit_costs=_texts(statements.unit_costs, newest.unit_cost, len(places)),
            actives=_texts(statements.actives, newest.active, len(places)),
            order_at=statements.order_at[places],
            confirmed_at=np.array(self.confirmed_at, dtype=np.int64)[calls],
            of_feed=np.zeros(len(places), np.bool_) if newest.of_feed is None else newest.of_feed >= 0,
            doubtful=doubtful,
            arrivals=np.array(self.arrivals, dtype=np.int64)[calls],
        )


def _places(mask: Mask) -> Ints:
    return np.flatnonzero(mask).astype(np.int32)


def _by_vpc(statements: _Statements) -> tuple[Ints, Mask]:
    """Places in order of VPC, then of time; and which of them is the last of its VPC."""
    hashes = statements.hashes
    order = np.argsort(hashes, kind="stable").astype(np.int32)
    last = np.ones(len(order), dtype=np.bool_)
    last[:-1] = np.diff(hashes[order]) != 0
    pairs = _places(~last)
    if not len(pairs):
        return order, last
    unlike = ~_same_text(statements.vpcs, order[pairs], order[pairs + 1])
    if not unlike.any():
        return order, last
    # Two VPCs share a hash: under that hash, statements are told apart by their text.
    shared = _places(np.isin(hashes, hashes[order[pairs[unlike]]]))
    numbers: dict[str, int] = {}
    ranks = np.zeros(len(hashes), dtype=np.int32)
    for place in shared.tolist():
        ranks[place] = numbers.setdefault(statements.vpcs[place].as_py(), len(numbers))
    order = np.lexsort((ranks, hashes)).astype(np.int32)
    last[:-1] = (np.diff(hashes[order]) != 0) | (np.diff(ranks[order]) != 0)
    return order, last


def _same_text(vpcs: TextColumn, left: Ints, right: Ints) -> Mask:
    same = np.empty(len(left), dtype=np.bool_)
    for start in range(0, len(left), _PIECE):
        some = slice(start, start + _PIECE)
        same[some] = as_mask(pc.equal(vpcs.take(int_array(left[some])), vpcs.take(int_array(right[some]))))
    return same


def _last_of(order: Ints, starts: Ints, counts: Mask | None) -> Ints | None:
    """For each VPC the place of its last statement that counts, -1 where none does."""
    if counts is None or not len(starts):
        return None
    steps = np.where(counts[order], np.arange(len(order), dtype=np.int32), np.int32(-1))
    last = np.maximum.reduceat(steps, starts)
    return np.where(last >= 0, order[last], np.int32(-1))


def _stated(batches: list[Batch], name: str) -> TextColumn | None:
    if not any(name in batch.schema.names for batch in batches):
        return None
    return pa.concat_arrays(
        [
            batch.column(name) if name in batch.schema.names else constant_text("", batch.num_rows)
            for batch in batches
        ]
    )


def _filled(column: TextColumn | None) -> Mask | None:
    if column is None:
        return None
    return as_mask(pc.not_equal(column, text_scalar("")))


def _texts(column: TextColumn | None, places: Ints | None, length: int) -> TextColumn:
    if column is None or places is None:
        return constant_text("", length)
    stated = places >= 0
    texts = column.take(int_array(np.where(stated, places, np.int32(0))))
    return pc.if_else(bool_array(stated), texts, text_scalar(""))


def _times(batch: Batch, order_at: int) -> Longs:
    if "as_of" not in batch.schema.names:
        return np.full(batch.num_rows, order_at, dtype=np.int64)
    own = as_longs(batch.column("as_of"))
    return np.where(own == NO_INSTANT, np.int64(order_at), own)


def _joined(parts: list[_Statements]) -> _Statements:
    return _Statements(
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


def _doubtful(connection: sa.Connection, vendor: str, but_file: str, hash_of: HashOf) -> Hashes:
    found: Any = connection.exec_driver_sql(_DOUBTFUL, (vendor, but_file))
    hashes = [hash_of(unpack(block).column("vpc")) for (block,) in found]
    return np.unique(np.concatenate(hashes)) if hashes else np.empty(0, dtype=np.uint64)


def _at(known: KnownQuantities, places: Ints) -> KnownQuantities:
    indices = int_array(places)
    return KnownQuantities(
        hashes=known.hashes[places],
        vpcs=known.vpcs.take(indices),
        quantities=known.quantities[places],
        unit_costs=known.unit_costs.take(indices),
        actives=known.actives.take(indices),
        order_at=known.order_at[places],
        confirmed_at=known.confirmed_at[places],
        of_feed=known.of_feed[places],
        doubtful=known.doubtful,
        arrivals=known.arrivals[places],
    )
