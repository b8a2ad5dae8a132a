"""What a spreadsheet spells anew: the same number, or the same date, in other words (DESIGN section 9).

A reject file that went through a spreadsheet comes back with `123` for `00123`, `7.946E+17` for
`794600000000000000`, `11/24/2026` for `2026-11-24`. These functions tell that from what a person changed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Context, Decimal
from typing import Final

_DIGITS: Final = 15
"""Significant digits that a spreadsheet keeps of a number."""
_NUMBER: Final = re.compile(
    r"[+-]?(?=[.,]?\d)\d{0,200}(?:([.,])(\d{0,200}))?(?:E[+-]?\d{1,3})?", re.IGNORECASE
)
_ROUNDINGS: Final = (
    Context(prec=_DIGITS, rounding=ROUND_DOWN),
    Context(prec=_DIGITS, rounding=ROUND_HALF_EVEN),
)
_SCIENTIFIC: Final = re.compile(r"[+-]?\d[.,]?\d*E[+-]?\d{2,3}", re.IGNORECASE)

_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        (
            ("jan", "january"),
            ("feb", "february"),
            ("mar", "march"),
            ("apr", "april"),
            ("may",),
            ("jun", "june"),
            ("jul", "july"),
            ("aug", "august"),
            ("sep", "sept", "september"),
            ("oct", "october"),
            ("nov", "november"),
            ("dec", "december"),
        ),
        start=1,
    )
    for name in names
}
_CLOCK: Final = (
    r"(?:(?:T|,?\s+)(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.0*)?)?\s*(?P<half>[AP]M)?)?"
)
_YEAR_FIRST: Final = re.compile(
    rf"(?P<y>\d{{4}})([-/.])(?P<a>\d{{1,2}})\2(?P<b>\d{{1,2}}){_CLOCK}", re.IGNORECASE
)
_YEAR_LAST: Final = re.compile(
    rf"(?P<a>\d{{1,2}})([-/.])(?P<b>\d{{1,2}})(?:\2(?P<y>\d{{4}}|\d{{2}}))?{_CLOCK}", re.IGNORECASE
)
_DAY_NAME: Final = re.compile(
    rf"(?P<d>\d{{1,2}})[-/. ]{{0,2}}(?P<m>[A-Za-z]{{3,9}})(?:[-/., ]{{1,2}}(?P<y>\d{{4}}|\d{{2}}))?{_CLOCK}",
    re.IGNORECASE,
)
_NAME_DAY: Final = re.compile(
    rf"(?P<m>[A-Za-z]{{3,9}})[-/. ]{{0,2}}(?P<d>\d{{1,2}})(?:(?:, ?|[-/. ])(?P<y>\d{{4}}|\d{{2}}))?{_CLOCK}",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class _Reading:
    """One way to read a text as a date. `order` is year-first, day-first, month-first or by the month's name."""

    order: str
    year: int | None
    month: int
    day: int
    minutes: int | None
    seconds: int | None


def scientific(text: str) -> str:
    """A number as a spreadsheet writes one that it has rounded, such as `9.4E+21`; other text as it is."""
    if not _NUMBER.fullmatch(text.strip()):
        return text
    mantissa, _, exponent = f"{_decimal(text):.{_DIGITS - 1}E}".partition("E")
    whole, _, fraction = mantissa.partition(".")
    return f"{whole}.{fraction.rstrip('0') or '0'}E{exponent[0]}{int(exponent[1:]):02d}"


def is_scientific(text: str) -> bool:
    """Whether this is how a spreadsheet shows a number that it may have rounded."""
    return bool(_SCIENTIFIC.fullmatch(text.strip()))


def is_same_number(original: str, found: str) -> bool:
    """Whether `found` is the number `original` as a spreadsheet spells it: equal to 15 significant digits.

    A `found` of more digits was typed by a person. A comma before exactly three digits may be a thousands
    mark, and then nothing is the same as it; in `7,946E+17` and `0,125` it is none.
    """
    if not (_is_number(original) and _is_number(found)):
        return False
    was, now = _decimal(original), _decimal(found)
    if _significant(now) > _DIGITS:
        return False
    return any(rounding.create_decimal(was) == now for rounding in _ROUNDINGS)


def is_rounded(original: str, found: str) -> bool:
    """Whether `found` is still the number `original` that a spreadsheet has rounded, in whatever spelling."""
    return is_same_number(scientific(original), found)


def is_same_date(original: str, found: str) -> bool:
    """Whether both say the same date, in another spelling. A swap of day and month is no spelling."""
    return any(_agree(was, now) for was in _readings(original) for now in _readings(found))


def _is_number(text: str) -> bool:
    match = _NUMBER.fullmatch(text.strip())
    # Nobody groups the digits of a mantissa, nor any behind a leading zero.
    may_be_grouped = not re.search(r"E|^[+-]?0*,", text.strip(), re.IGNORECASE)
    return match is not None and not (match[1] == "," and len(match[2]) == 3 and may_be_grouped)


def _decimal(text: str) -> Decimal:
    return Decimal(text.strip().replace(",", "."))


def _significant(number: Decimal) -> int:
    """Digits between the first and the last that is not a zero."""
    return len("".join(map(str, number.as_tuple().digits)).strip("0"))


def _agree(was: _Reading, now: _Reading) -> bool:
    if (was.month, was.day) != (now.month, now.day) or {was.order, now.order} == {"day", "month"}:
        return False
    if was.year is None or now.year is None:
        # 1.5 and 1.05 are numbers before they are days: without a year one of them must name its month.
        if was.year is now.year and "name" not in (was.order, now.order):
            return False
    elif was.year != now.year:
        return False
    if (was.minutes or 0) != (now.minutes or 0):
        return False
    # A spreadsheet that shows no seconds has not changed them.
    return was.seconds is None or now.seconds is None or was.seconds == now.seconds


def _readings(text: str) -> list[_Reading]:
    text = text.strip()
    if len(text) > 40:
        return []
    found: list[_Reading | None] = []
    if match := _YEAR_FIRST.fullmatch(text):
        found.append(_reading("year", match, match["a"], match["b"]))
    if match := _YEAR_LAST.fullmatch(text):
        found += [
            _reading("day", match, match["b"], match["a"]),
            _reading("month", match, match["a"], match["b"]),
        ]
    for pattern in (_DAY_NAME, _NAME_DAY):
        if (match := pattern.fullmatch(text)) and (month := _MONTHS.get(match["m"].lower())):
            found.append(_reading("name", match, str(month), match["d"]))
    return [reading for reading in found if reading]


def _reading(order: str, match: re.Match[str], month: str, day: str) -> _Reading | None:
    year = int(match["y"]) if match["y"] else None
    if year is not None and year < 100:
        # The window of both Excel and LibreOffice.
        year += 2000 if year < 30 else 1900
    try:
        date(2024 if year is None else year, int(month), int(day))
    except ValueError:
        return None
    minutes = None
    if match["hour"]:
        hour = int(match["hour"])
        if match["half"]:
            hour = hour % 12 + (12 if match["half"].upper() == "PM" else 0)
        minutes = hour * 60 + int(match["minute"])
    seconds = int(match["second"]) if match["second"] else None
    return _Reading(order, year, int(month), int(day), minutes, seconds)
