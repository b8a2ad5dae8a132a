"""Dates and times: from a cell's text to a moment in UTC, by a declared format or by ISO 8601.

Formats are read by our own patterns, not by `strptime`: that one follows the machine's language, takes digits
of any script, and reads `2026111` by `%Y%m%d` as a day that nobody wrote.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final, NamedTuple

from filebridge.mapping.judge import Decision
from filebridge.mapping.values import CellFault, Read, shown

_EPOCH: Final = datetime(1970, 1, 1)
_MICROSECOND: Final = timedelta(microseconds=1)
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH_NAMES: Final = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_FIRST_YEAR: Final = 1900
_LONGEST: Final = 64
_MINUTES_OF_A_DAY: Final = 24 * 60


class Instant(NamedTuple):
    """A moment, microseconds since the epoch, UTC. `day` is the local day of a date without a time, else None.

    A date without a time is noon in its zone, so that the calendar day is the same in UTC (DESIGN, cases
    settled).
    """

    at: int
    day: date | None = None

    def __str__(self) -> str:
        if self.day:
            return f"{self.day.day} {_MONTH_NAMES[self.day.month - 1].title()} {self.day.year}"
        return f"{_EPOCH + timedelta(microseconds=self.at):%Y-%m-%d %H:%M:%S} UTC"


def micros(local: datetime, zone: tzinfo) -> int:
    """Microseconds since the epoch, UTC, of a naive time in `zone`."""
    offset = local.replace(tzinfo=zone).utcoffset() or timedelta()
    return (local - _EPOCH - offset) // _MICROSECOND


def until_end_of_day(instant: Instant, *, zone: tzinfo, arrived_at: int) -> int:
    """The moment that an `as_of` stands for: a date alone is the end of that day, or the arrival if earlier.

    A day after today stays its end, so that whoever compares it with the arrival sees that it lies ahead.
    """
    if instant.day is None:
        return instant.at
    end = micros(datetime.combine(instant.day, time.max).replace(fold=1), zone)
    today = datetime.fromtimestamp(arrived_at // 1_000_000, zone).date()
    return end if instant.day > today else min(end, arrived_at)


# Formats

_DIGITS: Final = {
    "Y": (4, 4),
    "y": (2, 2),
    "m": (1, 2),
    "d": (1, 2),
    "H": (1, 2),
    "I": (1, 2),
    "M": (1, 2),
    "S": (1, 2),
    "f": (1, 6),
    "j": (3, 3),
}
_WORDS: Final = {
    "b": "|".join(_MONTHS),
    "B": "|".join(_MONTH_NAMES),
    "a": "|".join(name[:3] for name in _WEEKDAYS),
    "A": "|".join(_WEEKDAYS),
    "p": "am|pm",
    "z": r"z|[+-]\d{2}:?\d{2}",
    "Z": "utc|gmt|z",
}


@dataclass(frozen=True)
class DateFormat:
    """A format of `date:`, ready to be used."""

    text: str
    pattern: re.Pattern[str]
    has_time: bool


@lru_cache(maxsize=256)
def date_format(text: str) -> DateFormat:
    """A date format as in `%d.%m.%Y`. Raises ValueError, with what is wrong, on one that gives no whole date."""
    tokens = re.findall(r"%.|\s+|[^%\s]|%", text, flags=re.DOTALL)
    names = [token[-1] if token.startswith("%") and len(token) > 1 else "" for token in tokens]
    parts = []
    for place, (token, name) in enumerate(zip(tokens, names, strict=True)):
        if name in _DIGITS:
            least, most = _DIGITS[name]
            beside = [place - 1, place + 1]
            joined = any(0 <= other < len(tokens) and _is_digits(tokens[other]) for other in beside)
            least = most if joined and name != "f" else least
            parts.append(rf"(?P<{name}>\d{{{least},{most}}})")
        elif name in _WORDS:
            parts.append(f"(?P<{name}>{_WORDS[name]})")
        elif name and name != "%":
            raise ValueError(f"{token} is unknown in the date format {text!r}; known are %Y %m %d %H %M %S …")
        else:
            parts.append(r"\s+" if token.isspace() else re.escape(token[-1]))
    found = set(names)
    if len(names) - names.count("") - names.count("%") != len(found - {"", "%"}):
        raise ValueError(f"the date format {text!r} names a part twice")
    if not found & {"Y", "y"} or not ("j" in found or ("d" in found and found & {"m", "b", "B"})):
        raise ValueError(f"the date format {text!r} gives no whole date; it needs year, month and day")
    pattern = re.compile("".join(parts), flags=re.ASCII | re.IGNORECASE)
    return DateFormat(text, pattern, has_time=bool(found & {"H", "I"}))


def _is_digits(token: str) -> bool:
    return token.isdigit() or (token.startswith("%") and token[-1] in _DIGITS)


def read_by_format(text: str, form: DateFormat, zone: tzinfo) -> Instant | None:
    """The moment that `text` is by one format; None where it does not fit, or names a day that does not exist."""
    match = form.pattern.fullmatch(text) if len(text) <= _LONGEST else None
    if not match:
        return None
    parts = {name: part.lower() for name, part in match.groupdict().items()}
    day = _day(parts)
    if day is None or not _weekday_fits(day, parts):
        return None
    if not form.has_time:
        return _noon(day, zone)
    clock = _clock(parts)
    offset = _offset(parts.get("z") or parts.get("Z"), zone)
    if clock is None or offset is None:
        return None
    return Instant(micros(datetime.combine(day, clock), offset))


def _day(parts: dict[str, str]) -> date | None:
    if "Y" in parts:
        year = int(parts["Y"])
    else:
        short = int(parts["y"])
        # As POSIX reads it: 69 to 99 are of the last century.
        year = short + (1900 if short >= 69 else 2000)
    if year < _FIRST_YEAR:
        return None
    try:
        if "j" in parts:
            day = date(year, 1, 1) + timedelta(days=int(parts["j"]) - 1)
            return day if day.year == year else None
        return date(year, _month(parts), int(parts["d"]))
    except (ValueError, OverflowError):
        return None


def _month(parts: dict[str, str]) -> int:
    if "m" in parts:
        return int(parts["m"])
    return _MONTHS.index((parts.get("b") or parts["B"])[:3]) + 1


def _weekday_fits(day: date, parts: dict[str, str]) -> bool:
    named = parts.get("A") or parts.get("a")
    return named is None or _WEEKDAYS[day.weekday()].startswith(named)


def _clock(parts: dict[str, str]) -> time | None:
    hour = int(parts.get("H") or parts.get("I") or 0)
    if "I" in parts and "H" not in parts:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if parts.get("p") == "pm" else 0)
    micro = int(parts.get("f", "0").ljust(6, "0"))
    try:
        return time(hour, int(parts.get("M", 0)), int(parts.get("S", 0)), micro)
    except ValueError:
        return None


def _offset(written: str | None, zone: tzinfo) -> tzinfo | None:
    """The zone of a time: the offset that it is written with, else `zone`. None for an offset of a day or more."""
    if not written:
        return zone
    digits = "".join(filter(str.isdigit, written))
    minutes = int(digits[:2] or "0") * 60 + int(digits[2:4] or "0")
    minutes = -minutes if written.startswith("-") else minutes
    return timezone(timedelta(minutes=minutes)) if abs(minutes) < _MINUTES_OF_A_DAY else None


def _noon(day: date, zone: tzinfo) -> Instant:
    return Instant(micros(datetime.combine(day, time(12)), zone), day)


_ISO: Final = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})"
    r"(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,6})\d*)?)?\s?(Z|[+-]\d{2}(?::?\d{2})?)?)?"
    r"|(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(?:(\d{2}))?(Z|[+-]\d{2}(?::?\d{2})?)?)?",
    flags=re.ASCII | re.IGNORECASE,
)


def read_iso(text: str, zone: tzinfo) -> Instant | None:
    """The moment that `text` is by ISO 8601: a date, or a date and a time, with an offset or in `zone`."""
    match = _ISO.fullmatch(text) if len(text) <= _LONGEST else None
    if not match:
        return None
    year, month, day, hour, minute, second, fraction, offset = match.groups()[:8]
    if year is None:
        year, month, day, hour, minute, second, offset = match.groups()[8:]
    parts = {"Y": year, "m": month, "d": day}
    found = _day(parts)
    if found is None or hour is None:
        return None if found is None else _noon(found, zone)
    clock = _clock({"H": hour, "M": minute, "S": second or "0", "f": fraction or "0"})
    written = _offset(offset, zone)
    if clock is None or written is None:
        return None
    return Instant(micros(datetime.combine(found, clock), written))


class InstantRead(NamedTuple):
    """An instant, or its fault, and what the cell says of its column, as in `values.Read`."""

    value: Instant | CellFault
    judges: bool = False
    fits: frozenset[int] | None = None


def read_instant(
    text: str, formats: Sequence[DateFormat], *, zone: tzinfo, decision: Decision, is_date_cell: bool = False
) -> InstantRead:
    """The moment that a cell says: by the listed formats, else, and for a date cell of a workbook, by ISO 8601."""
    if is_date_cell or not formats:
        found = read_iso(text, zone)
        return InstantRead(found if found else _no_date(text, () if is_date_cell else formats))
    readings = [read_by_format(text, form, zone) for form in formats]
    found_by = [place for place, reading in enumerate(readings) if reading is not None]
    if not found_by:
        return InstantRead(_no_date(text, formats))
    judges = len(formats) > 1
    place = decision.choose(readings)
    chosen = None if place is None else readings[place]
    if chosen is None:
        return InstantRead(_ambiguous(text, formats, readings), judges=judges)
    one = all(readings[place] == chosen for place in found_by)
    return InstantRead(chosen, judges=judges, fits=frozenset(found_by) if one else None)


def _no_date(text: str, formats: Sequence[DateFormat]) -> CellFault:
    if formats:
        wanted = " or ".join(form.text for form in formats)
        return CellFault("bad_date", f"{shown(text)} is no date of the form {wanted}.")
    return CellFault(
        "bad_date",
        f"{shown(text)} is no date as in 2026-11-23 or 2026-11-23T06:00; write it so, or declare `date:` in the "
        "mapping.",
    )


def _ambiguous(text: str, formats: Sequence[DateFormat], readings: Sequence[Instant | None]) -> CellFault:
    both = ", and ".join(
        f"{reading} by {form.text}" for form, reading in zip(formats, readings, strict=True) if reading
    )
    return CellFault(
        "ambiguous_date",
        f"{shown(text)} is {both}; no other cell of the column decides. Declare one format in `date:`.",
    )


def as_read(read: InstantRead, value: int | CellFault) -> Read:
    """An instant's reading as that of its field, with the value that it stands for."""
    return Read(value, judges=read.judges, fits=read.fits)
