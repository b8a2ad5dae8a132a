"""Rows of the documents about POs: what is kept while they are read, and each row as a value once all are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from filebridge.columns import NO_INSTANT, Batch


@dataclass
class PoRows:
    """What is gathered while a file about POs is read: which POs have a bad row."""

    key: ClassVar[str] = "po"
    rejected_keys: dict[str, int] = field(default_factory=dict)
    """POs of rejected rows, each with the first such row."""

    def add(self, batch: Batch) -> None:
        """Good rows are looked at when the POs are known."""

    def refuse(self, pos: Sequence[str], rows: Sequence[int]) -> None:
        """Take the POs of rows that were rejected."""
        for po, row in zip(pos, rows, strict=True):
            self.rejected_keys.setdefault(po, row)


@dataclass(frozen=True, slots=True)
class PoRow:
    """One row that could be read. Texts are empty and numbers None where it does not state the field.

    `row` is its number as a spreadsheet shows it; `estimated_ship_date` is microseconds UTC.
    """

    row: int
    po: str
    vpc: str = ""
    po_item_id: str = ""
    quantity: int | None = None
    tracking_number: str = ""
    carrier: str = ""
    ship_class_id: str = ""
    package: str = ""
    unit_count: int | None = None
    estimated_ship_date: int | None = None
    status: str = ""

    @property
    def is_whole_po(self) -> bool:
        """Whether it names no item and no quantity: it speaks of every item at its ordered quantity."""
        return not self.vpc and not self.po_item_id and self.quantity is None

    @property
    def says(self) -> tuple[object, ...]:
        """All that it states, its place left out."""
        return tuple(getattr(self, name) for name in PoRow.__slots__ if name != "row")


_TEXTS = ("po", "vpc", "po_item_id", "tracking_number", "carrier", "ship_class_id", "package", "status")
_COUNTS = ("quantity", "unit_count")
_NEVER = int(NO_INSTANT)


def rows_of(batches: Iterable[Batch], numbers: Sequence[int]) -> Iterator[PoRow]:
    """The records of a file as rows. `numbers` are the row numbers, one for each record."""
    at = iter(numbers)
    for batch in batches:
        names = [name for name in batch.schema.names if name in PoRow.__slots__]
        columns = [_column(name, batch.column(name).to_pylist()) for name in names]
        for values in zip(*columns, strict=True):
            yield PoRow(next(at), **dict(zip(names, values, strict=True)))


def _column(name: str, values: list[object]) -> list[object]:
    if name in _TEXTS:
        return values
    unstated = -1 if name in _COUNTS else _NEVER
    return [None if value == unstated else value for value in values]
