"""The outcomes: every row of every file ends in exactly one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum


class Outcome(StrEnum):
    """What became of a row (DESIGN section 1)."""

    DELIVERED = "delivered"
    """RetailOps confirmed it."""
    UNCHANGED = "unchanged"
    """RetailOps was already told this value and confirmed it; nothing was sent."""
    SUPERSEDED = "superseded"
    """A newer file already gave a later value for the same key; nothing was sent."""
    REJECTED = "rejected"
    """It cannot be sent, or RetailOps refused it; code and reason are in the reject file."""
    HELD = "held"
    """It waits for a person, or for its other rows."""
    PENDING = "pending"
    """Not sent yet: a passing state."""
    UNCERTAIN = "uncertain"
    """Sent, and the answer was lost: a passing state, settled by asking where RetailOps can be asked."""


PASSING = frozenset({Outcome.PENDING, Outcome.UNCERTAIN})
"""States that no row stays in for ever."""

OUTCOME_CODES: Mapping[Outcome, int] = {outcome: code for code, outcome in enumerate(Outcome)}
"""The small number by which a stored block names an outcome. Append only: blocks are kept for years."""

OUTCOME_BY_CODE: tuple[Outcome, ...] = tuple(Outcome)


class FileStatus(StrEnum):
    """Status of a file on its receipt (DESIGN section 9)."""

    ACCEPTED = "accepted"
    ACCEPTED_WITH_REJECTS = "accepted_with_rejects"
    REJECTED = "rejected"
    HELD = "held"
    DUPLICATE = "duplicate"
    PENDING = "pending"


def tally(pairs: Iterable[tuple[Outcome, int]]) -> dict[Outcome, int]:
    """Add up (outcome, rows) pairs; outcomes that no row has are left out, the order is that of `Outcome`."""
    counts = dict.fromkeys(Outcome, 0)
    for outcome, rows in pairs:
        counts[outcome] += rows
    return {outcome: rows for outcome, rows in counts.items() if rows}


def status_of(counts: Mapping[Outcome, int], *, refused: bool = False, duplicate: bool = False) -> FileStatus:
    """Status of a file from the outcomes of its rows: the first that fits (DESIGN, cases settled).

    `refused` is a file that is refused as a whole, which may have no rows; `duplicate` says that no call
    results and that the bytes are those of the feed's latest applied file.
    """
    total = sum(counts.values())
    rejected = counts.get(Outcome.REJECTED, 0)
    held = counts.get(Outcome.HELD, 0)
    if any(counts.get(outcome) for outcome in PASSING):
        return FileStatus.PENDING
    if refused or (total and rejected == total):
        return FileStatus.REJECTED
    if held and held + rejected == total:
        return FileStatus.HELD
    if duplicate:
        return FileStatus.DUPLICATE
    return FileStatus.ACCEPTED_WITH_REJECTS if rejected else FileStatus.ACCEPTED
