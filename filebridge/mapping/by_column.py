"""The rules of `steps`, by whole columns.

Column code stands in for the cell rule only where a cheap test of the bytes implies its plain answer: an
identifier that is kept as it is, a quantity of one to nine digits. Every other place goes through the cell
rule, once for each different text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from filebridge.columns import (
    Ints,
    Longs,
    Mask,
    TextColumn,
    as_ints,
    bool_array,
    int_array,
    long_array,
    text_column,
    text_scalar,
)
from filebridge.documents.fields import FieldKind
from filebridge.mapping.judge import Evidence
from filebridge.mapping.steps import UNSTATED, FieldRule
from filebridge.mapping.values import CellFault, Read, Value, looks_like_date
from filebridge.tables.table import Kind, Kinds

Cells: TypeAlias = Any
"""A text column, an int32 column or an int64 column of Arrow, by the kind of the field."""
Bytes: TypeAlias = npt.NDArray[np.uint8]

_DIGITS_IN_REACH: Final = 9
"""A number of up to nine digits fits into an int32 whatever its digits are."""
_GRAPHIC: Final = 0x7E - 0x21


@dataclass(frozen=True)
class ReadColumn:
    """A column as values: text, int32 or int64, without nulls. Places in `faults` hold a value of no meaning.

    A field that a row does not state is the empty text, -1 for a quantity, NO_INSTANT for an instant.
    """

    values: Cells
    faults: dict[int, CellFault] = field(default_factory=dict)


def read_column(
    rule: FieldRule, column: TextColumn, kinds: Kinds | None, evidence: Evidence | None = None
) -> ReadColumn:
    """The values of a column's cells: for each place exactly what `rule.cell` says of it.

    `evidence` is told what the cells say of the column's way of writing.
    """
    places = _not_plain(rule, column, kinds)
    if places is None:
        return ReadColumn(column if rule.spec.kind in _TEXTUAL else pc.cast(column, pa.int32()))
    if len(places) == len(column):
        reads, which = _read_different(rule, column, kinds)
        values = _as_column(rule, reads).take(int_array(which))
    else:
        some = column.take(int_array(places))
        reads, which = _read_different(rule, some, None if kinds is None else kinds[places])
        values = _with_replaced(rule, column, places, _as_column(rule, reads), which)
    if evidence is not None:
        for read in reads:
            if read.judges:
                evidence.take(read.fits)
    return ReadColumn(values, _faults(reads, which, places))


_TEXTUAL: Final = frozenset({FieldKind.IDENTIFIER, FieldKind.MONEY, FieldKind.FLAG, FieldKind.TEXT})


def joined_column(
    rule: FieldRule, columns: Sequence[TextColumn], kinds: Sequence[Kinds | None]
) -> tuple[TextColumn, Kinds | None]:
    """The cells of `join`, and their kinds: a joined cell is as bad as the worst of its parts."""
    texts = [texts_of(column) for column in columns]
    joined = text_column([rule.joined(parts) for parts in zip(*texts, strict=True)])
    known = [part for part in kinds if part is not None]
    if not known:
        return joined, None
    worst = np.zeros(len(joined), dtype=np.uint8)
    for part in known:
        harmless = np.isin(part, (Kind.NUMBER, Kind.BOOLEAN))
        worst = np.maximum(worst, np.where(harmless, np.uint8(Kind.TEXT), part))
    return joined, worst


def constant_column(rule: FieldRule, value: Value, length: int) -> Cells:
    """A column that says one value on each row."""
    return _as_column(rule, [Read(value)]).take(int_array(np.zeros(length, dtype=np.int32)))


def date_like_places(column: TextColumn) -> Ints:
    """The places of identifiers that are spelled as a spreadsheet spells a code it took for a date (`1-Mar`)."""
    starts, lengths, content = _layout(column)
    places = np.flatnonzero((lengths == 5) | (lengths == 6))
    if not len(places):
        return places.astype(np.int32)
    first = starts[places]
    # 1-Mar, 12-Mar and Mar-12 have their dash in one of three places.
    dashed = (content[first + 1] == 0x2D) | (content[first + 2] == 0x2D) | (content[first + 3] == 0x2D)
    places = places[dashed].astype(np.int32)
    texts = texts_of(column.take(int_array(places)))
    alike = np.fromiter((looks_like_date(text) for text in texts), dtype=np.bool_, count=len(texts))
    found: Ints = places[alike]
    return found


def texts_of(column: TextColumn) -> list[str]:
    """The texts of a column without nulls."""
    starts, lengths, content = _layout(column)
    joined = content.tobytes()
    first = [int(start) for start in starts]
    ends = [int(end) for end in starts + lengths]
    if joined.isascii():
        text = joined.decode("ascii")
        return [text[start:end] for start, end in zip(first, ends, strict=True)]
    return [joined[start:end].decode("utf-8") for start, end in zip(first, ends, strict=True)]


def _layout(column: TextColumn) -> tuple[Longs, Longs, Bytes]:
    """Where each text starts, how many bytes it has, and the bytes of them all."""
    count = len(column)
    if not count:
        nothing = np.empty(0, dtype=np.int64)
        return nothing, nothing, np.empty(0, dtype=np.uint8)
    _, offsets_buffer, content_buffer = column.buffers()
    offsets = np.frombuffer(offsets_buffer, dtype=np.int32)[column.offset : column.offset + count + 1]
    first, last = int(offsets[0]), int(offsets[-1])
    content = np.empty(0, dtype=np.uint8)
    if content_buffer is not None and last > first:
        content = np.frombuffer(content_buffer, dtype=np.uint8)[first:last]
    starts = offsets.astype(np.int64) - first
    return starts[:-1], np.diff(starts), content


def _not_plain(rule: FieldRule, column: TextColumn, kinds: Kinds | None) -> Ints | None:
    """The places that need the cell rule; None where the whole column is what it says."""
    every = np.arange(len(column), dtype=np.int32)
    if not len(column) or not rule.is_plain_text:
        return every
    if rule.spec.kind is FieldKind.IDENTIFIER:
        plain = _plain_identifiers(*_layout(column))
    elif rule.spec.kind is FieldKind.QUANTITY and (rule.quantities.is_plain or rule.per_total):
        plain = _plain_quantities(*_layout(column))
    else:
        return every
    if kinds is not None:
        plain = plain & (kinds <= Kind.NUMBER)
    return None if plain.all() else every[~plain]


def _plain_identifiers(starts: Longs, lengths: Longs, content: Bytes) -> Mask:
    """Texts that begin and end with a graphic ASCII character and that no spreadsheet has damaged."""
    if not len(content):
        return np.zeros(len(starts), dtype=np.bool_)
    filled = lengths > 0
    first = content[np.minimum(starts, len(content) - 1)]
    last = content[np.maximum(starts + lengths - 1, 0)]
    # Bytes below 0x21 wrap to large ones. A `#` (0x23) may be the start of `#####`.
    plain: Mask = (
        filled & (first - np.uint8(0x21) <= _GRAPHIC) & (last - np.uint8(0x21) <= _GRAPHIC) & (first != 0x23)
    )
    signs = np.flatnonzero(content == 0x2B)
    if len(signs):
        # `1.23E+17`: only a plus after an E can be damage.
        before = content[np.maximum(signs - 1, 0)] | np.uint8(0x20)
        plain[_texts_with(starts, signs[before == 0x65])] = False
    return plain


def _plain_quantities(starts: Longs, lengths: Longs, content: Bytes) -> Mask:
    """Texts of one to nine ASCII digits."""
    plain: Mask = (lengths > 0) & (lengths <= _DIGITS_IN_REACH)
    others = np.flatnonzero(content - np.uint8(0x30) > 9)
    if len(others):
        plain[_texts_with(starts, others)] = False
    return plain


def _texts_with(starts: Longs, bytes_at: Longs) -> Longs:
    """The texts that hold the bytes at these places: empty texts share their start with the next one."""
    return np.searchsorted(starts, bytes_at, side="right") - 1


def _read_different(rule: FieldRule, column: TextColumn, kinds: Kinds | None) -> tuple[list[Read], Ints]:
    """The cell rule, once for each different text and kind; and which of the answers each place has."""
    encoded = column.dictionary_encode()
    texts = texts_of(encoded.dictionary)
    codes = as_ints(encoded.indices)
    if kinds is None or not kinds.any():
        return [rule.read(text) for text in texts], codes
    pairs, which = np.unique(codes.astype(np.int64) * 8 + kinds, return_inverse=True)
    reads = [rule.read(texts[pair >> 3], Kind(pair & 7)) for pair in pairs.tolist()]
    return reads, which.astype(np.int32)


def _as_column(rule: FieldRule, reads: Sequence[Read]) -> Cells:
    kind = rule.spec.kind
    if kind in _TEXTUAL:
        return text_column([read.value if isinstance(read.value, str) else "" for read in reads])
    unstated = UNSTATED[kind]
    numbers = [read.value if isinstance(read.value, int) else unstated for read in reads]
    if kind is FieldKind.QUANTITY:
        return int_array(np.array(numbers, dtype=np.int32))
    return long_array(np.array(numbers, dtype=np.int64))


def _with_replaced(rule: FieldRule, column: TextColumn, places: Ints, values: Cells, which: Ints) -> Cells:
    """The plain places as they are, the others as the cell rule says."""
    if rule.spec.kind in _TEXTUAL:
        source = np.arange(len(column), dtype=np.int32)
        source[places] = len(column) + which
        return pa.concat_arrays([column, values]).take(int_array(source))
    whole = np.zeros(len(column), dtype=np.int32)
    plain = np.ones(len(column), dtype=np.bool_)
    plain[places] = False
    whole[plain] = as_ints(pc.cast(column.filter(bool_array(plain)), pa.int32()))
    whole[places] = as_ints(values)[which]
    return int_array(whole)


def _faults(reads: Sequence[Read], which: Ints, places: Ints) -> dict[int, CellFault]:
    bad = np.fromiter((isinstance(read.value, CellFault) for read in reads), dtype=np.bool_, count=len(reads))
    if not bad.any():
        return {}
    at = np.flatnonzero(bad[which])
    faults = {}
    for place, answer in zip(places[at].tolist(), which[at].tolist(), strict=True):
        fault = reads[answer].value
        if isinstance(fault, CellFault):
            faults[place] = fault
    return faults


def differs_from(column: TextColumn, text: str) -> Any:
    """Which places of a text column state something, and not `text`, as an Arrow mask."""
    stated = pc.not_equal(column, text_scalar(""))
    return pc.and_(stated, pc.not_equal(column, text_scalar(text)))
