"""When a file is stopped for a person: what it would change is more than the guard allows."""

from __future__ import annotations

from dataclasses import dataclass

from filebridge.clock import SECOND, iso
from filebridge.mapping.model import Guard
from filebridge.planning.known import KnownFeed
from filebridge.planning.plan import Hold

FUTURE_TOLERANCE = 15 * 60 * SECOND
"""How far ahead a file's own time may be before it is held, in microseconds."""


@dataclass(frozen=True)
class Change:
    """What a file would do to its feed. `stocked` counts the feed's VPCs with a quantity above zero."""

    rows: int
    stocked: int
    zeroed: int


def hold_for_guard(change: Change, *, covers: str, guard: Guard, feed: KnownFeed) -> Hold | None:
    """The hold of a file that changes more than `guard` allows, from the second file of its feed on."""
    if not feed.applied_files:
        return None
    before = feed.last_rows
    if covers == "everything" and before and change.rows < before * (1 - guard.max_row_drop):
        found = {0: "no rows", 1: "1 row"}.get(change.rows, f"{change.rows:,} rows")
        return Hold(
            "guard",
            f"The file has {found}, the last one had {before:,}: a fall of more than {guard.max_row_drop:.0%} "
            "(max_row_drop). A file that covers everything and lost rows may be cut short.",
        )
    if change.stocked and change.zeroed > change.stocked * guard.max_zeroed:
        return Hold(
            "guard",
            f"The file would set {change.zeroed:,} of the feed's {change.stocked:,} stocked VPCs to zero, "
            f"more than {guard.max_zeroed:.0%} (max_zeroed).",
        )
    return None


def hold_for_future(order_at: int, received_at: int) -> Hold | None:
    """The hold of a file whose newest time, in microseconds UTC, lies ahead of its arrival."""
    if order_at <= received_at + FUTURE_TOLERANCE:
        return None
    return Hold(
        "future_date",
        f"The file says that it is of {iso(order_at)}, but it arrived at {iso(received_at)}: "
        "values from the future would make every later file look old.",
    )
