"""The fold: the newest statement of each VPC over the blocks of confirmed calls, by columns.

A statement is one record of one confirmed call. Newest is the latest time, of equal times the later arrival,
then the later call. Hashes bring the statements of one VPC together; text decides whether they are of one.
Statements are parted by their hashes and folded part by part, so that neither a year of small files nor one
large file takes much memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from filebridge.columns import (
    Batch,
    Hashes,
    Ints,
    Longs,
    Mask,
    TextColumn,
    as_ints,
    as_mask,
    bool_array,
    constant_text,
    int_array,
    text_scalar,
    unpack,
)
from filebridge.ledger.statements import (
    PIECE,
    RANGES,
    Statements,
    by_range,
    by_vpc,
    joined,
    places_of,
    stated,
    times_of,
)
from filebridge.planning.known import KnownQuantities, nothing_known

HashOf: TypeAlias = Callable[[TextColumn], Hashes]


@dataclass(frozen=True)
class ConfirmedCall:
    """What the fold is told of a confirmed call: the time of its values, where they came from, and its block.

    `arrival` is the number of the file that it belongs to. `of_feed` says that it is of the feed in question.
    """

    id: int
    order_at: int
    arrival: int
    confirmed_at: int
    of_feed: bool
    block: bytes


def fold(
    calls: Iterable[ConfirmedCall],
    *,
    doubtful: Hashes,
    hash_of: HashOf,
    wanted: Hashes | None = None,
    at_once: int = 150_000,
) -> KnownQuantities:
    """The newest value of each VPC; `calls` in order of their ids. Only VPCs with a hash of `wanted`, if given.

    `at_once` statements of one range of hashes at the least are gathered before they are folded: it is memory
    against time, and changes nothing else.
    """
    return _Fold(hash_of, wanted, at_once).over(calls, doubtful)


@dataclass(frozen=True)
class _Newest:
    """Places of the newest statements, one for each VPC in order of hashes; -1 where nothing was stated.

    None where nothing was stated for any VPC.
    """

    statements: Statements
    quantity: Ints
    unit_cost: Ints | None
    active: Ints | None
    of_feed: Ints | None

    def decides(self) -> Mask:
        """Which statements still decide something."""
        keep = np.zeros(len(self.statements.hashes), dtype=np.bool_)
        for places in (self.quantity, self.unit_cost, self.active, self.of_feed):
            if places is not None:
                keep[places[places >= 0]] = True
        return keep

    def kept(self) -> Statements:
        """The statements that still decide something, in order of time."""
        keep = self.decides()
        return self.statements if keep.all() else self.statements.take(places_of(keep))


@dataclass
class _Range:
    """The statements whose hashes lie in one range: how many there are, and how many the last fold left."""

    parts: list[Statements] = field(default_factory=list)
    size: int = 0
    kept: int = 0


@dataclass
class _Fold:
    """Goes over the confirmed calls of a vendor; knows of each call its arrival, confirmation and feed."""

    hash_of: HashOf
    wanted: Hashes | None
    at_once: int
    ids: list[int] = field(default_factory=list)
    arrivals: list[int] = field(default_factory=list)
    confirmed_at: list[int] = field(default_factory=list)
    of_feed: list[bool] = field(default_factory=list)

    def over(self, calls: Iterable[ConfirmedCall], doubtful: Hashes) -> KnownQuantities:
        ranges = [_Range() for _ in range(RANGES)]
        for piece in self._pieces(calls):
            for part, statements in zip(ranges, by_range(piece), strict=True):
                part.parts.append(statements)
                part.size += len(statements.hashes)
                # Never less than was kept at a time: else a large past would be gone over again and again.
                if part.size >= max(self.at_once, 2 * part.kept):
                    part.parts = [self._newest(part.parts).kept()]
                    part.size = part.kept = len(part.parts[0].hashes)
        known = _Columns.of_size(sum(part.size for part in ranges))
        decide = np.zeros(len(self.ids), dtype=np.bool_)
        for part in ranges:
            if part.size:
                newest = self._newest(part.parts)
                decide[newest.statements.calls[newest.decides()]] = True
                known.add(newest, self)
        if not known.size:
            return replace(nothing_known(), doubtful=doubtful)
        return replace(known.known(doubtful), spent=self._spent(decide))

    def _spent(self, decide: Mask) -> tuple[int, ...]:
        """Calls of the feed without a deciding statement: of other feeds it cannot be told here."""
        if self.wanted is not None:
            return ()
        spent = np.array(self.of_feed, dtype=np.bool_) & ~decide
        return tuple(self.ids[place] for place in places_of(spent).tolist())

    def _pieces(self, confirmed: Iterable[ConfirmedCall]) -> Iterator[Statements]:
        batches: list[Batch] = []
        times: list[Longs] = []
        calls: list[Ints] = []
        size = 0
        for call in confirmed:
            batch = unpack(call.block)
            batches.append(batch)
            times.append(times_of(batch, call.order_at))
            calls.append(np.full(batch.num_rows, len(self.arrivals), dtype=np.int32))
            self.ids.append(call.id)
            self.arrivals.append(call.arrival)
            self.confirmed_at.append(call.confirmed_at)
            self.of_feed.append(call.of_feed)
            size += batch.num_rows
            if size >= min(PIECE, self.at_once):
                yield self._statements(batches, times, calls)
                batches, times, calls, size = [], [], [], 0
        if batches:
            yield self._statements(batches, times, calls)

    def _statements(self, batches: list[Batch], times: list[Longs], calls: list[Ints]) -> Statements:
        vpcs = pa.concat_arrays([batch.column("vpc") for batch in batches])
        statements = Statements(
            vpcs=vpcs,
            hashes=self.hash_of(vpcs),
            quantities=np.concatenate([as_ints(batch.column("quantity")) for batch in batches]),
            order_at=np.concatenate(times),
            calls=np.concatenate(calls),
            unit_costs=stated(batches, "unit_cost"),
            actives=stated(batches, "active"),
        )
        if self.wanted is None:
            return statements
        return statements.take(places_of(np.isin(statements.hashes, self.wanted)))

    def _newest(self, parts: list[Statements]) -> _Newest:
        """What is newest in these parts, which are let go of."""
        together = joined(parts)
        parts.clear()
        statements = self._in_order_of_time(together)
        order, last = by_vpc(statements)
        starts = np.concatenate([np.zeros(1, np.int32), places_of(last)[:-1] + 1]) if len(order) else order
        of_feed = np.array(self.of_feed, dtype=np.bool_)
        return _Newest(
            statements=statements,
            quantity=order[last],
            unit_cost=_last_of(order, starts, _filled(statements.unit_costs)),
            active=_last_of(order, starts, _filled(statements.actives)),
            of_feed=_last_of(order, starts, of_feed[statements.calls] if of_feed.any() else None),
        )

    def _in_order_of_time(self, statements: Statements) -> Statements:
        """Statements stand in order of calls: only where a later call speaks of an earlier time do they move."""
        arrivals = np.array(self.arrivals, dtype=np.int32)[statements.calls]
        in_order = statements.order_at[1:] > statements.order_at[:-1]
        in_order |= (statements.order_at[1:] == statements.order_at[:-1]) & (arrivals[1:] >= arrivals[:-1])
        if in_order.all():
            return statements
        return statements.take(np.lexsort((statements.calls, arrivals, statements.order_at)).astype(np.int32))


@dataclass
class _Columns:
    """`KnownQuantities` in the making. Its columns have room for all statements; unused room costs no memory."""

    hashes: Hashes
    quantities: Ints
    order_at: Longs
    confirmed_at: Longs
    arrivals: Longs
    of_feed: Mask
    texts: list[tuple[TextColumn, TextColumn, TextColumn]] = field(default_factory=list)
    size: int = 0

    @classmethod
    def of_size(cls, size: int) -> _Columns:
        return cls(
            hashes=np.empty(size, dtype=np.uint64),
            quantities=np.empty(size, dtype=np.int32),
            order_at=np.empty(size, dtype=np.int64),
            confirmed_at=np.empty(size, dtype=np.int64),
            arrivals=np.empty(size, dtype=np.int64),
            of_feed=np.zeros(size, dtype=np.bool_),
        )

    def add(self, newest: _Newest, fold: _Fold) -> None:
        statements, places = newest.statements, newest.quantity
        calls = statements.calls[places]
        some = slice(self.size, self.size + len(places))
        self.size += len(places)
        self.hashes[some] = statements.hashes[places]
        self.quantities[some] = statements.quantities[places]
        self.order_at[some] = statements.order_at[places]
        self.confirmed_at[some] = np.array(fold.confirmed_at, dtype=np.int64)[calls]
        self.arrivals[some] = np.array(fold.arrivals, dtype=np.int64)[calls]
        if newest.of_feed is not None:
            self.of_feed[some] = newest.of_feed >= 0
        self.texts.append(
            (
                statements.vpcs.take(int_array(places)),
                _texts(statements.unit_costs, newest.unit_cost, len(places)),
                _texts(statements.actives, newest.active, len(places)),
            )
        )

    def known(self, doubtful: Hashes) -> KnownQuantities:
        vpcs, unit_costs, actives = (pa.concat_arrays(columns) for columns in zip(*self.texts, strict=True))
        return KnownQuantities(
            hashes=self.hashes[: self.size],
            vpcs=vpcs,
            quantities=self.quantities[: self.size],
            unit_costs=unit_costs,
            actives=actives,
            order_at=self.order_at[: self.size],
            confirmed_at=self.confirmed_at[: self.size],
            of_feed=self.of_feed[: self.size],
            doubtful=doubtful,
            arrivals=self.arrivals[: self.size],
        )


def _last_of(order: Ints, starts: Ints, counts: Mask | None) -> Ints | None:
    """For each VPC the place of its last statement that counts, -1 where none does."""
    if counts is None or not len(starts):
        return None
    steps = np.where(counts[order], np.arange(len(order), dtype=np.int32), np.int32(-1))
    last = np.maximum.reduceat(steps, starts)
    return np.where(last >= 0, order[last], np.int32(-1))


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
