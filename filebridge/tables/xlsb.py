"""XLSB as a stream of rows, by a parser of its records of our own: values, formats and errors in one pass."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from filebridge.tables.admission import Archive
from filebridge.tables.biff import error_word, unpacked
from filebridge.tables.number_formats import PLAIN, Format, builtin_format, parse_format, value_text
from filebridge.tables.rows import Row
from filebridge.tables.sheets import (
    MOST_COLUMNS,
    MOST_ROWS,
    SheetFacts,
    SheetPart,
    bounded,
    damage_is_refused,
    damaged,
)
from filebridge.tables.table import Kind
from filebridge.tables.xml_parts import relations

_MAIN: Final = "xl/workbook.bin"
# Types of records, by their names in [MS-XLSB].
_ROW, _RK, _ERROR, _BOOL, _REAL, _TEXT, _SHARED = 0, 2, 3, 4, 5, 6, 7
_FORMULA_TEXT, _FORMULA_NUMBER, _FORMULA_BOOL, _FORMULA_ERROR, _RICH_TEXT = 8, 9, 10, 11, 62
_CELLS: Final = frozenset({*range(2, 12), _RICH_TEXT})
_SHARED_ITEM, _FORMAT, _STYLE, _COLUMNS, _PROPERTIES, _SHEET, _BEGIN_STYLES, _END_STYLES = (
    19, 44, 47, 60, 153, 156, 617, 618,
)  # fmt: skip


class Xlsb:
    """An XLSB. Raises FileRefused for what is damaged or built to do harm."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        if archive.repeated:
            raise damaged(
                f"The workbook's archive holds {archive.repeated[0]} twice: nobody can say which is meant."
            )
        self._from_1904 = False
        found = relations(archive, "xl/_rels/workbook.bin.rels")
        self._parts = {kind: target for kind, _, target in found}
        with damage_is_refused():
            self.sheets = self._read_sheets({identity: (kind, target) for kind, identity, target in found})
            self._formats = self._read_formats()
            self._strings = self._read_strings()

    def _read_sheets(self, targets: dict[str, tuple[str, str]]) -> list[SheetPart]:
        sheets = []
        for kind, body in _records(self._archive, _MAIN):
            if kind == _PROPERTIES:
                self._from_1904 = bool(body[0] & 1)
            elif kind == _SHEET:
                identity, at = _text(body, 8)
                name, _ = _text(body, at)
                of, target = targets.get(identity, ("", ""))
                sheets.append(SheetPart(name, target if of == "worksheet" else "", body[0] != 0))
        return sheets

    def _read_formats(self) -> list[Format]:
        codes: dict[int, Format] = {}
        styles: list[int] = []
        is_inside = False
        part = self._parts.get("styles", "xl/styles.bin")
        for kind, body in _records(self._archive, part) if part in self._archive else ():
            if kind in (_BEGIN_STYLES, _END_STYLES):
                is_inside = kind == _BEGIN_STYLES
            elif kind == _FORMAT:
                codes[int.from_bytes(body[:2], "little")] = parse_format(_text(body, 2)[0])
            elif kind == _STYLE and is_inside:
                styles.append(int.from_bytes(body[2:4], "little"))
        return [codes.get(number) or builtin_format(number) for number in styles]

    def _read_strings(self) -> list[str]:
        part = self._parts.get("sharedStrings", "xl/sharedStrings.bin")
        if part not in self._archive:
            return []
        return [_text(body, 1)[0] for kind, body in _records(self._archive, part) if kind == _SHARED_ITEM]

    def rows(self, sheet: SheetPart, facts: SheetFacts, *, skip_hidden: bool = False) -> Iterator[Row]:
        """The rows of a sheet that hold something, cells from column A on, as wide as the row is filled."""
        with damage_is_refused():
            yield from self._rows(sheet, facts, skip_hidden=skip_hidden)

    def _rows(self, sheet: SheetPart, facts: SheetFacts, *, skip_hidden: bool) -> Iterator[Row]:
        row, is_hidden, places = 0, False, 0
        cells: list[str] = []
        kinds = bytearray()
        for kind, body in _records(self._archive, sheet.part):
            if kind in _CELLS:
                column = int.from_bytes(body[:4], "little")
                text, of = self._judge(kind, body)
                if not (text or of):
                    continue
                if not len(cells) <= column < MOST_COLUMNS:
                    raise damaged(f"Row {row} has a cell out of its place.", place=f"row {row}")
                gap = column - len(cells)
                cells.extend([*[""] * gap, text])
                kinds.extend(bytes(gap) + bytes([of]))
            elif kind == _ROW:
                if cells and not (is_hidden and skip_hidden):
                    yield row, cells, bytes(kinds)
                facts.hidden_rows += is_hidden and bool(cells)
                places = bounded(places + len(cells), row)
                number = int.from_bytes(body[:4], "little") + 1
                if not row < number <= MOST_ROWS:
                    raise damaged(f"The sheet has row {number} after row {row}.", place=f"row {number}")
                row, cells, kinds = number, [], bytearray()
                is_hidden = len(body) > 11 and bool(body[11] & 0x10)
            elif kind == _COLUMNS and body[16] & 1:
                first, last = struct.unpack_from("<II", body)
                facts.hidden_columns.update(range(first, min(last + 1, MOST_COLUMNS)))
        facts.hidden_rows += is_hidden and bool(cells)
        if cells and not (is_hidden and skip_hidden):
            yield row, cells, bytes(kinds)

    def _judge(self, kind: int, body: bytes) -> tuple[str, Kind]:
        """Text and kind of a cell."""
        if kind == _SHARED:
            index = int.from_bytes(body[8:12], "little")
            if index >= len(self._strings):
                raise damaged("A cell points to a text that is not in the workbook.")
            return self._strings[index], Kind.TEXT
        if kind in (_TEXT, _FORMULA_TEXT):
            return _text(body, 8)[0], Kind.TEXT
        if kind == _RICH_TEXT:
            return _text(body, 9)[0], Kind.TEXT
        if kind in (_BOOL, _FORMULA_BOOL):
            return ("TRUE" if body[8] else "FALSE"), Kind.BOOLEAN
        if kind in (_ERROR, _FORMULA_ERROR):
            return error_word(body[8]), Kind.ERROR
        if kind == _RK:
            value = unpacked(int.from_bytes(body[8:12], "little"))
        else:
            (value,) = struct.unpack_from("<d", body, 8)
        style = int.from_bytes(body[4:7], "little")
        form = self._formats[style] if style < len(self._formats) else PLAIN
        return value_text(value, form, from_1904=self._from_1904)


def _text(body: bytes, at: int) -> tuple[str, int]:
    """A text with its length before it, and where it ends. An absent one is empty."""
    length = int.from_bytes(body[at : at + 4], "little")
    at += 4
    if length == 0xFFFFFFFF:
        return "", at
    if at + 2 * length > len(body):
        raise damaged("A text in the workbook is longer than its record.")
    return body[at : at + 2 * length].decode("utf-16-le", "replace"), at + 2 * length


def _records(archive: Archive, part: str) -> Iterator[tuple[int, bytes]]:
    """The (type, body) of each record of a part."""
    rest = b""
    for piece in archive.pieces(part):
        rest += piece
        at = 0
        while (header := _header(rest, at)) and header[2] + header[1] <= len(rest):
            kind, size, start = header
            yield kind, rest[start : start + size]
            at = start + size
        rest = rest[at:]
    if rest:
        raise damaged(f"The workbook's part {part} ends in the middle.")


def _header(content: bytes, at: int) -> tuple[int, int, int] | None:
    """Type and size of the record at a place, and where its body begins; None where it is cut."""
    if at + 2 > len(content):
        return None
    kind = content[at]
    at += 1
    if kind & 0x80:
        if at >= len(content):
            return None
        kind = (kind & 0x7F) | (content[at] & 0x7F) << 7
        at += 1
    size = 0
    for shift in (0, 7, 14, 21):
        if at >= len(content):
            return None
        size |= (content[at] & 0x7F) << shift
        at += 1
        if not content[at - 1] & 0x80:
            break
    return kind, size, at
