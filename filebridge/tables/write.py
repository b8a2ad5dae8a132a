"""Writing tables: delimited text and workbooks, in which every cell reads back as exactly its text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, BinaryIO, Final, Literal

from filebridge.position import column_letter

Quoting = Literal["minimal", "all", "none"]
LONGEST_CELL: Final = 32_767
"""Characters (UTF-16 units, as a spreadsheet counts) that a cell of a workbook holds."""
_NOT_IN_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_WIDEST: Final = 60
_NARROWEST: Final = 9
_EVERYWHERE: Final = "A1:XFD1048576"
_SOME_DAY: Final = datetime(2000, 1, 1)
"""Written as the time of creation: the same rows give the same bytes, on any day."""


class UnwritableCell(ValueError):
    """A cell that the format cannot hold. Nothing is ever cut or replaced.

    `row` counts from 1 with the header, `column` from 0; `code` is `unencodable`, `too_long` or `unquotable`.
    """

    def __init__(self, code: str, row: int, column: int, message: str) -> None:
        super().__init__(f"Row {row}, column {column_letter(column)}: {message}")
        self.code = code
        self.row = row
        self.column = column
        self.message = message


def write_delimited(
    stream: BinaryIO,
    rows: Iterable[Sequence[str]],
    *,
    encoding: str = "utf-8",
    delimiter: str = ",",
    quoting: Quoting = "minimal",
    quote: str = '"',
    escape: str = "",
    comment: str = "",
    line_end: str = "\r\n",
) -> None:
    """Writes rows as delimited text, without a byte order mark, each row with a line end.

    `minimal` quotes a cell that holds the delimiter, a quote, CR or LF, and what would be read as something else
    (a comment, a `sep=` line, an empty row). Raises UnwritableCell: `unencodable`; `unquotable` where `none`, or
    an empty `quote`, leaves no way to write a cell.
    """
    quoting = quoting if quote else "none"
    special = re.compile("[" + re.escape(delimiter + quote + "\r\n\x1a\ufeff") + "]")
    for row, cells in enumerate(rows, 1):
        written = []
        for column, cell in enumerate(cells):
            if "\0" in cell:
                raise UnwritableCell("unencodable", row, column, "a NUL cannot be written.")
            text = cell.replace(escape, escape * 2) if escape else cell
            is_first = column == 0 and (
                (comment and cell.startswith(comment))
                or cell[:4].lower() == "sep="
                or not (cell or len(cells) > 1)
            )
            if quoting == "all" or (quoting == "minimal" and (is_first or special.search(cell))):
                text = quote + text.replace(quote, quote * 2) + quote
            elif quoting == "none" and not _stands_alone(cell, delimiter):
                raise UnwritableCell(
                    "unquotable",
                    row,
                    column,
                    "it holds the delimiter or a line break, and nothing may be quoted.",
                )
            written.append(text)
        stream.write(_encoded(written, delimiter, encoding, row) + line_end.encode(encoding))


def _stands_alone(cell: str, delimiter: str) -> bool:
    return delimiter not in cell and "\r" not in cell and "\n" not in cell


def _encoded(written: Sequence[str], delimiter: str, encoding: str, row: int) -> bytes:
    """A line's bytes. Raises UnwritableCell for the first cell with a character that the encoding lacks."""
    try:
        return delimiter.join(written).encode(encoding)
    except UnicodeEncodeError:
        for column, cell in enumerate(written):
            try:
                cell.encode(encoding)
            except UnicodeEncodeError as error:
                missing = cell[error.start]
                message = f"{missing!r} (U+{ord(missing):04X}) is not in {encoding}."
                raise UnwritableCell("unencodable", row, column, message) from error
        raise


def write_workbook(
    stream: BinaryIO,
    sheet: str,
    rows: Iterable[Sequence[str]],
    *,
    marks: Mapping[tuple[int, int], str] | None = None,
    widths: Sequence[float] = (),
    header: bool = True,
) -> None:
    """Writes an XLSX of one sheet, every cell a text cell, without Excel's green triangles.

    Where `header` is set the first row is bold and stays in sight. `marks` colours cells and gives them a note,
    by row (from 1, the header included) and column (from 0). `widths` are in characters; what is left out is as
    wide as its text. The same rows give the same bytes. Raises UnwritableCell: `too_long` above 32,767
    characters, `unencodable` for characters that XML cannot hold.
    """
    import xlsxwriter

    with xlsxwriter.Workbook(stream, {"constant_memory": True}) as workbook:
        workbook.set_properties({"created": _SOME_DAY})
        page = workbook.add_worksheet(sheet)
        plain = workbook.add_format({"num_format": "@"})
        bold = workbook.add_format({"num_format": "@", "bold": True})
        marked = workbook.add_format({"num_format": "@", "bg_color": "#FFD9D9"})
        page.ignore_errors({"number_stored_as_text": _EVERYWHERE, "two_digit_text_year": _EVERYWHERE})
        if header:
            page.freeze_panes(1, 0)
        widest: list[int] = []
        for row, cells in enumerate(rows, 1):
            for column, cell in enumerate(cells):
                _check(cell, row, column)
                note = marks.get((row, column)) if marks else None
                form = marked if note is not None else bold if header and row == 1 else plain
                page.write_string(row - 1, column, cell, form)
                if note:
                    page.write_comment(row - 1, column, note)
                if column == len(widest):
                    widest.append(0)
                widest[column] = max(widest[column], len(cell))
        _set_widths(page, widest, widths)


def _check(cell: str, row: int, column: int) -> None:
    if len(cell) > LONGEST_CELL or len(cell.encode("utf-16-le", "surrogatepass")) > 2 * LONGEST_CELL:
        message = f"it is {len(cell):,} characters long, and a cell of a workbook holds {LONGEST_CELL:,}."
        raise UnwritableCell("too_long", row, column, message)
    if wrong := _NOT_IN_XML.search(cell):
        message = f"the character U+{ord(wrong[0]):04X} cannot be written to a workbook."
        raise UnwritableCell("unencodable", row, column, message)


def _set_widths(page: Any, widest: Sequence[int], widths: Sequence[float]) -> None:
    for column, found in enumerate(widest):
        width = widths[column] if column < len(widths) else min(max(found + 2, _NARROWEST), _WIDEST)
        page.set_column(column, column, width)
