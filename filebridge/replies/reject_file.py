"""The reject file: the rows that did not go, in the sender's own form, with the reasons beside them.

The rows are read again from the original, all columns of it, and written as a stream: there may be a million.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any, BinaryIO, Final

from filebridge.clock import from_micros
from filebridge.mapping.reject_form import (
    BETWEEN,
    FB_COLUMNS,
    FB_REST,
    LONGEST_CELL,
    form_of,
    named_columns,
    surplus_of,
    written,
)
from filebridge.rejects import Reject
from filebridge.tables.table import Chunk, Kind, ReadHow, Table
from filebridge.tables.write import write_delimited

SHEET: Final = "Rejected rows"
MOST_COLUMNS: Final = 16_384
MOST_TWIN_ROWS: Final = 20_000
"""Rows of a workbook beside a CSV: writing more takes minutes, and nobody corrects them by hand."""
_MOST_NOTES: Final = 1_000
"""Notes on bad cells; beyond them the colour and `fb_message` must do, since a workbook keeps notes in memory."""

_STRAIGHT: Final = dict(zip("‘’“”–—…Łł", ("'", "'", '"', '"', "-", "-", "...", "L", "l"), strict=True))
_INTEGER: Final = re.compile(r"-?(?:0|[1-9]\d{0,14})")
_DECIMAL: Final = re.compile(r"-?(?:0|[1-9]\d{0,13})\.\d*[1-9]")
_NOT_IN_XML: Final = re.compile("[\ud800-\udfff\ufffe\uffff]")
_NARROWEST, _WIDEST = 8, 50


@dataclass(frozen=True)
class RejectedRow:
    """A row of the reject file. `kinds` are those of `cells`; `surplus` is what `fb_rest` says."""

    row: int
    cells: tuple[str, ...]
    kinds: bytes
    surplus: str
    reasons: tuple[Reject, ...]


@dataclass(frozen=True)
class RejectRequest:
    """What a reject file is made of: the original as a table, and the reasons of each row in order of rows.

    `has_ragged` says whether some row does not fit the header, so that there is a column for what is left over.
    """

    file_id: str
    received_at: int
    table: Table
    reasons: Iterable[tuple[int, tuple[Reject, ...]]]
    has_ragged: bool

    @property
    def header(self) -> tuple[str, ...]:
        """The sender's own columns, then ours."""
        return (*self.table.headers, *FB_COLUMNS, *((FB_REST,) if self.has_ragged else ()))


def suffix_of(how: ReadHow) -> str:
    """`csv` or `xlsx`: what the sender's own form is called in the name of a reject file."""
    return form_of(how).format


def has_twin(rows: int, columns: int) -> bool:
    """Whether a CSV sender gets a workbook as well, of so many rejected rows and columns of the sender's."""
    return rows <= MOST_TWIN_ROWS and columns + len(FB_COLUMNS) + 1 <= MOST_COLUMNS


def rejected_lines(request: RejectRequest) -> Iterator[RejectedRow]:
    """The rejected rows with all their cells, in order of rows."""
    table, width = request.table, len(request.table.headers)
    wanted = iter(request.reasons)
    due = next(wanted, None)
    for chunk in table.chunks(range(width)) if due else ():
        for row, cells, kinds, surplus in _rows_in(chunk, table):
            while due is not None and due[0] < row:
                due = next(wanted, None)
            if due is None:
                return
            if due[0] == row:
                yield RejectedRow(row, cells, kinds, surplus, due[1])


def _rows_in(chunk: Chunk, table: Table) -> Iterator[tuple[int, tuple[str, ...], bytes, str]]:
    """The rows of a chunk in order, those that do not fit the header among them."""
    width = len(table.headers)
    plain = bytes(width)
    columns = [column.to_pylist() for column in chunk.cells]
    kinds = [None if found is None else found.tolist() for found in chunk.kinds]
    has_kinds = any(found is not None for found in kinds)
    faults = sorted(chunk.faults, key=lambda fault: fault.row)
    place = 0
    for number, row in enumerate(chunk.rows.tolist()):
        while place < len(faults) and faults[place].row < row:
            yield _ragged(faults[place].row, faults[place].cells, table)
            place += 1
        own = bytes(0 if found is None else found[number] for found in kinds) if has_kinds else plain
        yield row, tuple(column[number] for column in columns), own, ""
    for fault in faults[place:]:
        yield _ragged(fault.row, fault.cells, table)


def _ragged(row: int, cells: Sequence[str], table: Table) -> tuple[int, tuple[str, ...], bytes, str]:
    width = len(table.headers)
    fitted = (*cells[:width], *[""] * (width - len(cells)))
    return row, fitted, bytes(width), surplus_of(cells, width, form_of(table.how).delimiter)


def write_reject_csv(stream: BinaryIO, request: RejectRequest) -> None:
    """Write the reject file as delimited text, in the sender's delimiter, encoding, line ends and byte order mark."""
    form = form_of(request.table.how)
    if form.bom:
        stream.write("\ufeff".encode(form.encoding))
    write_delimited(
        stream,
        _text_rows(request, form),
        encoding=form.encoding,
        delimiter=form.delimiter,
        quote=form.quote,
        escape=form.escape,
        line_end=form.line_end,
    )


def _text_rows(request: RejectRequest, form: ReadHow) -> Iterator[Sequence[str]]:
    yield request.header
    for line in rejected_lines(request):
        cells = [written(text, kind) for text, kind in zip(line.cells, line.kinds, strict=True)]
        yield [*cells, *(_tame(cell, form) for cell in _our_cells(line, request))]


def _our_cells(line: RejectedRow, request: RejectRequest) -> list[str]:
    """What stands in our columns: where the row came from, and every reason why it did not go."""
    columns = dict.fromkeys(reason.column for reason in line.reasons if reason.column)
    codes = dict.fromkeys(reason.code for reason in line.reasons)
    messages = dict.fromkeys(_one_line(reason.message) for reason in line.reasons)
    rest = [line.surplus] if request.has_ragged else []
    return [
        str(line.row),
        BETWEEN.join(columns),
        BETWEEN.join(codes),
        " ".join(messages),
        request.file_id,
        *rest,
    ]


def _one_line(message: str) -> str:
    text = " ".join(message.split())
    return text if text.endswith((".", "!", "?")) or not text else f"{text}."


def _tame(text: str, form: ReadHow) -> str:
    """A cell of ours as the sender's form can hold it: it is we who give way to it."""
    text = closest(text, form.encoding)
    return text if form.quote else " ".join(text.replace(form.delimiter, " ").split())


def closest(text: str, encoding: str) -> str:
    """The text with the closest characters that the encoding has: a base letter, else a question mark."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return "".join(_closest_mark(mark, encoding) for mark in text)
    return text


def _closest_mark(mark: str, encoding: str) -> str:
    for candidate in (mark, _STRAIGHT.get(mark, ""), unicodedata.normalize("NFKD", mark)[:1]):
        encoded = candidate.encode(encoding, "ignore")
        if encoded:
            return encoded.decode(encoding)
    return "?"


def write_reject_xlsx(stream: BinaryIO, request: RejectRequest) -> None:
    """Write the reject file as a workbook: bad cells marked, the header in sight, identifiers as text.

    Cells of a text file are text cells. Those of a workbook stay what they were, as far as that cannot spoil
    them: dates and plain numbers; a cell that was complained of takes whatever is typed into it.
    """
    import xlsxwriter

    options = {"constant_memory": True, "use_zip64": True}
    with xlsxwriter.Workbook(stream, options) as workbook:
        # Not the moment of writing: the same rows give the same bytes, by which a restart knows its own file.
        created = from_micros(request.received_at).replace(tzinfo=None, microsecond=0)
        workbook.set_properties({"created": created, "title": SHEET, "author": "FileBridge"})
        _RejectSheet(workbook, request).write()


class _RejectSheet:
    """The one sheet of a reject workbook."""

    def __init__(self, workbook: Any, request: RejectRequest) -> None:
        self._request = request
        self._own = len(request.table.headers)
        self._page = workbook.add_worksheet(SHEET)
        self._formats = {
            (kind, marked): workbook.add_format(_FORMATS[kind] | (_MARKED if marked else {}))
            for kind in _FORMATS
            for marked in (False, True)
        }
        self._header = workbook.add_format({"num_format": "@", "bold": True, "bottom": 1})
        self._our_header = workbook.add_format({"num_format": "@", "bold": True, "bottom": 1, **_OURS})
        self._ours = workbook.add_format({"num_format": "@", **_OURS})
        self._our_number = workbook.add_format({"num_format": "0", **_OURS})
        self._widths: list[int] = []
        self._places: dict[str, frozenset[int]] = {}
        self._notes = 0

    def write(self) -> None:
        """The header and all rows, then what depends on them."""
        page, header = self._page, self._request.header
        page.freeze_panes(1, 0)
        page.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
        page.set_comments_author("FileBridge")
        for column, name in enumerate(header):
            page.write_string(0, column, _fit(name), self._header if column < self._own else self._our_header)
        self._widths = [len(name) for name in header]
        dated: set[int] = set()
        typed: set[int] = set()
        for number, line in enumerate(rejected_lines(self._request), start=1):
            if any(line.kinds):
                dated.update(place for place, kind in enumerate(line.kinds) if kind == Kind.DATE)
                typed.update(place for place, kind in enumerate(line.kinds) if kind in _TYPED)
            self._write_row(number, line, dated)
        for column, width in enumerate(self._widths):
            # What a person types into an empty cell, or a new row, of a column of text stays text.
            is_text = column < self._own and column not in typed
            form = self._formats["@", False] if is_text else None
            page.set_column(column, column, min(max(width + 2, _NARROWEST), _WIDEST), form)
        page.autofilter(0, 0, 0, len(header) - 1)

    def _write_row(self, number: int, line: RejectedRow, dated: set[int]) -> None:
        bad = self._bad_cells(line)
        for column, (text, kind) in enumerate(zip(line.cells, line.kinds, strict=True)):
            reason = bad.get(column)
            self._write_cell(number, column, text, kind, reason, is_dated=column in dated)
            if reason and self._notes < _MOST_NOTES:
                self._notes += 1
                self._page.write_comment(number, column, _one_line(reason)[:500], {"x_scale": 2.5})
        for column, text in enumerate(_our_cells(line, self._request), start=self._own):
            self._widen(column, text)
            if column == self._own:
                self._page.write_number(number, column, line.row, self._our_number)
            else:
                self._page.write_string(number, column, _fit(text), self._ours)

    def _bad_cells(self, line: RejectedRow) -> dict[int, str]:
        """The cells that are complained of, with what is said of each."""
        bad: dict[int, str] = {}
        for reason in line.reasons:
            if reason.column not in self._places:
                self._places[reason.column] = named_columns(reason.column, self._request.table.headers)
            for column in self._places[reason.column]:
                bad[column] = f"{bad[column]} {reason.message}" if column in bad else reason.message
        return bad

    def _write_cell(
        self, number: int, column: int, text: str, kind: int, reason: str | None, *, is_dated: bool
    ) -> None:
        page, marked = self._page, reason is not None
        text = written(text, kind)
        self._widen(column, text)
        if kind == Kind.DATE and (moment := _moment(text)):
            form, value = moment
            page.write_datetime(number, column, value, self._formats[form, marked])
        elif kind == Kind.NUMBER and not marked and _INTEGER.fullmatch(text):
            page.write_number(number, column, int(text), self._formats["0", False])
        elif kind == Kind.NUMBER and not marked and _DECIMAL.fullmatch(text):
            page.write_number(number, column, float(text), self._formats["General", False])
        elif kind == Kind.BOOLEAN and not marked:
            page.write_boolean(number, column, text == "TRUE", self._formats["General", False])
        elif text or marked:
            # In a column of dates a correction must become a date cell, as its neighbours are.
            form = "General" if marked and is_dated else "@"
            page.write_string(number, column, _fit(text), self._formats[form, marked])

    def _widen(self, column: int, text: str) -> None:
        self._widths[column] = max(self._widths[column], len(text))


_TYPED: Final = (Kind.NUMBER, Kind.DATE, Kind.BOOLEAN)
_MARKED: Final = {"bg_color": "#FFC7CE", "font_color": "#9C0006"}
_OURS: Final = {"bg_color": "#EFEFEF", "font_color": "#505050"}
_DAY, _MOMENT, _TIME = "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss", "hh:mm:ss"
_FORMATS: Final = {form: {"num_format": form} for form in ("@", "General", "0", _DAY, _MOMENT, _TIME)}


def _moment(text: str) -> tuple[str, datetime | time] | None:
    """A date cell's value, and the format that shows it; None for what a workbook cannot hold as a date."""
    try:
        if len(text) == 8:
            return _TIME, time.fromisoformat(text)
        value = datetime.fromisoformat(text)
    except ValueError:
        return None
    if value.year < 1901 or value.tzinfo not in (None, UTC):
        return None
    return (_DAY if len(text) == 10 else _MOMENT), value


def _fit(text: str) -> str:
    """Text as a cell of a workbook can hold it."""
    return _NOT_IN_XML.sub("\ufffd", text)[:LONGEST_CELL]
