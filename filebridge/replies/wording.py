"""Words, figures and columns for pages of plain text that are read in Notepad: at most 100 columns."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC
from typing import Final
from zoneinfo import ZoneInfo

from filebridge.clock import from_micros
from filebridge.rejects import CATALOGUE

WIDTH: Final = 100
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_ADVISES: Final = frozenset(
    (
        "add", "ask", "compare", "correct", "declare", "delete", "double", "drop", "enter", "export",
        "fill", "format", "give", "keep", "leave", "look", "make", "mend", "move", "narrow", "open",
        "quote", "read", "recalculate", "rename", "repair", "restore", "run", "save", "say", "send",
        "split", "take", "tell", "type", "unhide", "use", "write", "wait",
    )
)  # fmt: skip
"""Words that a sentence begins with which says what to do."""
_BEGINS: Final = re.compile(r"(?:^|[.;] |, or )([A-Za-z]+)")
_SENTENCE: Final = re.compile(r"(?<=\.) (?=[A-Z])")
_WITH_CODE: Final = re.compile(r"([a-z_]+)(?:: (.*))?", re.DOTALL)
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def count_of(count: int, what: str) -> str:
    """`1 row`, `1,204 rows`."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def local_time(micros: int, zone: str) -> str:
    """An instant in the vendor's zone and in UTC: `Mon 23 Nov 2026, 23:00 (America/Denver; 06:00 UTC)`."""
    universal = from_micros(micros).replace(microsecond=0)
    if zone == "UTC":
        return f"{_day(micros, zone)}, {universal:%H:%M} UTC"
    local = universal.astimezone(ZoneInfo(zone))
    other_day = (
        "" if local.date() == universal.date() else f" on {universal.day} {_MONTHS[universal.month - 1]}"
    )
    return f"{_day(micros, zone)}, {local:%H:%M} ({zone}; {universal:%H:%M} UTC{other_day})"


def short_time(micros: int, zone: str) -> str:
    """An instant in the vendor's zone, for a table: `Mon 23 Nov 23:00`."""
    local = from_micros(micros).astimezone(UTC if zone == "UTC" else ZoneInfo(zone))
    return f"{_DAYS[local.weekday()]} {local.day:>2} {_MONTHS[local.month - 1]} {local:%H:%M}"


def _day(micros: int, zone: str) -> str:
    local = from_micros(micros).astimezone(UTC if zone == "UTC" else ZoneInfo(zone))
    return f"{_DAYS[local.weekday()]} {local.day} {_MONTHS[local.month - 1]} {local.year}"


def sentence(message: str) -> str:
    """A message with the mark at its end that it may lack."""
    return message if not message or message.endswith((".", "!", "?", "…")) else f"{message}."


def says_what_to_do(message: str) -> bool:
    """Whether a message holds advice already, so that none needs to be added."""
    return any(begin.lower() in _ADVISES for begin in _BEGINS.findall(message))


def told_apart(message: str) -> tuple[str, str]:
    """What a message says was found, and the sentences at its end that say what to do; either may be empty."""
    parts = _SENTENCE.split(message)
    start = next((at for at, part in enumerate(parts) if part.split(" ")[0].lower() in _ADVISES), len(parts))
    return " ".join(parts[:start]), " ".join(parts[start:])


def why_waiting(reason: str) -> str:
    """Why a file is still in the inbox, and what to do, from the reason that the ledger keeps: a code, a sentence."""
    found = _WITH_CODE.fullmatch(plain(reason))
    if found is None:
        return sentence(plain(reason)) or "FileBridge has not taken it yet."
    code, message = found[1], found[2] or ""
    if not message:
        return "It is still changing." if code == "still_changing" else "FileBridge has not taken it yet."
    message = sentence(message[0].upper() + message[1:])
    known = CATALOGUE.get(code)
    return f"{message} {known.fix}" if known and not says_what_to_do(message) else message


def plain(text: str) -> str:
    """Text of somebody else's on one line: nothing in it can move the cursor or turn the writing round."""
    return "".join(
        " " if unicodedata.category(mark) in ("Cc", "Cf", "Zl", "Zp", "Cs") else mark for mark in text
    )


def cut(text: str, width: int) -> str:
    """Text that fits a column; what is left out is shown by an ellipsis."""
    text = plain(text)
    return text if len(text) <= width else text[: width - 1] + "…"


def wrapped(
    text: str,
    *,
    indent: str = "",
    first: str | None = None,
    width: int = WIDTH,
    break_long_words: bool = True,
) -> list[str]:
    """A paragraph as lines. `first` stands before the first line, `indent` before the others."""
    return textwrap.wrap(
        plain(text),
        width=width,
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
        break_on_hyphens=False,
        break_long_words=break_long_words,
    ) or [(first or "").rstrip()]


def table_lines(
    headers: Sequence[str], rows: Iterable[Sequence[str]], *, widths: Sequence[int], right: Sequence[int] = ()
) -> list[str]:
    """A table as lines. Cells are cut to their column's width, but for the last column, which is wrapped."""
    lines = [_line([*headers], widths, right), _line(["-" * width for width in widths], widths, ())]
    for row in rows:
        *cells, last = row
        parts = wrapped(last, width=widths[-1])
        lines.append(
            _line(
                [*(cut(cell, width) for cell, width in zip(cells, widths, strict=False)), parts[0]],
                widths,
                right,
            )
        )
        blank = [""] * len(cells)
        lines += [_line([*blank, part], widths, ()) for part in parts[1:]]
    return lines


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[int]) -> str:
    parts = [
        f"{cell:>{width}}" if place in right else f"{cell:<{width}}"
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  " + "  ".join(parts).rstrip()


def heading(text: str) -> list[str]:
    """A heading with a line below it."""
    return ["", text, "-" * len(text)]


def to_bytes(lines: Iterable[str]) -> bytes:
    """Lines as a file: UTF-8, and line ends that every Notepad shows."""
    return "".join(f"{line}\r\n" for line in lines).encode("utf-8", "replace")
