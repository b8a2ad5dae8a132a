"""What the rules across rows say: which records stay, and which rows cannot go because of other rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from filebridge.clock import iso
from filebridge.columns import NO_INSTANT, Batch, Ints, Mask
from filebridge.documents.groups import Groups
from filebridge.rejects import Note

REJECTED: Final = -1
PASSED_OVER: Final = -2
_MOST_NAMED: Final = 6

RowsOf = Callable[[], Ints]
"""The row of each record, in the order in which they were handed over. Asked only where rows must be named."""


@dataclass(frozen=True)
class Refusal:
    """Why the row of a record cannot go: its number as handed over, its VPC, our field, and what a reject says."""

    record: int
    vpc: str
    field: str
    code: str
    message: str
    value: str = ""


Refuse = Callable[[Iterable[Refusal]], None]
"""Told of rows that cannot go because of other rows, part by part, before the records are written anew."""


@dataclass(frozen=True)
class Settled:
    """What became of the records that were handed over.

    `fates` has for each the number of the record in the new spool whose outcome its row shares, or REJECTED, or
    PASSED_OVER; None where nothing has changed. `records` gives the new spool's batches.
    """

    fates: Ints | None = None
    records: Callable[[], Iterator[Batch]] | None = None
    notes: tuple[Note, ...] = ()


def renumbered(fates: Ints, kept: Mask) -> Ints:
    """The fates, with records counted as they are once only the kept ones are left."""
    numbers = np.cumsum(kept, dtype=np.int32) - 1
    return np.where(fates >= 0, numbers[np.maximum(fates, 0)], fates).astype(np.int32)


def refuse_conflicts(groups: Groups, conflicts: Mask, rows_of: RowsOf) -> Iterator[Refusal]:
    """A refusal for each record of the groups in `conflicts`, which names the other rows and what they say."""
    if not conflicts.any():
        return
    rows = rows_of()
    for records, said in groups.members(conflicts):
        vpc = str(said.pop("vpc")[0])
        different = {name: values for name, values in said.items() if len(set(values)) > 1}
        message = _conflict(vpc, different, rows[records].tolist())
        name, values = next(iter(different.items()))
        for record, value in zip(records.tolist(), values, strict=True):
            yield Refusal(record, vpc, name, "conflicting_rows", message, _as_text(name, value))


def _conflict(vpc: str, said: dict[str, list[str | int]], rows: list[int]) -> str:
    each = [
        ", ".join(f"{name} {_as_text(name, values[place]) or 'empty'}" for name, values in said.items())
        + f" in row {row}"
        for place, row in enumerate(rows[:_MOST_NAMED])
    ]
    more = f"; and {len(rows) - _MOST_NAMED:,} rows more" if len(rows) > _MOST_NAMED else ""
    return (
        f"{len(rows)} rows say different things of {vpc}: {'; '.join(each)}{more}. Keep one of them, or declare "
        "`duplicates:` in the mapping."
    )


def _as_text(name: str, value: str | int) -> str:
    if name == "as_of" and isinstance(value, int):
        return "" if value == int(NO_INSTANT) else iso(value)
    return str(value)
