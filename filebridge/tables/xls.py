"""XLS through calamine, corrected where it leaves something out; it runs only in the reader process."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from typing import Any, BinaryIO

from filebridge.tables.number_formats import clock, plain_digits
from filebridge.tables.rows import Row
from filebridge.tables.sheets import SheetFacts, SheetPart, bounded, damage_is_refused, damaged, encrypted
from filebridge.tables.table import Kind
from filebridge.tables.xls_cells import corrections


class Xls:
    """An XLS. Raises FileRefused `unreadable_file` where it is encrypted or damaged."""

    def __init__(self, stream: BinaryIO) -> None:
        from python_calamine import CalamineWorkbook, SheetVisibleEnum

        stream.seek(0)
        content = stream.read()
        with damage_is_refused():
            self._corrections = corrections(content)
        with _calamine_refuses():
            self._book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        self.sheets = [
            SheetPart(tab.name, tab.name, tab.visible != SheetVisibleEnum.Visible)
            for tab in self._book.sheets_metadata
        ]

    def rows(self, sheet: SheetPart, facts: SheetFacts, *, skip_hidden: bool = False) -> Iterator[Row]:
        """The rows of a sheet that hold something; hidden ones are not told apart in this format."""
        with _calamine_refuses():
            found = self._book.get_sheet_by_name(sheet.part)
        if found.start is None:
            return
        first_row, first_column = found.start
        corrected = self._corrections.get(sheet.part, {})
        places = 0
        for row, values in enumerate(found.to_python(skip_empty_area=True), first_row + 1):
            cells = [""] * first_column
            kinds = bytearray(first_column)
            for column, value in enumerate(values, first_column):
                text, kind = corrected.get((row - 1, column)) or cell_of(value)
                cells.append(text)
                kinds.append(kind)
            places = bounded(places + len(cells), row)
            if any(cells):
                yield row, cells, bytes(kinds)


@contextmanager
def _calamine_refuses() -> Iterator[None]:
    """Within it, what calamine raises is a refusal: it panics on some damaged files, as a BaseException."""
    from python_calamine import CalamineError, PasswordError

    try:
        yield
    except PasswordError as error:
        raise encrypted() from error
    except CalamineError as error:
        raise damaged("The workbook is damaged.") from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise damaged("The workbook is damaged.") from error


def cell_of(value: Any) -> tuple[str, Kind]:
    """Text and kind of a value as calamine gives it."""
    if isinstance(value, str):
        return value, Kind.TEXT
    if isinstance(value, bool):
        return ("TRUE" if value else "FALSE"), Kind.BOOLEAN
    if isinstance(value, int | float):
        is_damaged = abs(value) >= 1e15 and value == value // 1
        return plain_digits(float(value)), Kind.DAMAGED if is_damaged else Kind.NUMBER
    if isinstance(value, datetime):
        value = (value + timedelta(microseconds=500_000)).replace(microsecond=0)
        return (value.isoformat() if value.time() != time.min else value.date().isoformat()), Kind.DATE
    if isinstance(value, date):
        return value.isoformat(), Kind.DATE
    if isinstance(value, timedelta):
        return clock(int(value.total_seconds() + 0.5)), Kind.DATE
    if isinstance(value, time):
        seconds = value.hour * 3600 + value.minute * 60 + value.second + (value.microsecond >= 500_000)
        return clock(seconds), Kind.DATE
    return str(value), Kind.TEXT
