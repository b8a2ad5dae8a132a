"""What all workbooks have in common: tabs, limits, and how to say that one is damaged."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, Protocol

from filebridge.errors import FileRefused
from filebridge.tables.rows import Row

MOST_COLUMNS: Final = 16_384
MOST_ROWS: Final = 1_048_576
MOST_PLACES: Final = 20_000_000


@dataclass(frozen=True)
class SheetPart:
    """One tab of a workbook. `part` is empty for tabs that hold no cells, such as chart sheets."""

    name: str
    part: str
    is_hidden: bool


@dataclass
class SheetFacts:
    """What a pass over a sheet found beside its rows."""

    hidden_rows: int = 0
    hidden_columns: set[int] = field(default_factory=set)


class Workbook(Protocol):
    """A workbook of any format."""

    @property
    def sheets(self) -> list[SheetPart]:
        """Its tabs, in order."""
        ...

    def rows(self, sheet: SheetPart, facts: SheetFacts, *, skip_hidden: bool = False) -> Iterator[Row]:
        """The rows of a sheet that hold something, cells from column A on, as wide as the row is filled."""
        ...


def bounded(places: int, row: int) -> int:
    """The places that a sheet spans up to a row. Raises FileRefused `too_large` above 20 million."""
    if places > MOST_PLACES:
        raise FileRefused(
            "too_large",
            f"The sheet spans more than {MOST_PLACES:,} cells up to row {row}.",
            fix="Delete what stands far to the right of the table, or split it.",
            place=f"row {row}",
        )
    return places


def damaged(message: str, *, place: str = "") -> FileRefused:
    """A refusal of a workbook that does not hold together."""
    return FileRefused("unreadable_file", message, fix="Open it, save it again, and send that.", place=place)


@contextmanager
def damage_is_refused() -> Iterator[None]:
    """Within it, a record of a binary format that is shorter than it says is a refusal."""
    try:
        yield
    except (struct.error, IndexError, OverflowError) as error:
        raise damaged("The workbook is damaged: a record in it is too short.") from error


def encrypted() -> FileRefused:
    """A refusal of a workbook that needs a password."""
    return FileRefused(
        "unreadable_file", "The workbook is encrypted with a password.", fix="Save it without a password."
    )
