"""One cell of a dropped-back reject file: the person's, or the original's (DESIGN section 9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from filebridge.mapping.reject_form import LONGEST_CELL, written
from filebridge.mapping.spelling import is_rounded, is_same_date, is_same_number, is_scientific
from filebridge.tables.table import Kind


@dataclass(frozen=True)
class Cell:
    """A cell as text, and the `Kind` that it was."""

    text: str
    kind: int


NO_CELL: Final = Cell("", Kind.TEXT)


def of_unmarked(typed: Cell, original: Cell) -> Cell:
    """A cell that was not complained of: the original's, unless the person changed it."""
    if (
        _is_unchanged(typed, original)
        or is_same_number(original.text, typed.text)
        or _is_respelled_date(typed, original)
    ):
        return original
    return typed


def of_marked(typed: Cell, original: Cell, *, is_text: bool) -> Cell:
    """A cell that was complained of: as typed, but for damage that nobody has mended."""
    if _is_unchanged(typed, original):
        return original
    if original.kind == Kind.DAMAGED and is_rounded(original.text, typed.text):
        # A text file cannot tell digits that a person entered from those of a rounded number written out.
        rounded = typed.kind in (Kind.NUMBER, Kind.DAMAGED) or is_scientific(typed.text) or is_text
        return original if rounded else typed
    if original.kind == Kind.DATE and _is_respelled_date(typed, original):
        return original
    return typed


def _is_unchanged(typed: Cell, original: Cell) -> bool:
    found, shown = _one_line_end(typed.text), _one_line_end(written(original.text, original.kind))
    return found == shown or (len(shown) > LONGEST_CELL and found == shown[:LONGEST_CELL])


def _is_respelled_date(typed: Cell, original: Cell) -> bool:
    return typed.text != original.text and is_same_date(original.text, typed.text)


def _one_line_end(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
