"""The rows of one XLSX sheet: plain rows by one pattern, all others by expat."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from typing import Final

from filebridge.position import column_letter
from filebridge.tables.number_formats import PLAIN, Format, iso_text, number_text
from filebridge.tables.rows import Row
from filebridge.tables.sheets import MOST_COLUMNS, MOST_ROWS, SheetFacts, bounded, damaged
from filebridge.tables.table import Kind
from filebridge.tables.xml_parts import feed, local, new_parser, unescape

# A row as spreadsheets write it: what differs in any way goes through expat.
_ROW: Final = re.compile(r"\s*<row r=\"(\d{1,7})\"((?: [\w:.]+=\"[^\"<&]*\")*)>")
_CELL: Final = re.compile(
    r'(<c r="([A-Z]{1,3})(\d{1,7})"(?: s="(\d{1,6})")?(?: t="(\w+)")?'
    r'(?:/>|>(<f>[^<]*</f>)?(?:<v>([^<]*)</v>|<is><t(?: xml:space="preserve")?>([^<]*)</t></is>)?</c>))'
)
_ENTITY: Final = re.compile(r"&(?:lt|gt|amp|quot|apos);")
_ENTITIES: Final = {"&lt;": "<", "&gt;": ">", "&amp;": "&", "&quot;": '"', "&apos;": "'"}
_MOST_KNOWN: Final = 50_000
_WHOLE: Final = itemgetter(0)
_FIRST_ROW: Final = b"<sheetData>"
_END_OF_ROW: Final = b"</row>"
_END_OF_ROWS: Final = b"</sheetData>"
_MOST_BEFORE_ROWS: Final = 4 << 20
_REFERENCE: Final = re.compile(r"\$?([A-Za-z]{1,3})\$?(\d{1,7})")


class SheetReader:
    """The handlers of one sheet's XML; rows gather until they are `taken`."""

    def __init__(
        self,
        strings: list[str],
        formats: list[Format],
        facts: SheetFacts,
        is_calculated: Callable[[], bool],
        *,
        from_1904: bool,
        skip_hidden: bool,
    ) -> None:
        self._strings = strings
        self._formats = formats
        self._facts = facts
        self._is_calculated = is_calculated
        self._from_1904 = from_1904
        self._skip_hidden = skip_hidden
        self._rows: list[Row] = []
        self._row = 0
        self._column = 0
        self._is_hidden = False
        self._cells: list[str] = []
        self._kinds = bytearray()
        self._places = 0
        self._type = ""
        self._style = 0
        self._value: list[str] = []
        self._has_value = self._has_formula = False
        self._wanted = self._phonetic = False
        self._names: dict[str, str] = {}
        self._columns: dict[str, int] = {}
        self._plain_styles = {str(style) for style, form in enumerate(formats) if form.is_plain}
        if not formats or formats[0].is_plain:
            self._plain_styles.add("")
        self._known: dict[tuple[str, str, str], tuple[str, Kind]] = {}

    def rows(self, pieces: Iterator[bytes], part: str) -> Iterator[Row]:
        """The rows of a sheet's XML, which comes in pieces."""
        before = b""
        parser = new_parser(self.start, self.end, self.text)
        for piece in pieces:
            before += piece
            at = before.find(_FIRST_ROW)
            if at >= 0 and _is_utf8(before):
                feed(parser, before[: at + len(_FIRST_ROW)], part)
                yield from self._plain_rows(before[at + len(_FIRST_ROW) :], pieces, part)
                return
            if len(before) > _MOST_BEFORE_ROWS:
                break
        feed(parser, before, part)
        yield from self._taken()
        for piece in pieces:
            feed(parser, piece, part)
            yield from self._taken()
        feed(parser, b"", part, is_final=True)
        yield from self._taken()

    def _plain_rows(self, rest: bytes, pieces: Iterator[bytes], part: str) -> Iterator[Row]:
        """The rows behind `<sheetData>`, as far as they are plain; the others, and what is between, are expat's."""
        while True:
            end = rest.rfind(_END_OF_ROW) + len(_END_OF_ROW)
            if end >= len(_END_OF_ROW):
                self._read_block(rest[:end], part)
                yield from self._taken()
                rest = rest[end:]
            close = rest.find(_END_OF_ROWS)
            if close >= 0:
                self._by_expat(rest[:close], part)
                yield from self._taken()
                return
            piece = next(pieces, None)
            if piece is None:
                raise damaged(f"The workbook's part {part} ends in the middle.")
            rest += piece

    def _read_block(self, block: bytes, part: str) -> None:
        """Reads whole rows."""
        text = block.decode("utf-8", "replace")
        is_plain = "\r" not in text and "\ufffd" not in text and "&#" not in text
        for segment in text.split("</row>")[:-1] if is_plain else ():
            if not self._is_plain_row(segment):
                self._by_expat(f"{segment}</row>".encode(), part)
        if not is_plain:
            self._by_expat(block, part)

    def _by_expat(self, segment: bytes, part: str) -> None:
        parser = new_parser(self.start, self.end, self.text)
        feed(parser, b"<rows>" + segment + b"</rows>", part, is_final=True)

    def _is_plain_row(self, segment: str) -> bool:
        """Reads a row by pattern, if all of it is as the pattern says."""
        row = _ROW.match(segment)
        if not row or "hidden" in row[2]:
            return False
        found = _CELL.findall(segment, row.end())
        if sum(map(len, map(_WHOLE, found))) != len(segment) - row.end():
            return False
        if "&" in segment and segment.count("&") != len(_ENTITY.findall(segment)):
            return False
        read = self._plain_cells(found, row[1])
        number = int(row[1])
        if read is None or not self._row < number <= MOST_ROWS:
            return False
        self._row, self._is_hidden = number, False
        self._cells, self._kinds = read
        self._end_row()
        return True

    def _plain_cells(self, found: Sequence[tuple[str, ...]], row: str) -> tuple[list[str], bytearray] | None:
        """The cells that the pattern found in a row; None where one of them is not plain."""
        cells: list[str] = []
        kinds = bytearray()
        strings, columns, known, plain_styles = self._strings, self._columns, self._known, self._plain_styles
        for _, letters, of_row, style, of, formula, value, inline in found:
            if of_row != row or (formula and not value):
                return None
            kind: int = Kind.TEXT
            if of == "s":
                if not value.isdecimal() or int(value) >= len(strings):
                    return None
                text = strings[int(value)]
            elif value:
                if (
                    not of
                    and style in plain_styles
                    and len(value) < 16
                    and value.isdecimal()
                    and value[0] != "0"
                ):
                    text, kind = value, Kind.NUMBER
                else:
                    text, kind = known.get((style, of, value)) or self._learn(style, of, value)
            else:
                text = (
                    unescape(_ENTITY.sub(_character, inline)) if "&" in inline or "_x" in inline else inline
                )
            if not (text or kind):
                continue
            column = columns.get(letters)
            if column is None:
                column = self._column_of(letters + row)
            gap = column - len(cells)
            if gap:
                if gap < 0:
                    return None
                cells.extend([""] * gap)
                kinds.extend(bytes(gap))
            cells.append(text)
            kinds.append(kind)
        return cells, kinds

    def _learn(self, style: str, of: str, value: str) -> tuple[str, Kind]:
        """Judges a stored value, and remembers what came of it: values repeat down a column."""
        self._type, self._style = of or "n", int(style or 0)
        self._has_formula, self._has_value = False, True
        judged = self._judge(_ENTITY.sub(_character, value))
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        self._known[style, of, value] = judged
        return judged

    def _taken(self) -> list[Row]:
        """The rows read since the last call."""
        rows, self._rows = self._rows, []
        return rows

    def start(self, name: str, attributes: dict[str, str]) -> None:
        name = self._names.get(name) or self._names.setdefault(name, local(name))
        if name == "c":
            reference = attributes.get("r")
            self._column = self._column_of(reference) if reference else self._column + 1
            self._type = attributes.get("t", "n")
            self._style = int(attributes.get("s", 0))
            self._value = []
            self._has_value = self._has_formula = False
        elif name == "v":
            self._has_value = self._wanted = True
        elif name == "t":
            self._has_value = True
            self._wanted = not self._phonetic
        elif name == "f":
            self._has_formula = True
        elif name == "row":
            self._begin_row(attributes)
        elif name == "rPh":
            self._phonetic = True
        elif name == "col" and attributes.get("hidden", "0") in ("1", "true"):
            first, last = int(attributes.get("min", 1)), int(attributes.get("max", 1))
            self._facts.hidden_columns.update(range(first - 1, min(last, MOST_COLUMNS)))

    def text(self, piece: str) -> None:
        if self._wanted:
            self._value.append(piece)

    def end(self, name: str) -> None:
        name = self._names[name]
        if name in ("v", "t"):
            self._wanted = False
        elif name == "c":
            if self._has_value or self._has_formula:
                self._end_cell()
        elif name == "row":
            self._end_row()
        elif name == "rPh":
            self._phonetic = False

    def _begin_row(self, attributes: dict[str, str]) -> None:
        row = int(attributes["r"]) if "r" in attributes else self._row + 1
        if not self._row < row <= MOST_ROWS:
            raise damaged(f"The sheet has row {row} after row {self._row}.", place=f"row {row}")
        self._row = row
        self._column = -1
        self._is_hidden = attributes.get("hidden", "0") in ("1", "true")
        self._cells = []
        self._kinds = bytearray()

    def _end_row(self) -> None:
        if not self._cells:
            return
        if self._is_hidden:
            self._facts.hidden_rows += 1
            if self._skip_hidden:
                return
        self._places = bounded(self._places + len(self._cells), self._row)
        self._rows.append((self._row, self._cells, bytes(self._kinds) if self._kinds.strip(b"\0") else None))

    def _column_of(self, reference: str) -> int:
        letters = reference.rstrip("0123456789")
        column = self._columns.get(letters)
        if column is None:
            match = _REFERENCE.fullmatch(reference)
            if not match:
                raise damaged(f"The sheet has a cell {reference[:20]}, which is no place in a sheet.")
            column = 0
            for letter in match[1].upper():
                column = column * 26 + ord(letter) - 64
            column -= 1
            if column >= MOST_COLUMNS:
                raise damaged(f"The sheet has a cell {reference[:20]}, which lies outside every sheet.")
            self._columns[letters] = column
        return column

    def _end_cell(self) -> None:
        self._add(*self._judge("".join(self._value)))

    def _add(self, text: str, kind: Kind) -> None:
        """A cell's text and kind at its column."""
        if not text and kind is Kind.TEXT:
            return
        cells, column = self._cells, self._column
        gap = column - len(cells)
        if gap < 0:
            raise damaged(f"Row {self._row} has two cells in one place.", place=f"row {self._row}")
        if gap:
            cells.extend([""] * gap)
            self._kinds.extend(bytes(gap))
        cells.append(text)
        self._kinds.append(kind)

    def _judge(self, stored: str) -> tuple[str, Kind]:
        """Text and kind of a cell by its type, its format and whether it is a formula."""
        of = self._type
        if of == "s":
            return self._shared(stored)
        if of in ("str", "inlineStr"):
            if self._has_formula and not self._has_value:
                return "", Kind.NO_VALUE
            return unescape(stored), Kind.TEXT
        if not stored.strip():
            is_result = not self._has_formula or (self._has_value and self._is_calculated())
            return "", Kind.TEXT if is_result else Kind.NO_VALUE
        if of == "n":
            form = self._formats[self._style] if self._style < len(self._formats) else PLAIN
            return number_text(stored, form, from_1904=self._from_1904)
        if of == "b":
            return ("TRUE" if stored.strip() in ("1", "true") else "FALSE"), Kind.BOOLEAN
        if of == "e":
            return stored, Kind.ERROR
        if of == "d":
            return iso_text(stored), Kind.DATE
        raise damaged(f"Cell {column_letter(self._column)}{self._row} is of an unknown type.")

    def _shared(self, stored: str) -> tuple[str, Kind]:
        if not stored.strip():
            return "", Kind.TEXT
        index = int(stored)
        if not 0 <= index < len(self._strings):
            place = f"{column_letter(self._column)}{self._row}"
            raise damaged(f"Cell {place} points to a text that is not in the workbook.", place=place)
        return self._strings[index], Kind.TEXT


def _is_utf8(start: bytes) -> bool:
    """Whether a part is in UTF-8 by its XML declaration."""
    declared = re.match(rb"(?:\xef\xbb\xbf)?<\?xml[^>]*encoding=[\"']([\w.-]+)", start)
    return not start.startswith((b"\xff", b"\xfe", b"\0")) and (
        not declared or declared[1].lower() == b"utf-8"
    )


def _character(match: re.Match[str]) -> str:
    return _ENTITIES[match[0]]
