"""What one cell says: a rule is one function from a cell's text to its value, or to the fault that it has.

These functions decide; column code (`by_column`) stands in for them only where a cheap test implies their
answer. Each takes time linear in a bounded length, whatever the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from filebridge.mapping.judge import Decision, Fits

if TYPE_CHECKING:
    from filebridge.columns import Ints

MAX_QUANTITY: Final = 2**31 - 1
"""The largest quantity that any system on the way keeps as a whole number."""
_LONGEST_NUMBER: Final = 64
_LONGEST_SHOWN: Final = 60


@dataclass(frozen=True)
class CellFault:
    """Why a cell has no value: a code of the catalogue, and what was found and what to do."""

    code: str
    message: str


Value: TypeAlias = str | int | None
"""Text, a whole number, microseconds since the epoch; None for an empty cell that may be empty."""


class Read(NamedTuple):
    """A cell's value or fault, and what it says of its column.

    `judges` is true where the cell was read by several candidates: then `fits` are those that can read it, or
    None where they disagree and nothing has decided between them.
    """

    value: Value | CellFault
    judges: bool = False
    fits: Fits | None = None


def shown(text: str) -> str:
    """A cell's text as a message shows it: quoted, escaped, and cut to a length that can be read."""
    return repr(text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…")


# Numbers


class Marks(NamedTuple):
    """How a number is written: its decimal mark, and the marks that may group its thousands."""

    decimal: str
    thousands: str = ""


_SPACES: Final = " \u00a0\u2009\u202f"
_NEUTRAL: Final = _SPACES + "'\u2019"
PLAIN: Final = (Marks("."),)
"""Numbers as FileBridge writes them, and as numeric cells of a workbook become text."""
UNDECLARED: Final = (Marks(".", "," + _NEUTRAL), Marks(",", "." + _NEUTRAL))
"""The ways of writing that a column is judged by where the mapping has no `number:`."""


def declared(decimal: str, thousands: str) -> tuple[Marks, ...]:
    """The one way of writing numbers that a mapping declares; a space as thousands mark may be of any width."""
    return (Marks(decimal, _SPACES if thousands and thousands in _SPACES else thousands),)


class Number(NamedTuple):
    """A number as digits: no leading zeros before the decimal mark, no trailing ones behind it."""

    negative: bool
    whole: str
    fraction: str


@lru_cache(maxsize=64)
def _number_pattern(marks: Marks) -> re.Pattern[str]:
    whole = r"\d+"
    if marks.thousands:
        grouped = rf"[1-9]\d{{0,2}}(?P<mark>[{re.escape(marks.thousands)}])\d{{3}}(?:(?P=mark)\d{{3}})*"
        whole = rf"{grouped}|{whole}"
    point = re.escape(marks.decimal)
    return re.compile(
        rf"(?P<whole>{whole})(?:{point}(?P<fraction>\d*))?|{point}(?P<bare>\d+)", flags=re.ASCII
    )


def _signed(text: str) -> tuple[bool, str]:
    """Whether a number is below zero, and the rest of its text. A trailing minus and parentheses are signs."""
    if text.startswith("(") and text.endswith(")"):
        return True, text[1:-1]
    if text.startswith(("-", "−")):
        return True, text[1:]
    if text.endswith(("-", "−")):
        return True, text[:-1]
    return False, text.removeprefix("+")


def read_number(text: str, marks: Marks) -> Number | None:
    """The number that `text` is in one way of writing; None where it is none. ASCII digits only, no exponent."""
    if len(text) > _LONGEST_NUMBER:
        return None
    negative, unsigned = _signed(text)
    match = _number_pattern(marks).fullmatch(unsigned)
    if not match:
        return None
    whole = "".join(filter(str.isdigit, match["whole"] or "")).lstrip("0")
    fraction = (match["fraction"] or match["bare"] or "").rstrip("0")
    return Number(negative and bool(whole or fraction), whole, fraction)


def _whole_number(number: Number | None) -> int | None:
    if number is None or number.fraction:
        return None
    return -int(number.whole) if number.negative else int(number.whole or "0")


def _canonical(number: Number | None) -> str | None:
    if number is None:
        return None
    text = f"{number.whole or '0'}.{number.fraction}" if number.fraction else number.whole or "0"
    return f"-{text}" if number.negative else text


def read_quantity(text: str, ways: tuple[Marks, ...], decision: Decision) -> Read:
    """A whole number of units, which may still be below zero: `admit` and `QuantityRule` look at its size."""
    numbers = [read_number(text, marks) for marks in ways]
    readings = [_whole_number(number) for number in numbers]
    if all(reading is None for reading in readings):
        return Read(_no_quantity(text, numbers))
    return _judged(text, ways, readings, decision)


def read_money(text: str, ways: tuple[Marks, ...], decision: Decision) -> Read:
    """An amount as canonical decimal text: `18.9`, `49`. Not below zero, at most 15 significant digits."""
    readings = [_canonical(read_number(text, marks)) for marks in ways]
    if all(reading is None for reading in readings):
        return Read(CellFault("bad_number", f"{shown(text)} is no amount; write digits only, as in 1234.56."))
    read = _judged(text, ways, readings, decision)
    if isinstance(read.value, str):
        digits = read.value.replace(".", "").lstrip("0")
        if read.value.startswith("-"):
            fault = CellFault("out_of_range", f"{shown(text)} is below zero; an amount is zero or more.")
            return read._replace(value=fault)
        if len(digits) > 15:
            fault = CellFault("out_of_range", f"{shown(text)} has more than 15 digits; correct the amount.")
            return read._replace(value=fault)
    return read


def _no_quantity(text: str, numbers: list[Number | None]) -> CellFault:
    if len(text) > _LONGEST_NUMBER:
        return CellFault("bad_number", f"The cell has {len(text)} characters, too many for a number.")
    if any(number is not None for number in numbers):
        return CellFault("bad_number", f"{shown(text)} is a fraction of a unit; write whole units.")
    return CellFault("bad_number", f"{shown(text)} is no whole number; write digits only, as in 12.")


def _judged(
    text: str, ways: tuple[Marks, ...], readings: list[int | None] | list[str | None], decision: Decision
) -> Read:
    """The reading of a number that at least one of `ways` can read."""
    place = decision.choose(readings)
    chosen = None if place is None else readings[place]
    if len(ways) == 1:
        return Read(chosen)
    found = [reading for reading in readings if reading is not None]
    fits = None
    if len(set(found)) == 1:
        fits = frozenset(place for place, reading in enumerate(readings) if reading is not None)
    if chosen is None:
        either = " or ".join(str(reading) for reading in found)
        return Read(
            CellFault(
                "bad_number",
                f"{shown(text)} can be read as {either}, and no other cell of the column decides; add "
                'number: {decimal: ".", thousands: ","} or number: {decimal: ",", thousands: "."} '
                "to the field in the mapping.",
            ),
            judges=True,
        )
    return Read(chosen, judges=True, fits=fits)


@dataclass(frozen=True)
class QuantityRule:
    """`buffer`, `min` and `max` of a quantity: the buffer is taken off, not below 0; then min and max clamp."""

    buffer: int = 0
    smallest: int | None = None
    largest: int | None = None

    @property
    def is_plain(self) -> bool:
        """Whether a whole number from 0 to MAX_QUANTITY stays what it is."""
        return not self.buffer and self.smallest is None and self.largest is None

    def admit(self, quantity: int) -> CellFault | None:
        """Below zero is refused before the buffer is taken off, unless `min` is given."""
        if quantity < 0 and self.smallest is None:
            return CellFault("out_of_range", f"{quantity} is below zero; a quantity is zero or more.")
        return None

    @property
    def never_refuses(self) -> bool:
        """Whether every whole number from 0 to MAX_QUANTITY is left as one of them."""
        return (self.smallest or 0) <= MAX_QUANTITY and (self.largest is None or self.largest >= 0)

    def finish_all(self, quantities: Ints) -> Ints:
        """`finish` of quantities from 0 to MAX_QUANTITY, by a rule that never refuses them."""
        import numpy as np

        left = np.maximum(quantities.astype(np.int64) - self.buffer, 0)
        if self.smallest is not None:
            left = np.maximum(left, self.smallest)
        if self.largest is not None:
            left = np.minimum(left, self.largest)
        return left.astype(np.int32)

    def finish(self, quantity: int) -> int | CellFault:
        """What is left of an admitted quantity: 0 to MAX_QUANTITY."""
        if self.buffer:
            quantity = max(quantity - self.buffer, 0)
        if self.smallest is not None:
            quantity = max(quantity, self.smallest)
        if self.largest is not None:
            quantity = min(quantity, self.largest)
        if quantity < 0:
            return CellFault("out_of_range", f"{quantity} is below zero; a quantity is zero or more.")
        if quantity > MAX_QUANTITY:
            return CellFault("out_of_range", f"{shown(str(quantity))} is larger than {MAX_QUANTITY}.")
        return quantity


# Identifiers

_EXPONENT: Final = re.compile(r"[+-]?\d(?:[.,]\d+)?E\+\d{2,}", flags=re.ASCII | re.IGNORECASE)
_HASHES: Final = re.compile(r"#{3,}")
_MONTHS: Final = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_LIKE_A_DATE: Final = re.compile(rf"\d{{1,2}}-(?:{_MONTHS})|(?:{_MONTHS})-\d{{2}}", flags=re.ASCII)


def damage_of(text: str) -> CellFault | None:
    """What a spreadsheet left of an identifier, if it has damaged it: `1.23E+17`, `#####`. Digits are gone."""
    if _EXPONENT.fullmatch(text):
        return CellFault(
            "damaged_identifier",
            f"{shown(text)} is a number that a spreadsheet has shortened, its last digits are lost. Format the "
            "column as text and enter the identifier again from its source.",
        )
    if _HASHES.fullmatch(text):
        return CellFault(
            "damaged_identifier",
            f"{shown(text)} is what a spreadsheet shows of a column that is too narrow. Widen the column, then "
            "save the file again.",
        )
    return None


def looks_like_date(text: str) -> bool:
    """Whether an identifier is spelled as a spreadsheet spells a code that it took for a date, such as `1-Mar`."""
    return bool(_LIKE_A_DATE.fullmatch(text))


# Flags

_FLAGS: Final = {
    **dict.fromkeys(("1", "yes", "y", "true", "t", "on", "active", "enabled"), "1"),
    **dict.fromkeys(("0", "no", "n", "false", "f", "off", "inactive", "disabled"), "0"),
}


def read_flag(text: str) -> Read:
    """Yes or no, as `1` or `0`. Any other word needs a crosswalk."""
    flag = _FLAGS.get(text.casefold())
    if flag is None:
        fault = CellFault(
            "not_in_crosswalk",
            f"{shown(text)} is neither yes nor no. Write 1 or 0, or add the word to `values:` of the mapping.",
        )
        return Read(fault)
    return Read(flag)
