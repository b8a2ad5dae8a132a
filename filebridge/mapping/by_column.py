"""The rules of `steps`, by whole columns.

Column code stands in for the cell rule only where a cheap test of the bytes implies its plain answer (`plain`).
Every other place goes through the cell rule, once for each different text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from filebridge.columns import (
    Ints,
    Mask,
    TextColumn,
    as_ints,
    int_array,
    long_array,
    text_column,
    text_scalar,
)
from filebridge.documents.fields import FieldKind
from filebridge.mapping.judge import Evidence
from filebridge.mapping.plain import (
    Layout,
    is_no_word_of,
    plain_identifiers,
    plain_money,
    plain_quantities,
    trimmed,
)
from filebridge.mapping.steps import UNSTATED, FieldRule
from filebridge.mapping.values import UNDECLARED, CellFault, Read, Value, looks_like_date
from filebridge.tables.table import Kind, Kinds

Cells: TypeAlias = Any
"""A text column, an int32 column or an int64 column of Arrow, by the kind of the field."""

_TEXTUAL: Final = frozenset({FieldKind.IDENTIFIER, FieldKind.MONEY, FieldKind.FLAG, FieldKind.TEXT})
_MOST_REMEMBERED: Final = 10_000


@dataclass(frozen=True)
class ReadColumn:
    """A column as values: text, int32 or int64, without nulls. Places in `faults` hold a value of no meaning.

    A field that a row does not state is the empty text, -1 for a quantity, NO_INSTANT for an instant.
    """

    values: Cells
    faults: Mapping[int, CellFault] = field(default_factory=dict)


@dataclass
class ColumnReader:
    """Reads the columns of one field, chunk by chunk: for each place exactly what `rule.cell` says of it.

    `evidence` gathers what the cells say of the column's way of writing.
    """

    rule: FieldRule
    evidence: Evidence = field(default_factory=Evidence)
    _remembered: dict[tuple[str, int], Read] = field(default_factory=dict)

    def read(self, column: TextColumn, kinds: Kinds | None) -> ReadColumn:
        """The values of a column's cells."""
        if kinds is not None and not kinds.any():
            kinds = None
        values, plain = self._plain(column, kinds) if len(column) else (None, np.zeros(0, dtype=np.bool_))
        if values is not None and plain.all():
            return ReadColumn(values)
        places = np.flatnonzero(~plain).astype(np.int32)
        some = column if values is None else column.take(int_array(places))
        reads, which = self._read_different(some, kinds if kinds is None or values is None else kinds[places])
        for read in reads:
            if read.judges:
                self.evidence.take(read.fits)
        answers = column_of(self.rule, reads)
        if values is None:
            return ReadColumn(answers.take(int_array(which)), _faults(reads, which, places))
        source = np.arange(len(column), dtype=np.int32)
        source[places] = len(column) + which
        values = pa.concat_arrays([values, answers]).take(int_array(source))
        return ReadColumn(values, _faults(reads, which, places))

    def _plain(self, column: TextColumn, kinds: Kinds | None) -> tuple[Cells | None, Mask]:
        """Values by column code, and the places where they are what the cell rule says; None where nowhere."""
        rule = self.rule
        words = rule.words
        nowhere = np.zeros(len(column), dtype=np.bool_)
        if words is None:
            return None, nowhere
        texts = trimmed(column) if rule.steps.strip else column
        values: Cells = texts
        if rule.spec.kind is FieldKind.IDENTIFIER:
            plain = plain_identifiers(texts)
        elif rule.spec.kind is FieldKind.QUANTITY and (rule.per_total or rule.quantities.never_refuses):
            plain = plain_quantities(texts)
        elif rule.spec.kind is FieldKind.MONEY and kinds is None:
            values, plain = self._plain_money(texts, words)
        else:
            return None, nowhere
        if words:
            plain &= is_no_word_of(texts, words)
        if kinds is not None:
            plain &= kinds <= Kind.NUMBER
        if not plain.any():
            return None, nowhere
        return self._whole_numbers(texts, plain) if rule.spec.kind is FieldKind.QUANTITY else values, plain

    def _plain_money(self, texts: TextColumn, words: frozenset[str]) -> tuple[TextColumn, Mask]:
        ways = self.rule.ways
        marks = "".join(way.decimal for way in ways)
        if words or not marks.isascii():
            # A word of the crosswalk may be an amount, which then says nothing of its column.
            return texts, np.zeros(len(texts), dtype=np.bool_)
        money = plain_money(texts, marks)
        if ways == UNDECLARED:
            for mark in money.marks:
                self.evidence.take(frozenset({marks.index(mark)}))
        return money.values, money.plain

    def _whole_numbers(self, texts: TextColumn, plain: Mask) -> Cells:
        """The quantities of the plain places; of others, zero."""
        if plain.all():
            numbers = as_ints(pc.cast(texts, pa.int32()))
        else:
            numbers = np.zeros(len(texts), dtype=np.int32)
            chosen = texts.take(int_array(np.flatnonzero(plain).astype(np.int32)))
            numbers[plain] = as_ints(pc.cast(chosen, pa.int32()))
        if not (self.rule.per_total or self.rule.quantities.is_plain):
            numbers = self.rule.quantities.finish_all(numbers)
        return int_array(numbers)

    def _read_different(self, column: TextColumn, kinds: Kinds | None) -> tuple[list[Read], Ints]:
        """The cell rule, once for each different text and kind; and which of the answers each place has."""
        encoded = column.dictionary_encode()
        texts = texts_of(encoded.dictionary)
        codes = as_ints(encoded.indices)
        if kinds is None:
            return [self._read(text, 0) for text in texts], codes
        pairs, which = np.unique(codes.astype(np.int64) * 8 + kinds, return_inverse=True)
        return [self._read(texts[pair >> 3], pair & 7) for pair in pairs.tolist()], which.astype(np.int32)

    def _read(self, text: str, kind: int) -> Read:
        if self.rule.spec.kind is FieldKind.IDENTIFIER:
            # Hardly ever seen again: remembering it would cost more than it saves.
            return self.rule.read(text, Kind(kind))
        read = self._remembered.get((text, kind))
        if read is None:
            read = self.rule.read(text, Kind(kind))
            if len(self._remembered) < _MOST_REMEMBERED:
                self._remembered[text, kind] = read
        return read


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
    return column_of(rule, [Read(value)]).take(int_array(np.zeros(length, dtype=np.int32)))


def column_of(rule: FieldRule, reads: Sequence[Read]) -> Cells:
    """The values of some cells as a column; faults as what the field holds where it is not stated."""
    kind = rule.spec.kind
    if kind in _TEXTUAL:
        return text_column([read.value if isinstance(read.value, str) else "" for read in reads])
    unstated = UNSTATED[kind]
    numbers = [read.value if isinstance(read.value, int) else unstated for read in reads]
    if kind is FieldKind.QUANTITY:
        return int_array(np.array(numbers, dtype=np.int32))
    return long_array(np.array(numbers, dtype=np.int64))


def date_like_places(column: TextColumn) -> Ints:
    """The places of identifiers that are spelled as a spreadsheet spells a code it took for a date (`1-Mar`)."""
    layout = Layout.of(column)
    nominated = np.flatnonzero((layout.lengths == 5) | (layout.lengths == 6))
    first = layout.starts[nominated]
    # 1-Mar, 12-Mar and Mar-12 have their dash in one of three places.
    dashed = np.zeros(len(nominated), dtype=np.bool_)
    for place in (1, 2, 3):
        dashed |= layout.content[first + place] == ord("-")
    places = nominated[dashed].astype(np.int32)
    texts = texts_of(column.take(int_array(places)))
    alike = np.fromiter((looks_like_date(text) for text in texts), dtype=np.bool_, count=len(texts))
    found: Ints = places[alike]
    return found


def texts_of(column: TextColumn) -> list[str]:
    """The texts of a column without nulls."""
    layout = Layout.of(column)
    joined = layout.content.tobytes()
    starts = layout.starts.tolist()
    ends = (layout.starts + layout.lengths).tolist()
    if joined.isascii():
        text = joined.decode("ascii")
        return [text[start:end] for start, end in zip(starts, ends, strict=True)]
    return [joined[start:end].decode("utf-8") for start, end in zip(starts, ends, strict=True)]


def differs_from(column: TextColumn, text: str) -> Any:
    """Which places of a text column state something that is not `text`, as an Arrow mask."""
    stated = pc.not_equal(column, text_scalar(""))
    return pc.and_(stated, pc.not_equal(column, text_scalar(text)))


def _faults(reads: Sequence[Read], which: Ints, places: Ints) -> dict[int, CellFault]:
    bad = np.fromiter((isinstance(read.value, CellFault) for read in reads), dtype=np.bool_, count=len(reads))
    at = np.flatnonzero(bad[which])
    faults = {}
    for place, answer in zip(places[at].tolist(), which[at].tolist(), strict=True):
        fault = reads[answer].value
        if isinstance(fault, CellFault):
            faults[place] = fault
    return faults
