"""`DelimitedTable`: a delimited text as a table, by whichever reader may be trusted with it."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any, BinaryIO

from filebridge.errors import FileRefused
from filebridge.position import column_letter
from filebridge.rejects import Note
from filebridge.tables.delimited import Dialect, Records
from filebridge.tables.detect import HEAD, Head, Layout, detect_layout, head_of, line_end_of
from filebridge.tables.encodings import TRANSCODABLE, Encoding, declared_encoding, detect_encoding
from filebridge.tables.rows import Row, Sieve
from filebridge.tables.table import Chunk, Notes, ReadHow, ReadOptions

_MARK = "\ufeff"
_BUFFER = 1 << 16
_LONGEST_HEAD = 64 * HEAD


@dataclass(frozen=True)
class Body:
    """Where the rows begin: the first byte below the header and the row that it is; `is_fast` lets Arrow try."""

    start: int
    row: int
    is_fast: bool


@dataclass
class DelimitedTable(Notes):
    """A delimited text. The stream stays the caller's; each pass of `chunks` begins at its start."""

    headers: tuple[str, ...]
    how: ReadHow
    stream: BinaryIO
    encoding: Encoding
    layout: Layout
    body: Body
    options: ReadOptions
    block_size: int = 1 << 20

    def chunks(self, columns: Sequence[int]) -> Iterator[Chunk]:
        sieve = Sieve.of(self.headers, columns, self.options)
        rows = 0
        start, row = self.body.start, self.body.row
        if columns and self.body.is_fast and not (sieve.skip_rows or sieve.fill_down):
            from filebridge.tables.arrow import FastReader

            fast = FastReader(
                stream=self.stream,
                dialect=self.layout.dialect,
                encoding=self.encoding.name,
                width=len(self.headers),
                physical=max(self.layout.width, len(self.headers)),
                start=start,
                row=row,
                block_size=self.block_size,
            )
            yield from fast.chunks(columns)
            rows, start, row = fast.rows, fast.start, fast.row
            if not fast.done:
                yield from sieve.chunks(self._records(start, row))
        else:
            yield from sieve.chunks(self._records(start, row))
        if not rows + sieve.rows:
            self.say(Note("empty_file", "The file has a header and no rows."))

    def _records(self, start: int, row: int) -> Iterator[Row]:
        """The records from a byte of the stream on, of which the first is `row`, read with care."""
        with decoded(self.stream, self.encoding, start=start) as text:
            try:
                for number, cells in Records(text, self.layout.dialect, first_row=row):
                    if cells and cells[0].startswith(_MARK):
                        self.say(_glued(number))
                    yield number, cells, None
            except UnicodeDecodeError as error:
                raise wrong_byte(self.stream, self.encoding, self.layout, error) from error


def _glued(row: int) -> Note:
    return Note(
        "byte_order_mark",
        f"A byte order mark stands at the start of row {row}, in the middle of the file: "
        "two files may have been glued together, and the mark is now part of that cell.",
        row,
    )


def is_for_arrow(dialect: Dialect, encoding: str, plain: frozenset[str]) -> bool:
    """Whether the fast reader may be tried at all; `plain` are the encodings that extend ASCII byte by byte."""
    delimiter = dialect.delimiter
    return (
        dialect.quote in ('"', "")
        and not dialect.escape
        and not dialect.comment
        and len(delimiter) == 1
        and delimiter.isascii()
        and delimiter not in ' "\r\n\0'
        and encoding in plain
    )


class _View(io.RawIOBase):
    """A stream from a byte on, with a place of its own: several passes may read one stream by turns."""

    def __init__(self, stream: BinaryIO, start: int) -> None:
        self._stream = stream
        self._at = start

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._stream.seek(self._at)
        piece = self._stream.read(len(buffer))
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)


def decoded(
    stream: BinaryIO, encoding: Encoding, *, start: int = 0, errors: str = "strict"
) -> io.TextIOWrapper:
    """A stream as strictly decoded text with untouched line ends. Closing it leaves the stream open."""
    view = io.BufferedReader(_View(stream, max(start, encoding.mark)), _BUFFER)
    return io.TextIOWrapper(view, encoding=encoding.name, errors=errors, newline="")


def wrong_byte(
    stream: BinaryIO, encoding: Encoding, layout: Layout, error: UnicodeDecodeError
) -> FileRefused:
    """The refusal of a byte that does not fit the encoding, with the row in which it stands."""
    row = 0
    wide = encoding.name.startswith(("utf-16", "utf-32"))
    with decoded(stream, encoding, errors="replace" if wide else "surrogateescape") as text:
        lines = islice(text, 1 if layout.separator_line else 0, None)
        # Where the quotes are broken as well, the row cannot be told; the encoding is what is said.
        with suppress(FileRefused):
            for number, cells in Records(lines, layout.dialect):
                if any(_is_no_character(mark, wide) for cell in cells for mark in cell):
                    row = number
                    break
    byte = error.object[error.start]
    return FileRefused(
        "wrong_encoding",
        f"{f'Row {row}' if row else 'The text'} holds a byte (0x{byte:02X}) that is no {encoding.name}.",
        fix="Say which encoding the file is in with `read: {encoding: …}`, or save it as UTF-8.",
        place=f"row {row}" if row else "",
    )


def _is_no_character(mark: str, wide: bool) -> bool:
    return mark == "\ufffd" if wide else "\udc80" <= mark <= "\udcff"


def open_delimited(stream: BinaryIO, *, options: ReadOptions) -> DelimitedTable:
    """Opens a delimited text. Raises FileRefused: `empty_file`, `wrong_encoding`, `unreadable_file`, …"""
    encoding = declared_encoding(stream, options.encoding) if options.encoding else detect_encoding(stream)
    head = read_head(stream, encoding)
    declared, known = _declared(options)
    layout = detect_layout(head, declared, known, options.header_row)
    headers = layout.headers or tuple(column_letter(place) for place in range(layout.width))
    if layout.header_row and not layout.headers:
        raise FileRefused(
            "missing_column",
            f"Row {layout.header_row}, which `header_row` names, is blank or not there.",
            fix="Correct `header_row`; rows are counted as a spreadsheet shows them.",
        )
    confidence = min(layout.confidence, encoding.confidence)
    how = ReadHow(
        format="csv",
        encoding=encoding.name,
        delimiter=layout.dialect.delimiter,
        quote=layout.dialect.quote,
        escape=layout.dialect.escape,
        comment=layout.dialect.comment,
        header_row=layout.header_row,
        line_end=line_end_of(head.lines),
        bom=encoding.mark > 0,
        confidence=confidence,
        detected=(*(() if options.encoding else ("encoding",)), *layout.detected),
    )
    table = DelimitedTable(
        headers, how, stream, encoding, layout, _body(head.lines, encoding, layout), options
    )
    if encoding.why:
        code = "wrong_encoding" if encoding.confidence < 0.8 else "encoding"
        table.say(Note(code, _encoding_note(encoding, head.lines, layout)))
    for doubt in layout.doubts:
        table.say(Note("unsure", f"Not sure how to read the file: {doubt}. Declare it under `read:`."))
    return table


def _body(lines: Sequence[str], encoding: Encoding, layout: Layout) -> Body:
    """Where the rows begin."""
    above = lines[:1] if layout.separator_line else []
    records = Records(lines[len(above) :], layout.dialect)
    consumed = 0
    for row, _ in records if layout.header_row else ():
        consumed = records.consumed
        if row == layout.header_row:
            break
    text = "".join(lines)[: consumed + sum(map(len, above))]
    start = encoding.mark + len(text.encode(encoding.name))
    return Body(start, layout.header_row + 1, is_for_arrow(layout.dialect, encoding.name, TRANSCODABLE))


def read_head(stream: BinaryIO, encoding: Encoding) -> Head:
    """The lines that detection looks at. Raises FileRefused `wrong_encoding` where they do not decode."""
    with decoded(stream, encoding) as text:
        try:
            head = text.read(HEAD)
            found = head_of(head, whole=len(head) < HEAD)
            while len(found.lines) < 3 and not found.whole and len(head) < _LONGEST_HEAD:
                more = text.read(HEAD)
                head += more
                found = head_of(head, whole=len(more) < HEAD)
            return found
        except UnicodeDecodeError as error:
            refusal = error
    layout = Layout(Dialect(), (), 0, 0, False, 0.0, ())
    raise wrong_byte(stream, encoding, layout, refusal) from refusal


def _declared(options: ReadOptions) -> tuple[Dialect, frozenset[str]]:
    """The dialect as far as it was declared, and which keys were."""
    quote = {None: '"', "none": ""}.get(options.quote, options.quote or "")
    dialect = Dialect(
        delimiter=options.delimiter or ",",
        quote=quote,
        escape=options.escape or "",
        comment=options.comment or "",
    )
    keys = ("delimiter", "quote", "escape", "comment")
    return dialect, frozenset(key for key in keys if getattr(options, key))


def _encoding_note(encoding: Encoding, lines: Sequence[str], layout: Layout) -> str:
    """What is said of an encoding that was not plain from the bytes, with the first cell that it touches."""
    if encoding.confidence >= 0.8:
        return f"The text was {encoding.why}."
    body = lines[1:] if layout.separator_line else lines
    place = ""
    try:
        for row, cells in Records(body, layout.dialect):
            odd = next((at for at, cell in enumerate(cells) if not cell.isascii()), None)
            if odd is not None:
                header = layout.headers[odd] if odd < len(layout.headers) else column_letter(odd)
                place = f"; the first cell with such letters is in row {row}, column {header or column_letter(odd)}"
                break
    except FileRefused:
        # The head may end within quotes; what the text as a whole deserves is said when it is read.
        place = ""
    return f"The text was {encoding.why}{place}."
