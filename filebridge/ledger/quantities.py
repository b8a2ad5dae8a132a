"""Confirmed quantities: no table, but the newest confirmed value of each VPC over the calls of a vendor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from filebridge.columns import (
    Batch,
    Hashes,
    Ints,
    Mask,
    TextColumn,
    hash_text,
    int_array,
    long_array,
    pack,
    unpack,
)
from filebridge.ledger.connect import change_many
from filebridge.ledger.fold import ConfirmedCall, HashOf, fold
from filebridge.ledger.statements import times_of
from filebridge.planning.inventory import find
from filebridge.planning.known import KnownQuantities
from filebridge.planning.plan import Action, PlannedCall

_CONFIRMED: Final = """
    SELECT id, order_at, arrival, answered_at, feed = ?, block FROM call JOIN call_block ON call_id = id
    WHERE vendor = ? AND action = 'update' AND state = 'confirmed' AND NOT spent ORDER BY id
"""
_DOUBTFUL: Final = """
    SELECT block FROM call JOIN call_block ON call_id = id
    WHERE vendor = ? AND action = 'update' AND state IN ('planned', 'sending', 'uncertain')
    AND file_id IS NOT ? ORDER BY id
"""
_RENEWALS: Final = """
    SELECT file_id, arrival, order_at, block FROM renewal WHERE vendor = ? ORDER BY arrival, number
"""


def known_quantities(
    connection: sa.Connection, vendor: str, feed: str, *, but_file: str = "", hash_of: HashOf = hash_text
) -> KnownQuantities:
    """The newest confirmed values of a vendor, over all of its feeds, for planning a file of `feed`.

    Each with the latest time that it was given for, though no call was needed (`Plan.renewed`). VPCs in calls
    of other files than `but_file` whose answer is open are `doubtful`. Two VPCs with one hash stand side by
    side, each with its own text.
    """
    doubtful = _doubtful(connection, vendor, but_file, hash_of)
    known = fold(_confirmed(connection, vendor, feed), doubtful=doubtful, hash_of=hash_of)
    return _renewed(connection, known, vendor, hash_of) if len(known) else known


def retire(connection: sa.Connection, known: KnownQuantities) -> int:
    """Have later folds pass over the calls that decide nothing any more; how many there were.

    Without it, what is known of a feed that states everything each night would take longer each night. Nothing
    is forgotten: what such a call said stays in it, and what is known stays the same. Renewals that decide
    nothing any more are dropped.
    """
    change_many(
        connection, "DELETE FROM renewal WHERE file_id = ?", [(file_id,) for file_id in known.spent_renewals]
    )
    return change_many(
        connection, "UPDATE call SET spent = 1 WHERE id = ?", [(call_id,) for call_id in known.spent]
    )


def newest_of(
    connection: sa.Connection, vendor: str, vpcs: TextColumn, *, hash_of: HashOf = hash_text
) -> KnownQuantities:
    """The newest confirmed values of these VPCs, those that RetailOps was never told of left out."""
    wanted = hash_of(vpcs)
    found = fold(
        _confirmed(connection, vendor, ""),
        doubtful=np.empty(0, dtype=np.uint64),
        hash_of=hash_of,
        wanted=wanted,
    )
    if not len(found):
        return found
    places, known = find(found, vpcs, wanted)
    asked = np.zeros(len(found), dtype=np.bool_)
    asked[places[known]] = True
    return _at(found, np.flatnonzero(asked).astype(np.int32))


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
    times = times_of(batch, order_at)
    arrivals = known.arrivals if len(known.arrivals) else np.zeros(len(known), dtype=np.int64)
    newer = known.order_at[places] > times
    newer |= (known.order_at[places] == times) & (arrivals[places] > arrival)
    stale: Mask = found & newer
    return stale


def _doubtful(connection: sa.Connection, vendor: str, but_file: str, hash_of: HashOf) -> Hashes:
    found = connection.exec_driver_sql(_DOUBTFUL, (vendor, but_file))
    hashes = [hash_of(unpack(block).column("vpc")) for (block,) in found]
    return np.unique(np.concatenate(hashes)) if hashes else np.empty(0, dtype=np.uint64)


def _renewed(
    connection: sa.Connection, known: KnownQuantities, vendor: str, hash_of: HashOf
) -> KnownQuantities:
    """What is known, each value with the latest time that a file gave it for."""
    order_at, arrivals = known.order_at.copy(), known.arrivals.copy()
    files: list[str] = []
    deciding = np.full(len(known), -1, dtype=np.int32)
    for file_id, arrival, renewed_at, block in connection.exec_driver_sql(_RENEWALS, (vendor,)):
        if file_id not in files[-1:]:
            files.append(file_id)
        batch = unpack(block)
        vpcs, times = batch.column("vpc"), times_of(batch, renewed_at)
        places, found = find(known, vpcs, hash_of(vpcs))
        later = (times > order_at[places]) | ((times == order_at[places]) & (arrival > arrivals[places]))
        at = places[found & later]
        order_at[at], arrivals[at], deciding[at] = times[found & later], arrival, len(files) - 1
    decides = set(deciding.tolist())
    spent = tuple(file_id for number, file_id in enumerate(files) if number not in decides)
    return replace(known, order_at=order_at, arrivals=arrivals, spent_renewals=spent)


def _at(known: KnownQuantities, places: Ints) -> KnownQuantities:
    indices = int_array(places)
    return replace(
        known,
        hashes=known.hashes[places],
        vpcs=known.vpcs.take(indices),
        quantities=known.quantities[places],
        unit_costs=known.unit_costs.take(indices),
        actives=known.actives.take(indices),
        order_at=known.order_at[places],
        confirmed_at=known.confirmed_at[places],
        of_feed=known.of_feed[places],
        arrivals=known.arrivals[places],
    )


def _confirmed(connection: sa.Connection, vendor: str, feed: str) -> Iterator[ConfirmedCall]:
    found = connection.exec_driver_sql(_CONFIRMED, (feed, vendor))
    for call_id, order_at, arrival, confirmed_at, of_feed, block in found:
        yield ConfirmedCall(call_id, order_at, arrival, confirmed_at, bool(of_feed), block)
