"""`Known`: what the planner is told of the past."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from filebridge.columns import Hashes, Ints, Longs, Mask, TextColumn


def _no_longs() -> Longs:
    import numpy as np

    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class FileFacts:
    """What the planner is told of the file itself.

    `received_at` is when it arrived, `now` the moment of planning, in microseconds UTC. A `correction` is a
    reject file that came back: it keeps the time `order_at` of the file that it came from, counts as changes
    and meets no guard. `released` lets a held file go; `forced` states everything again; of a `test` vendor
    nothing is sent at all.
    """

    sha256: str
    received_at: int
    now: int
    seq: int = 2**62
    """Its place in the order of arrival; left out: later than every other."""
    correction: bool = False
    order_at: int | None = None
    released: bool = False
    forced: bool = False
    test: bool = False


@dataclass(frozen=True)
class KnownQuantities:
    """The newest confirmed value of each VPC of one vendor, as columns ordered by `hashes`.

    `hashes` are `columns.hash_text` of `vpcs`. `order_at` is the latest time that the value was given for (that
    of a file or row, though no call was needed), `confirmed_at` when RetailOps confirmed it, both in
    microseconds UTC. `of_feed` tells
    which VPCs the feed that is being planned has set before. `unit_costs` and `actives` hold an empty text
    where RetailOps was never told. `doubtful` are hashes of VPCs that stand in a call whose answer is still
    open: nothing is `unchanged` for them.
    """

    hashes: Hashes
    vpcs: TextColumn
    quantities: Ints
    unit_costs: TextColumn
    actives: TextColumn
    order_at: Longs
    confirmed_at: Longs
    of_feed: Mask
    doubtful: Hashes
    arrivals: Longs = field(default_factory=_no_longs)
    """Number of the file (its `seq`) that gave the value: of equal times the later arrival wins. The values of
    an earlier arrival may be planned late, where its file was held. Empty: all arrived earlier."""
    spent: tuple[int, ...] = ()
    """Ids of confirmed calls of the feed that decide nothing any more: newer ones say all that they said."""
    spent_renewals: tuple[str, ...] = ()
    """Ids of files whose `Plan.renewed` decides nothing any more, for the same reason."""

    def __len__(self) -> int:
        return len(self.hashes)


def nothing_known() -> KnownQuantities:
    """What is known of a vendor's quantities before its first file."""
    import numpy as np

    from filebridge.columns import text_column

    longs = _no_longs()
    return KnownQuantities(
        hashes=np.empty(0, dtype=np.uint64),
        vpcs=text_column([]),
        quantities=np.empty(0, dtype=np.int32),
        unit_costs=text_column([]),
        actives=text_column([]),
        order_at=longs,
        confirmed_at=longs,
        of_feed=np.empty(0, dtype=np.bool_),
        doubtful=np.empty(0, dtype=np.uint64),
    )


@dataclass(frozen=True)
class KnownFeed:
    """What is known of the feed before this file.

    `applied_files` counts the files of the feed that were applied (the guard works from the second on);
    `last_id`, `last_sha256` and `last_rows` are those of the latest applied one; `headers` its header.
    """

    applied_files: int = 0
    last_id: str = ""
    last_sha256: str = ""
    last_rows: int = 0
    headers: tuple[str, ...] = ()


FIRST_FILE: Final = KnownFeed()
