"""When a file is stopped as a whole: it changes more than the guard allows, or holds too many bad rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from filebridge.clock import SECOND, iso
from filebridge.mapping.mapped import RowRuns
from filebridge.mapping.model import Guard, Mapping, RejectAbove
from filebridge.outcomes import OUTCOME_CODES, Outcome
from filebridge.planning.known import KnownFeed
from filebridge.planning.plan import Hold
from filebridge.rejects import Note

_REJECTED: Final = OUTCOME_CODES[Outcome.REJECTED]
TEST_VENDOR: Final = Hold(
    "test_vendor", "vendor.yaml says `test: true`: all was done but the last step, nothing is sent."
)

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


def header_changes(headers: tuple[str, ...], feed: KnownFeed) -> tuple[Note, ...]:
    """A notice where the header is not that of the feed's last file: old and new side by side."""
    if not feed.headers or headers == feed.headers:
        return ()
    gone = [header for header in feed.headers if header not in headers]
    new = [header for header in headers if header not in feed.headers]
    said = [f"gone: {', '.join(gone)}"] if gone else []
    said += [f"new: {', '.join(new)}"] if new else []
    what = "; ".join(said) or "the columns stand in another order"
    return (
        Note("header_changed", f"The header is not that of the feed's last file ({feed.last_id}): {what}."),
    )


def too_many_rejects(runs: RowRuns, mapping: Mapping) -> tuple[str, str] | None:
    """The reason against the whole file where `on_reject` says that its bad rows keep it back."""
    rejected = int(runs.lengths[runs.outcomes == _REJECTED].sum())
    rows = int(runs.lengths.sum())
    if mapping.on_reject == "reject_file" and rejected:
        return (
            "too_many_rejects",
            f"{_rows(rejected)} of {rows:,} cannot be sent, and `on_reject` is reject_file.",
        )
    if isinstance(mapping.on_reject, RejectAbove) and rejected > rows * mapping.on_reject.reject_file_above:
        share = mapping.on_reject.reject_file_above
        return (
            "too_many_rejects",
            f"{_rows(rejected)} of {rows:,} cannot be sent, more than {share:.0%}.",
        )
    return None


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"
