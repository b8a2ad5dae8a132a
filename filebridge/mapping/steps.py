"""The steps of one field, from a cell as it stands in the file to our value (DESIGN section 7, in that order).

`FieldRule` is the one rule of a field: `cell` says what a text of a kind becomes. It knows nothing of rows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from filebridge.columns import NO_INSTANT
from filebridge.documents.fields import FieldKind, FieldSpec
from filebridge.mapping.instants import (
    DateFormat,
    Instant,
    as_read,
    date_format,
    read_instant,
    until_end_of_day,
)
from filebridge.mapping.judge import UNDECIDED, Decision
from filebridge.mapping.model import FieldSteps
from filebridge.mapping.values import (
    MAX_QUANTITY,
    PLAIN,
    UNDECLARED,
    CellFault,
    Marks,
    QuantityRule,
    Read,
    Value,
    damage_of,
    declared,
    read_flag,
    read_money,
    read_quantity,
    shown,
)
from filebridge.tables.table import Kind

UNSTATED: Final[Mapping[FieldKind, str | int]] = {
    FieldKind.QUANTITY: -1,
    FieldKind.INSTANT: int(NO_INSTANT),
}
"""What a column holds where a field is not stated; for the kinds that are text, the empty text."""

_WITHOUT_A_MATCH: Final = {
    FieldKind.QUANTITY: "bad_number",
    FieldKind.MONEY: "bad_number",
    FieldKind.INSTANT: "bad_date",
}


@dataclass(frozen=True)
class Crosswalk:
    """A table from the vendor's words to ours, compared exactly, then without case."""

    exact: Mapping[str, str]
    otherwise: str = "keep"
    caseless: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        caseless: dict[str, str] = {}
        for word, value in self.exact.items():
            caseless.setdefault(word.casefold(), value)
        object.__setattr__(self, "caseless", caseless)

    def ours(self, word: str) -> str | CellFault | None:
        """Our value for the vendor's word; None where the word is kept as it is."""
        found = self.exact.get(word)
        if found is None:
            found = self.caseless.get(word.casefold())
        if found is not None:
            return found
        if self.otherwise == "keep":
            return None
        if self.otherwise == "reject":
            known = ", ".join(list(self.exact)[:10]) + (" …" if len(self.exact) > 10 else "")
            return CellFault(
                "not_in_crosswalk",
                f"{shown(word)} is not in the crosswalk, which has {known}. Add it to `values:` of the mapping, or "
                "correct the cell.",
            )
        return self.otherwise


@dataclass(frozen=True)
class FieldRule:
    """The rule of one field. `cell` is its definition; column code only ever stands in for it.

    `decision` is what the column has decided between ways of reading (see `judge`). Under `per_total` a
    quantity's `buffer`, `min` and `max` wait for the total of a VPC. `arrived_at` (microseconds UTC) bounds an
    `as_of` that is only a date.
    """

    spec: FieldSpec
    steps: FieldSteps
    zone: tzinfo
    arrived_at: int
    crosswalk: Crosswalk | None = None
    per_total: bool = False
    decision: Decision = UNDECIDED
    ways: tuple[Marks, ...] = field(init=False)
    formats: tuple[DateFormat, ...] = field(init=False)
    quantities: QuantityRule = field(init=False)
    _empty_words: frozenset[str] = field(init=False)
    _pattern: re.Pattern[str] | None = field(init=False)

    def __post_init__(self) -> None:
        steps = self.steps
        number = steps.number
        made = {
            "ways": declared(number.decimal, number.thousands) if number else UNDECLARED,
            "formats": tuple(date_format(text) for text in steps.date),
            "quantities": QuantityRule(steps.buffer or 0, steps.min, steps.max),
            "_empty_words": frozenset(word.casefold() for word in steps.empty),
            "_pattern": re.compile(steps.pattern) if steps.pattern else None,
        }
        for name, value in made.items():
            object.__setattr__(self, name, value)

    @property
    def candidates(self) -> int:
        """How many ways of reading the field's column is judged by."""
        if self.spec.kind in (FieldKind.QUANTITY, FieldKind.MONEY):
            return len(self.ways)
        return len(self.formats) if self.spec.kind is FieldKind.INSTANT else 1

    @property
    def words(self) -> frozenset[str] | None:
        """The words, casefolded, that the text steps change, if they leave every other text as it is.

        But for white space at its ends under `strip`. None where the steps may change any text.
        """
        steps = self.steps
        if steps.pattern or steps.replace or steps.upper or steps.lower:
            return None
        if self.crosswalk is None:
            return self._empty_words
        if self.crosswalk.otherwise != "keep":
            return None
        return self._empty_words | frozenset(self.crosswalk.caseless)

    def decided(self, decision: Decision) -> FieldRule:
        """This rule, with what its column has decided."""
        return replace(self, decision=decision)

    def joined(self, parts: tuple[str, ...]) -> str:
        """The cell of `join`: its parts with `with` between them; empty where every part is."""
        if self.steps.strip:
            parts = tuple(part.strip() for part in parts)
        return self.steps.with_.join(parts) if any(parts) else ""

    def constant(self, file_name: str) -> Read | None:
        """What every row of the file has, of `value` or `file_name`; None where it comes from the rows."""
        steps = self.steps
        if steps.value is not None:
            return self.read(steps.value, Kind.NUMBER)
        if steps.file_name is None:
            return None
        match = re.search(steps.file_name, file_name)
        if not match:
            code = _WITHOUT_A_MATCH.get(self.spec.kind, "required")
            message = f"The file's name {shown(file_name)} does not match the pattern {steps.file_name}."
            return Read(CellFault(code, message))
        return self.read((match[1] if match.re.groups else match[0]) or "")

    def cell(self, text: str, kind: Kind = Kind.TEXT) -> Value | CellFault:
        """What a cell becomes: its value, None where it may be empty and is, or its fault."""
        return self.read(text, kind).value

    def read(self, text: str, kind: Kind = Kind.TEXT) -> Read:
        """What a cell becomes, and what it says of its column."""
        refused = self._refuse(text, kind)
        if refused:
            return Read(refused)
        taken = self._text_steps(text)
        if isinstance(taken, CellFault):
            return Read(taken)
        # Emptiness is judged without `strip` too: a cell of blanks names nothing.
        if not taken.strip() or taken.casefold() in self._empty_words:
            return self._empty()
        if self.crosswalk:
            ours = self.crosswalk.ours(taken)
            if isinstance(ours, CellFault):
                return Read(ours)
            if ours is not None:
                return self._value(ours, written_by_us=True) if ours else self._empty()
        return self._value(taken, kind=kind if taken == text.strip() else Kind.TEXT)

    def _refuse(self, text: str, kind: Kind) -> CellFault | None:
        """What no step can mend."""
        if kind == Kind.ERROR:
            return CellFault("error_cell", f"The cell holds the error {text}; repair its formula.")
        if kind == Kind.NO_VALUE:
            return CellFault(
                "formula_without_value",
                "The cell's formula has no stored result; open the workbook, recalculate, and save it.",
            )
        if self.spec.kind is not FieldKind.IDENTIFIER:
            return None
        if kind == Kind.DAMAGED:
            return CellFault(
                "damaged_identifier",
                f"{shown(text)} stands in a numeric cell, which keeps 15 digits; the rest is lost. Format the column "
                "as text and enter the identifier again from its source.",
            )
        if kind == Kind.DATE:
            return CellFault(
                "damaged_identifier",
                f"The spreadsheet has made the date {shown(text)} of the identifier. Format the column as text and "
                "enter the identifier again from its source.",
            )
        return damage_of(text.strip())

    def _text_steps(self, text: str) -> str | CellFault:
        """strip, pattern, replace, upper and lower."""
        steps = self.steps
        if steps.strip:
            text = text.strip()
        if self._pattern and text.strip():
            match = self._pattern.search(text)
            if not match:
                code = _WITHOUT_A_MATCH.get(self.spec.kind, "required")
                return CellFault(
                    code,
                    f"{shown(text)} does not match the pattern `{steps.pattern}`, so it gives no {self.spec.name}. "
                    "Correct the cell, or `pattern:` of the mapping.",
                )
            text = (match[1] if self._pattern.groups else match[0]) or ""
        for old, new in steps.replace.items():
            if old:
                text = text.replace(old, new)
        if steps.upper:
            text = text.upper()
        return text.lower() if steps.lower else text

    def _empty(self) -> Read:
        if self.steps.default:
            return self._value(self.steps.default, written_by_us=True, final=True)
        if self.spec.required:
            return Read(
                CellFault("required", f"The cell is empty; {self.spec.name} ({self.spec.says}) is required.")
            )
        return Read(None)

    def _value(
        self, text: str, *, kind: Kind = Kind.TEXT, written_by_us: bool = False, final: bool = False
    ) -> Read:
        """The value of a text that is not empty. What the mapping says itself is written as we write it."""
        plain = written_by_us or kind in (Kind.NUMBER, Kind.DAMAGED)
        ways = PLAIN if plain else self.ways
        match self.spec.kind:
            case FieldKind.QUANTITY:
                return self._quantity(read_quantity(text, ways, self.decision), final=final)
            case FieldKind.MONEY:
                return read_money(text, ways, self.decision)
            case FieldKind.FLAG:
                return read_flag(text)
            case FieldKind.INSTANT:
                read = read_instant(
                    text,
                    self.formats,
                    zone=self.zone,
                    decision=self.decision,
                    is_date_cell=kind == Kind.DATE,
                )
                return as_read(read, self._moment(read.value))
            case FieldKind.IDENTIFIER:
                return Read(damage_of(text) or text)
            case FieldKind.TEXT:
                return Read(text)

    def _quantity(self, read: Read, *, final: bool) -> Read:
        if not isinstance(read.value, int):
            return read
        rule = QuantityRule() if final else self.quantities
        fault = rule.admit(read.value)
        if fault or self.per_total:
            return read._replace(value=fault or _within_reach(read.value))
        return read._replace(value=rule.finish(read.value))

    def _moment(self, instant: Instant | CellFault) -> int | CellFault:
        if isinstance(instant, CellFault):
            return instant
        if self.spec.name == "as_of":
            return until_end_of_day(instant, zone=self.zone, arrived_at=self.arrived_at)
        return instant.at


def _within_reach(quantity: int) -> int | CellFault:
    """A quantity that is going to be added to others, and may be below zero."""
    if abs(quantity) > MAX_QUANTITY:
        return CellFault("out_of_range", f"{shown(str(quantity))} is larger than {MAX_QUANTITY}.")
    return quantity


def field_rule(
    spec: FieldSpec,
    steps: FieldSteps,
    *,
    vendor_zone: str,
    arrived_at: int,
    per_total: bool = False,
) -> FieldRule:
    """The rule of a field. A crosswalk that the mapping names by its file was read in by the loader."""
    values = steps.values
    if isinstance(values, str):
        raise ValueError(f"the crosswalk {values} was not read in")
    has_table = values is not None or steps.else_ != "keep"
    return FieldRule(
        spec=spec,
        steps=steps,
        zone=ZoneInfo(steps.time_zone or vendor_zone),
        arrived_at=arrived_at,
        crosswalk=Crosswalk(values or {}, steps.else_) if has_table else None,
        per_total=per_total,
    )
