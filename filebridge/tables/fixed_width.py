"""Fixed-width text: the mapping says at which positions, counted in characters, each column stands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

from filebridge.errors import FileRefused
from filebridge.rejects import Note
from filebridge.tables.delimited import CTRL_Z, Dialect
from filebridge.tables.detect import Layout, line_end_of
from filebridge.tables.encodings import Encoding, declared_encoding, detect_encoding
from filebridge.tables.rows import Row, Sieve
from filebridge.tables.table import Chunk, Notes, ReadHow, ReadOptions
from filebridge.tables.text import decoded, read_head, wrong_byte


@dataclass
class FixedWidthTable(Notes):
    """A fixed-width text; its headers are the names of `columns`, whether or not it has a header line."""

    headers: tuple[str, ...]
    how: ReadHow
    stream: BinaryIO
    encoding: Encoding
    options: ReadOptions

    def chunks(self, columns: Sequence[int]) -> Iterator[Chunk]:
        # `skip_rows` is for the line: what it is to match may stand across several columns.
        sieve = Sieve.of(self.headers, columns, replace(self.options, skip_rows=None))
        yield from sieve.chunks(self._rows())
        if not sieve.rows:
            self.say(Note("empty_file", "The file has no rows."))

    def _rows(self) -> Iterator[Row]:
        """The lines below the header, cut into cells; a line that is cut short has empty cells at its end."""
        spans = [slice(first - 1, last) for first, last in self.options.columns.values()]
        skip = re.compile(self.options.skip_rows) if self.options.skip_rows else None
        comment, header_row = self.options.comment, self.how.header_row
        with decoded(self.stream, self.encoding) as text:
            try:
                for row, found in enumerate(text, 1):
                    line = found.rstrip("\r\n").rstrip(CTRL_Z)
                    if "\0" in line:
                        raise _zero(row)
                    if row <= header_row or (comment and line.startswith(comment)):
                        continue
                    if skip and (skip.search(line.strip()) or skip.search(line)):
                        continue
                    yield row, [line[span].strip() for span in spans], None
            except UnicodeDecodeError as error:
                layout = Layout(Dialect(delimiter="\x1f", quote=""), (), 0, 0, False, 1.0, ())
                raise wrong_byte(self.stream, self.encoding, layout, error) from error


def _zero(row: int) -> FileRefused:
    return FileRefused(
        "unreadable_file",
        f"There is a NUL byte in row {row}.",
        fix="Export the file again.",
        place=f"row {row}",
    )


def open_fixed_width(stream: BinaryIO, *, options: ReadOptions) -> FixedWidthTable:
    """Opens a fixed-width text by its declared columns. Raises FileRefused as `open_delimited` does."""
    if not options.columns:
        raise FileRefused(
            "unreadable_file",
            "The mapping says that the file is fixed width and not at which positions its columns stand.",
            fix="Add `read: {columns: {NAME: 1-10, …}}` to the mapping.",
        )
    encoding = declared_encoding(stream, options.encoding) if options.encoding else detect_encoding(stream)
    head = read_head(stream, encoding)
    if not any(line.strip(" \t\r\n" + CTRL_Z) for line in head.lines):
        raise FileRefused("empty_file", "The file has no filled line.", fix="Export it again.")
    how = ReadHow(
        format="fixed",
        encoding=encoding.name,
        comment=options.comment or "",
        quote="",
        header_row=options.header_row or 0,
        line_end=line_end_of(head.lines),
        bom=encoding.mark > 0,
        confidence=encoding.confidence,
        detected=() if options.encoding else ("encoding",),
    )
    table = FixedWidthTable(tuple(options.columns), how, stream, encoding, options)
    if encoding.why:
        code = "wrong_encoding" if encoding.confidence < 0.8 else "encoding"
        table.say(Note(code, f"The text was {encoding.why}."))
    return table
