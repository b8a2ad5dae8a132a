"""ODS as a stream of rows, by an expat parser of our own: repeated cells and rows are counted, never laid out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from filebridge.errors import FileRefused
from filebridge.tables.admission import Archive
from filebridge.tables.number_formats import clock, iso_text, plain_digits
from filebridge.tables.rows import Row
from filebridge.tables.sheets import MOST_COLUMNS, MOST_ROWS, SheetFacts, SheetPart, bounded, damaged
from filebridge.tables.table import Kind
from filebridge.tables.xml_parts import local, parse, parse_in_pieces

_CONTENT: Final = "content.xml"
_DURATION: Final = re.compile(r"-?P(?:(\d+)D)?T?(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:[.,](\d+))?S)?")
_ERRORS: Final = re.compile(r"#[A-Z/0]+[!?]?|Err:\d+")
_MOST_REPEATED_ROWS: Final = 100_000
"""Rows that are filled and repeat: no person fills so many alike, and the file has them in one line."""


class Ods:
    """An ODS. Raises FileRefused where it is encrypted, damaged or built to do harm."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        if _CONTENT not in archive:
            raise damaged("The workbook lacks its part content.xml.")
        if "META-INF/manifest.xml" in archive and b"encryption-data" in archive.read("META-INF/manifest.xml"):
            raise FileRefused(
                "unreadable_file",
                "The workbook is encrypted with a password.",
                fix="Save it without a password.",
            )
        self.sheets = self._read_sheets()

    def _read_sheets(self) -> list[SheetPart]:
        hidden: set[str] = set()
        style = ""
        tables: list[tuple[str, str]] = []
        depth = 0

        def start(name: str, attributes: dict[str, str]) -> None:
            nonlocal style, depth
            name, found = local(name), _local_keys(attributes)
            if name == "style":
                style = found.get("name", "")
            elif name == "table-properties" and found.get("display") == "false":
                hidden.add(style)
            elif name == "table":
                if not depth:
                    tables.append((found.get("name", ""), found.get("style-name", "")))
                depth += 1

        def end(name: str) -> None:
            nonlocal depth
            depth -= local(name) == "table"

        parse(self._archive, _CONTENT, start, end)
        return [SheetPart(name, str(number), of in hidden) for number, (name, of) in enumerate(tables)]

    def rows(self, sheet: SheetPart, facts: SheetFacts, *, skip_hidden: bool = False) -> Iterator[Row]:
        """The rows of a sheet that hold something, cells from column A on."""
        reader = _OdsReader(int(sheet.part), facts, skip_hidden=skip_hidden)
        for _ in parse_in_pieces(self._archive, _CONTENT, reader.start, reader.end, reader.text):
            yield from reader.taken()
            if reader.is_done:
                return


def _local_keys(attributes: dict[str, str]) -> dict[str, str]:
    return {local(key): text for key, text in attributes.items()}


class _OdsReader:
    """The handlers of content.xml for one table; rows gather until they are `taken`."""

    def __init__(self, number: int, facts: SheetFacts, *, skip_hidden: bool) -> None:
        self._number = number
        self._facts = facts
        self._skip_hidden = skip_hidden
        self._tables = -1
        self._depth = 0
        self.is_done = False
        self._rows: list[Row] = []
        self._row = 0
        self._places = 0
        self._row_repeats = 1
        self._is_hidden = False
        self._cells: list[str] = []
        self._kinds = bytearray()
        self._column = 0
        self._cell: dict[str, str] = {}
        self._paragraphs: list[list[str]] = []
        self._ignored = 0
        self._at_column = 0

    def taken(self) -> list[Row]:
        """The rows read since the last call."""
        rows, self._rows = self._rows, []
        return rows

    @property
    def _is_inside(self) -> bool:
        return self._tables == self._number and self._depth == 1

    def start(self, name: str, attributes: dict[str, str]) -> None:
        name = local(name)
        if name == "table":
            self._tables += self._depth == 0
            self._depth += 1
        elif not self._is_inside:
            return
        elif name == "table-row":
            found = _local_keys(attributes)
            self._row_repeats = _count(found.get("number-rows-repeated"))
            self._is_hidden = found.get("visibility", "visible") != "visible"
            self._cells, self._kinds, self._column = [], bytearray(), 0
        elif name in ("table-cell", "covered-table-cell"):
            self._cell = _local_keys(attributes)
            self._paragraphs = []
        elif name == "table-column":
            found = _local_keys(attributes)
            repeats = min(_count(found.get("number-columns-repeated")), MOST_COLUMNS)
            if found.get("visibility", "visible") != "visible":
                self._facts.hidden_columns.update(range(self._at_column, self._at_column + repeats))
            self._at_column += repeats
        elif name == "annotation":
            self._ignored += 1
        elif not self._ignored:
            self._start_text(name, attributes)

    def _start_text(self, name: str, attributes: dict[str, str]) -> None:
        if name == "p":
            self._paragraphs.append([])
        elif self._paragraphs and name in ("s", "tab", "line-break"):
            count = min(_count(_local_keys(attributes).get("c")), 1000) if name == "s" else 1
            self._paragraphs[-1].append({"s": " ", "tab": "\t", "line-break": "\n"}[name] * count)

    def text(self, piece: str) -> None:
        if self._is_inside and self._paragraphs and not self._ignored:
            self._paragraphs[-1].append(piece)

    def end(self, name: str) -> None:
        name = local(name)
        if name == "table":
            self._depth -= 1
            self.is_done = self.is_done or (self._depth == 0 and self._tables == self._number)
        elif not self._is_inside:
            return
        elif name in ("table-cell", "covered-table-cell"):
            self._end_cell()
        elif name == "table-row":
            self._end_row()
        elif name == "annotation":
            self._ignored -= 1

    def _end_cell(self) -> None:
        repeats = _count(self._cell.get("number-columns-repeated"))
        text, kind = self._judge("\n".join("".join(part) for part in self._paragraphs))
        if text or kind:
            if self._column + repeats > MOST_COLUMNS:
                raise damaged(f"Row {self._row + 1} has more than {MOST_COLUMNS} cells.")
            gap = self._column - len(self._cells)
            self._cells.extend([""] * gap + [text] * repeats)
            self._kinds.extend(bytes(gap) + bytes([kind]) * repeats)
        self._column += repeats
        self._paragraphs = []

    def _end_row(self) -> None:
        repeats = self._row_repeats
        if self._cells:
            if repeats > _MOST_REPEATED_ROWS or self._row + repeats > MOST_ROWS:
                raise FileRefused(
                    "too_large",
                    f"Row {self._row + 1} is repeated {repeats:,} times.",
                    fix="Delete the repeated rows.",
                )
            self._facts.hidden_rows += repeats if self._is_hidden else 0
            if not (self._is_hidden and self._skip_hidden):
                kinds = bytes(self._kinds) if any(self._kinds) else None
                for number in range(self._row + 1, self._row + repeats + 1):
                    self._places = bounded(self._places + len(self._cells), number)
                    self._rows.append((number, self._cells, kinds))
        self._row += repeats

    def _judge(self, shown: str) -> tuple[str, Kind]:
        """Text and kind of a cell by its type; `shown` is what the sheet shows."""
        of = self._cell.get("value-type", "")
        if of in ("float", "percentage", "currency"):
            if _ERRORS.fullmatch(shown):
                return shown, Kind.ERROR
            return _number(self._cell.get("value", ""), shown)
        if of == "date":
            return iso_text(self._cell.get("date-value", shown)), Kind.DATE
        if of == "time":
            return _duration(self._cell.get("time-value", shown)), Kind.DATE
        if of == "boolean":
            return ("TRUE" if self._cell.get("boolean-value") == "true" else "FALSE"), Kind.BOOLEAN
        if "formula" in self._cell:
            if _ERRORS.fullmatch(shown):
                return shown, Kind.ERROR
            if not of and not shown:
                return "", Kind.NO_VALUE
        return shown or self._cell.get("string-value", ""), Kind.TEXT


def _count(text: str | None) -> int:
    if text is None:
        return 1
    if not text.isdecimal() or len(text) > 9:
        raise damaged(f"The workbook repeats a cell {text[:20]} times.")
    return max(int(text), 1)


def _number(stored: str, shown: str) -> tuple[str, Kind]:
    """A number; as it is shown where that is the same number with leading zeros (a digit mask)."""
    try:
        value = float(stored)
    except ValueError:
        return shown, Kind.TEXT
    text = plain_digits(value)
    if abs(value) >= 1e15 and value == value // 1:
        return text, Kind.DAMAGED
    digits = "".join(mark for mark in shown if mark.isdecimal())
    is_mask = shown.lstrip("-+( ").startswith("0") and len(digits) > 1 and not set(shown) & set(".,/:%")
    if is_mask and value == value // 1 and digits.lstrip("0") == text.lstrip("-").lstrip("0"):
        return shown, Kind.NUMBER
    return text, Kind.NUMBER


def _duration(stored: str) -> str:
    match = _DURATION.fullmatch(stored)
    if not match:
        return stored
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[:4])
    rounded = int((match[5] or "0")[0] >= "5")
    return clock(((days * 24 + hours) * 60 + minutes) * 60 + seconds + rounded)
