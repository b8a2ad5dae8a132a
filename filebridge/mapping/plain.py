"""Cheap tests on the bytes of a whole column: where is the cell rule's answer plain to see?

Each test may miss plain cells; it never calls a cell plain that is not. A test in tests/mapping holds column
code equal to the cell rule for any text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from filebridge.columns import Longs, Mask, TextColumn, as_mask, text_column

Bytes: TypeAlias = npt.NDArray[np.uint8]

_ZERO: Final = np.uint8(0x30)
_FIRST_GRAPHIC: Final = np.uint8(0x21)
_GRAPHIC: Final = 0x7E - 0x21
_DIGITS_IN_REACH: Final = 9
"""A number of up to nine digits fits into an int32 whatever its digits are."""
_CHARACTERS_OF_MONEY: Final = 12
"""With its mark: fewer digits than the 15 that are the limit."""


@dataclass(frozen=True)
class Layout:
    """A text column as bytes: where each text starts, how many bytes it has, and the bytes of all of them."""

    starts: Longs
    lengths: Longs
    content: Bytes

    @classmethod
    def of(cls, column: TextColumn) -> Layout:
        """The layout of a text column without nulls; `content` is a view of its bytes."""
        count = len(column)
        _, offsets_buffer, content_buffer = column.buffers()
        if not count or offsets_buffer is None:
            nothing = np.empty(0, dtype=np.int64)
            return cls(nothing, nothing, np.empty(0, dtype=np.uint8))
        offsets = np.frombuffer(offsets_buffer, dtype=np.int32)[column.offset : column.offset + count + 1]
        first, last = int(offsets[0]), int(offsets[-1])
        content = np.empty(0, dtype=np.uint8)
        if content_buffer is not None and last > first:
            content = np.frombuffer(content_buffer, dtype=np.uint8)[first:last]
        starts = offsets.astype(np.int64) - first
        return cls(starts[:-1], np.diff(starts), content)

    def first_bytes(self) -> Bytes:
        """The first byte of each text; of an empty one some byte or other. `content` is not empty."""
        return self.content[np.minimum(self.starts, len(self.content) - 1)]

    def last_bytes(self) -> Bytes:
        """The last byte of each text; of an empty one some byte or other. `content` is not empty."""
        last: Bytes = self.content[np.maximum(self.starts + self.lengths - 1, 0)]
        return last

    def texts_with(self, bytes_at: Longs) -> Longs:
        """The texts that hold the bytes at these places: an empty text shares its start with the next one."""
        return np.searchsorted(self.starts, bytes_at, side="right") - 1


def trimmed(column: TextColumn) -> TextColumn:
    """The column without ASCII white space at the ends of its texts; what is left may still begin with other."""
    layout = Layout.of(column)
    if not len(layout.content):
        return column
    edges = np.minimum(layout.first_bytes(), layout.last_bytes())
    return pc.ascii_trim_whitespace(column) if (edges < _FIRST_GRAPHIC).any() else column


def plain_identifiers(column: TextColumn) -> Mask:
    """Texts that begin and end with a graphic ASCII character, and that no spreadsheet has damaged."""
    layout = Layout.of(column)
    if not len(layout.content):
        return np.zeros(len(column), dtype=np.bool_)
    first = layout.first_bytes()
    # Bytes below 0x21 wrap to large ones. A `#` may be the start of `#####`.
    plain: Mask = (layout.lengths > 0) & (first - _FIRST_GRAPHIC <= _GRAPHIC) & (first != ord("#"))
    plain &= layout.last_bytes() - _FIRST_GRAPHIC <= _GRAPHIC
    signs = np.flatnonzero(layout.content == ord("+"))
    if len(signs):
        # `1.23E+17`: only a plus after an E, of either case, can be damage.
        before = layout.content[np.maximum(signs - 1, 0)] | np.uint8(0x20)
        plain[layout.texts_with(signs[before == ord("e")])] = False
    return plain


def plain_quantities(column: TextColumn) -> Mask:
    """Texts of one to nine ASCII digits."""
    layout = Layout.of(column)
    plain: Mask = (layout.lengths > 0) & (layout.lengths <= _DIGITS_IN_REACH)
    others = np.flatnonzero(layout.content - _ZERO > 9)
    if len(others):
        plain[layout.texts_with(others)] = False
    return plain


@dataclass(frozen=True)
class PlainMoney:
    """Which texts are plain amounts, and which decimal marks these have."""

    plain: Mask
    values: TextColumn
    """The canonical text of each plain amount; of other places, anything."""
    marks: frozenset[str]


def plain_money(column: TextColumn, marks: str) -> PlainMoney:
    """Texts of a few digits without leading zeros, or with one of `marks` before the last one or two of them.

    Such an amount has one reading, whatever groups thousands: groups have three digits.
    """
    layout = Layout.of(column)
    plain: Mask = (layout.lengths > 0) & (layout.lengths <= _CHARACTERS_OF_MONEY)
    if not len(layout.content):
        return PlainMoney(plain, column, frozenset())
    signs = np.flatnonzero(layout.content - _ZERO > 9)
    texts = layout.texts_with(signs)
    is_mark = np.isin(layout.content[signs], np.frombuffer(marks.encode("ascii"), dtype=np.uint8))
    decimals = layout.starts[texts] + layout.lengths[texts] - signs - 1
    whole = signs - layout.starts[texts]
    fits = is_mark & (decimals >= 1) & (decimals <= 2) & (whole >= 1)
    plain[texts[~fits]] = False
    plain[texts[1:][texts[1:] == texts[:-1]]] = False
    # A leading zero is plain only right before the mark, or alone.
    wholes = layout.lengths.copy()
    wholes[texts[fits]] = whole[fits]
    plain &= (layout.first_bytes() != _ZERO) | (wholes == 1)
    fractional = np.zeros(len(column), dtype=np.bool_)
    fractional[texts[fits]] = True
    seen = np.unique(layout.content[signs[fits & plain[texts]]])
    values = _with_points(column, layout, signs[fits]) if len(seen) else column
    if (fractional & (layout.last_bytes() == _ZERO)).any():
        values = _without_zeros(values, plain & fractional)
    return PlainMoney(plain, values, frozenset(map(chr, seen.tolist())))


def _with_points(column: TextColumn, layout: Layout, marks_at: Longs) -> TextColumn:
    content = layout.content.copy()
    content[marks_at] = ord(".")
    offsets = np.append(layout.starts, len(content)).astype(np.int32)
    return pa.StringArray.from_buffers(len(column), pa.py_buffer(offsets), pa.py_buffer(content))


def _without_zeros(column: TextColumn, fractional: Mask) -> TextColumn:
    """Fractions without the zeros at their end: `18.90` is `18.9`, `49.00` is `49`."""
    layout = Layout.of(column)
    ends = layout.starts + layout.lengths
    kept = layout.lengths.copy()
    # Plain amounts have one or two decimals: two zeros and a point at most.
    for sign in (_ZERO, _ZERO, np.uint8(ord("."))):
        at = np.maximum(layout.starts + kept - 1, 0)
        kept -= fractional & (layout.content[at] == sign) & (kept > 1)
    dropped = ends - (layout.starts + kept)
    keep = np.ones(len(layout.content), dtype=np.bool_)
    for back in (1, 2, 3):
        keep[ends[dropped >= back] - back] = False
    offsets = np.zeros(len(column) + 1, dtype=np.int32)
    np.cumsum(kept, out=offsets[1:])
    return pa.StringArray.from_buffers(
        len(column), pa.py_buffer(offsets), pa.py_buffer(layout.content[keep].copy())
    )


def is_no_word_of(column: TextColumn, words: frozenset[str]) -> Mask:
    """Texts of ASCII alone that are none of these words, which are casefolded."""
    layout = Layout.of(column)
    lower = pc.ascii_lower(column)
    plain: Mask = ~as_mask(pc.is_in(lower, value_set=text_column(sorted(words))))
    beyond = np.flatnonzero(layout.content >= 0x80)
    if len(beyond):
        plain[layout.texts_with(beyond)] = False
    return plain
