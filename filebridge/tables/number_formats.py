"""Numbers of a spreadsheet as text: plain digits, digit masks, dates and times.

A spreadsheet keeps 15 significant digits and no types: whether a number is a date, or a code with leading
zeros, only its number format says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from filebridge.tables.table import Kind

_SECONDS_A_DAY: Final = 86_400
_DATE_IDS: Final = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
_ELAPSED_ID: Final = 46
_TOKEN: Final = re.compile(r'"([^"]*)"|\\(.)|\[([^\]]*)\]|([_*].)|(.)', re.DOTALL)
_MASK_LITERALS: Final = frozenset("- ()+")
_ISO: Final = re.compile(r"(\d{4}-\d\d-\d\d)?(?:T?(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?)?Z?")
_LAST_DAY: Final = 2_958_465
"""9999-12-31, beyond which a serial number is no date."""


@dataclass(frozen=True)
class Format:
    """What a number format makes of a number: a date, hours beyond a day, a digit mask, or nothing.

    `mask` holds the literals and a None for each zero.
    """

    is_date: bool = False
    is_elapsed: bool = False
    mask: tuple[str | None, ...] = ()

    @property
    def is_plain(self) -> bool:
        return not (self.is_date or self.mask)


PLAIN: Final = Format()


def builtin_format(number: int) -> Format:
    """A format by its number, as spreadsheets agree on them."""
    return Format(is_date=number in _DATE_IDS or number == _ELAPSED_ID, is_elapsed=number == _ELAPSED_ID)


def parse_format(code: str) -> Format:
    """A format by its code, such as `00000` or `dd.mm.yyyy`; of several sections the first counts."""
    mask: list[str | None] | None = []
    letters = ""
    elapsed = False
    for quoted, escaped, bracket, padding, sign in _TOKEN.findall(code):
        if sign == ";":
            break
        if sign == "0":
            mask = None if mask is None else [*mask, None]
        elif sign:
            letters += sign.lower()
            mask = [*mask, sign] if mask is not None and sign in _MASK_LITERALS else None
        elif padding:
            mask = None
        elif bracket:
            elapsed = elapsed or bool(re.fullmatch(r"[hH]+|[mM]+|[sS]+", bracket))
        elif mask is not None:
            mask = [*mask, quoted or escaped]
    letters = letters.replace("general", "")
    if elapsed or any(letter in letters for letter in "ymdhs"):
        return Format(is_date=True, is_elapsed=elapsed)
    if mask and mask.count(None) >= 2:
        return Format(mask=tuple(mask))
    return PLAIN


def number_text(stored: str, form: Format, *, from_1904: bool) -> tuple[str, Kind]:
    """The text and the kind of a number as it is stored in a workbook, under its format."""
    if form is PLAIN and len(stored) < 16 and stored.isdecimal() and (stored[0] != "0" or len(stored) == 1):
        return stored, Kind.NUMBER
    try:
        value = float(stored)
    except ValueError:
        return stored, Kind.TEXT
    return value_text(value, form, from_1904=from_1904)


def value_text(value: float, form: Format, *, from_1904: bool) -> tuple[str, Kind]:
    """The text and the kind of a number under its format."""
    if form.is_date and (text := date_text(value, form, from_1904=from_1904)):
        return text, Kind.DATE
    text = plain_digits(value)
    if abs(value) >= 1e15 and value == value // 1:
        return text, Kind.DAMAGED
    if form.mask and value == value // 1:
        return masked(text, form.mask), Kind.NUMBER
    return text, Kind.NUMBER


def plain_digits(value: float) -> str:
    """A number in plain digits, at most 15 significant, without exponent and needless zeros."""
    text = format(value, ".15g")
    if "e" in text:
        text = format(Decimal(text), "f")
    return "0" if text == "-0" else text


def masked(digits: str, mask: tuple[str | None, ...]) -> str:
    """A whole number as a mask of zeros shows it: 45 under `000-000` is 000-045."""
    sign, digits = ("-", digits[1:]) if digits.startswith("-") else ("", digits)
    zeros = mask.count(None)
    digits = digits.zfill(zeros)
    surplus = len(digits) - zeros
    shown: list[str] = []
    taken = 0
    for part in mask:
        if part is None:
            until = taken + 1 + (surplus if not taken else 0)
            shown.append(digits[taken:until])
            taken = until
        else:
            shown.append(part)
    return sign + "".join(shown)


def date_text(value: float, form: Format, *, from_1904: bool) -> str:
    """A serial number as ISO 8601, to the nearest second; empty where it is no date."""
    if not 0 <= value <= _LAST_DAY:
        return ""
    seconds = int(value * _SECONDS_A_DAY + 0.5)
    if form.is_elapsed:
        return clock(seconds)
    days, rest = divmod(seconds, _SECONDS_A_DAY)
    if not days:
        return clock(rest)
    if from_1904:
        day = date(1904, 1, 1) + timedelta(days=days)
    else:
        # The 29th of February 1900, day 60, is in spreadsheets and in no calendar.
        if days == 60:
            return ""
        day = date(1899, 12, 31 if days < 60 else 30) + timedelta(days=days)
    return f"{day.isoformat()}T{clock(rest)}" if rest else day.isoformat()


def clock(seconds: int) -> str:
    """Seconds as hours, minutes and seconds; more than a day stays hours."""
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def iso_text(stored: str) -> str:
    """A date that is stored as ISO text, in the form of `date_text`: midnight is only a date."""
    match = _ISO.fullmatch(stored.strip())
    if not match:
        return stored
    day, hours, minutes, seconds, fraction = match.groups()
    count = (
        int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0) + ((fraction or "0")[0] >= "5")
    )
    if not day:
        return clock(count)
    whole = date.fromisoformat(day) + timedelta(days=count // _SECONDS_A_DAY)
    rest = count % _SECONDS_A_DAY
    return f"{whole.isoformat()}T{clock(rest)}" if rest else whole.isoformat()
