"""The fast reader of delimited text: pyarrow, in blocks, where it cannot be wrong.

A block is handed to Arrow only if every quote in it is structural (opens after a delimiter or line end, closes
before one, is doubled inside), and if it holds no NUL and no lone CR. From the first block that is not so, the
careful reader goes on. Both give the same chunks; a property test holds them equal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow_csv

from filebridge.columns import Ints, Longs, Mask, TextColumn, bool_array, int_array, text_column
from filebridge.tables.delimited import CTRL_Z, Dialect, Records
from filebridge.tables.rows import Cells, fit, is_blank
from filebridge.tables.table import Chunk, Fault

BLOCK: Final = 1 << 20
_LARGEST_RECORD: Final = 8 << 20
_QUOTE: Final = ord('"')
_NOT_YET: Final = 0
_NOT_FOR_ARROW: Final = -1
_MARK: Final = b"\xef\xbb\xbf"
_SPACE_LEADS: Final = (0xC2, 0xE1, 0xE2, 0xE3)
"""First bytes of the white space that lies outside ASCII."""


@dataclass
class FastReader:
    """Reads the body of a delimited text from `start` (a byte), whose first record is `row`.

    `width` is that of the header, `physical` that of most records, at least as wide. After a pass, `done` says
    whether nothing is left; if not, the careful reader has to go on at `start` and `row`. `rows` counts the rows
    of the table so far, faults included.
    """

    stream: BinaryIO
    dialect: Dialect
    encoding: str
    width: int
    physical: int
    start: int
    row: int
    block_size: int = BLOCK
    done: bool = False
    rows: int = 0

    def chunks(self, columns: Sequence[int]) -> Iterator[Chunk]:
        """The chunks up to the end of the stream or to the first block that is not for Arrow."""
        rest = b""
        at = self.start
        while True:
            # The stream is shared with whoever reads it between two chunks.
            self.stream.seek(at)
            piece = self.stream.read(self.block_size)
            at += len(piece)
            content = rest + piece
            final = not piece
            if final:
                content = content.rstrip(CTRL_Z.encode())
            cut = self._cut(content, final=final)
            if cut == _NOT_FOR_ARROW:
                return
            if cut:
                chunk, count = self._read(self._as_utf8(content[:cut]), columns)
                self.rows += len(chunk.rows) + len(chunk.faults)
                self.start += cut
                self.row += count
                if len(chunk.rows) or chunk.faults:
                    yield chunk
            if final:
                self.done = True
                return
            rest = content[cut:]

    def _as_utf8(self, content: bytes) -> bytes:
        return content if self.encoding == "utf-8" else content.decode(self.encoding).encode("utf-8")

    def _cut(self, content: bytes, *, final: bool) -> int:
        """Length of the whole records at the start of `content`, which begins outside quotes."""
        if len(content) > _LARGEST_RECORD + self.block_size:
            return _NOT_FOR_ARROW
        quotes = _places_of_quotes(content) if self.dialect.quote else None
        cut = len(content) if final else _last_line_end(content, quotes)
        part = content[:cut]
        if b"\0" in part or b"\x1a" in part or _has_lone_cr(part):
            return _NOT_FOR_ARROW
        if quotes is not None and not has_structural_quotes(
            part, quotes[: quotes.searchsorted(cut)], self.dialect
        ):
            return _NOT_FOR_ARROW
        if not part.isascii():
            if _MARK in part:
                return _NOT_FOR_ARROW
            try:
                part.decode(self.encoding)
            except UnicodeDecodeError:
                return _NOT_FOR_ARROW
        return cut

    def _read(self, content: bytes, columns: Sequence[int]) -> tuple[Chunk, int]:
        """The chunk of some whole records, and how many records they are."""
        odd: list[tuple[int, str]] = []
        surplus = range(self.width, self.physical)
        table = self._parse(content, sorted({*columns, *surplus}), odd)
        count = table.num_rows + len(odd)
        is_odd = np.zeros(count, dtype=np.bool_)
        is_odd[[place for place, _ in odd]] = True
        places = np.flatnonzero(~is_odd).astype(np.int32)
        cells = {place: _one(table.column(str(place))) for place in {*columns, *surplus}}
        asked = [cells[place] for place in columns]

        doubtful = _possibly_blank(asked, table.num_rows)
        for place in surplus:
            doubtful |= _lengths(cells[place]) > 0
        judged: dict[int, Cells] = {
            place: next(iter(Records([text], self.dialect)))[1] for place, text in odd
        }
        if doubtful.any():
            whole = self._parse(content, range(self.physical), [])
            columns_whole = [_one(whole.column(str(place))) for place in range(self.physical)]
            checked = doubtful & _possibly_blank(columns_whole[: self.width], table.num_rows)
            for place in surplus:
                checked |= _lengths(cells[place]) > 0
            for index in np.flatnonzero(checked).tolist():
                judged[int(places[index])] = [column[index].as_py() for column in columns_whole]
        return self._chunk(places, asked, judged, columns), count

    def _parse(self, content: bytes, wanted: Sequence[int], odd: list[tuple[int, str]]) -> Any:
        """The wanted columns by Arrow; records of another width are added to `odd` with their places from 0."""
        names = [str(place) for place in range(self.physical)]

        def set_aside(record: Any) -> str:
            odd.append((record.number - 1, record.text))
            return "skip"

        return arrow_csv.read_csv(
            pa.BufferReader(content),
            read_options=arrow_csv.ReadOptions(
                use_threads=False, block_size=len(content) + 1, column_names=names
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=self.dialect.delimiter,
                quote_char=self.dialect.quote or False,
                newlines_in_values=bool(self.dialect.quote) and b'"' in content,
                ignore_empty_lines=False,
                invalid_row_handler=set_aside,
            ),
            convert_options=arrow_csv.ConvertOptions(
                check_utf8=False,
                column_types=dict.fromkeys(names, pa.string()),
                null_values=[],
                strings_can_be_null=False,
                include_columns=[str(place) for place in wanted],
            ),
        )

    def _chunk(
        self, places: Ints, asked: Sequence[TextColumn], judged: dict[int, Cells], columns: Sequence[int]
    ) -> Chunk:
        """The chunk, with the records that were looked at one by one back in their places."""
        if judged:
            keep = ~np.isin(places, np.array(list(judged), dtype=np.int32))
            places = places[keep]
            asked = [column.filter(bool_array(keep)) for column in asked]
        faults: list[Fault] = []
        mended: list[tuple[int, Cells]] = []
        for place in sorted(judged):
            if not is_blank(judged[place]):
                found = fit(self.row + place, judged[place], self.width)
                if isinstance(found, Fault):
                    faults.append(found)
                else:
                    mended.append((place, found))
        if mended:
            places = np.concatenate([places, np.array([place for place, _ in mended], dtype=np.int32)])
            order = np.argsort(places, kind="stable").astype(np.int32)
            places = places[order]
            asked = [
                pa.concat_arrays([column, text_column([cells[at] for _, cells in mended])]).take(
                    int_array(order)
                )
                for at, column in zip(columns, asked, strict=True)
            ]
        rows = (places + self.row).astype(np.int32)
        return Chunk(rows=rows, cells=tuple(asked), kinds=(None,) * len(asked), faults=tuple(faults))


def _places_of_quotes(content: bytes) -> Longs | None:
    if b'"' not in content:
        return None
    return np.flatnonzero(np.frombuffer(content, dtype=np.uint8) == _QUOTE)


def _last_line_end(content: bytes, quotes: Longs | None) -> int:
    """Just behind the last line feed outside quotes; 0 where there is none."""
    end = content.rfind(b"\n")
    while quotes is not None and end >= 0 and quotes.searchsorted(end) % 2:
        end = content.rfind(b"\n", 0, end)
    return end + 1


def _has_lone_cr(content: bytes) -> bool:
    if b"\r" not in content:
        return False
    signs = np.frombuffer(content, dtype=np.uint8)
    cr = signs == ord("\r")
    return bool(cr[-1] or (cr[:-1] & (signs[1:] != ord("\n"))).any())


def has_structural_quotes(content: bytes, quotes: Longs, dialect: Dialect) -> bool:
    """Whether each quote of some whole records opens a cell, closes one, or is doubled inside one."""
    if len(quotes) % 2:
        return False
    if not len(quotes):
        return True
    signs = np.frombuffer(content, dtype=np.uint8)
    opening, closing = quotes[0::2], quotes[1::2]
    edges = np.zeros(256, dtype=np.bool_)
    edges[[ord(dialect.delimiter), ord("\n")]] = True
    before = edges[signs[np.maximum(opening - 1, 0)]] | (opening == 0)
    before[1:] |= closing[:-1] == opening[1:] - 1
    edges[ord("\r")] = True
    after = edges[signs[np.minimum(closing + 1, len(signs) - 1)]] | (closing == len(signs) - 1)
    after[:-1] |= opening[1:] == closing[:-1] + 1
    return bool(before.all() and after.all())


def _one(column: Any) -> TextColumn:
    """A chunked column as one array."""
    if column.num_chunks == 1:
        return column.chunk(0)
    return column.combine_chunks() if column.num_chunks else text_column([])


def _offsets(column: TextColumn) -> Ints:
    return np.frombuffer(column.buffers()[1], dtype=np.int32)[column.offset : column.offset + len(column) + 1]


def _lengths(column: TextColumn) -> Ints:
    offsets = _offsets(column)
    return offsets[1:] - offsets[:-1] if len(column) else np.zeros(0, dtype=np.int32)


def _possibly_blank(columns: Sequence[TextColumn], count: int) -> Mask:
    """Rows of which every cell is empty or begins with white space: few enough to be looked at one by one."""
    blank = np.ones(count, dtype=np.bool_)
    for column in columns:
        if not blank.any():
            return blank
        offsets = _offsets(column)
        signs = np.frombuffer(column.buffers()[2] or b"", dtype=np.uint8)
        if not len(signs):
            continue
        firsts = signs[np.minimum(offsets[:-1], len(signs) - 1)]
        leads = (firsts <= ord(" ")) | np.isin(firsts, np.array(_SPACE_LEADS, dtype=np.uint8))
        blank &= leads | (offsets[1:] == offsets[:-1])
    return blank
