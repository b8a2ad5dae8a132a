"""Whether a file is whole, as far as its bytes can say: it ends where a file of its kind ends.

A text ends on a complete record: with a line end, outside quotes. A workbook's archive ends with its directory,
an old Office document with the last sector of its allocation table. A text that was cut at exactly a line end
looks whole, and nothing in it tells.
"""

from __future__ import annotations

import codecs
import os
import struct
from dataclasses import dataclass
from enum import StrEnum
from io import BytesIO
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, Final

from filebridge.errors import FileRefused
from filebridge.tables.delimited import CTRL_Z, Records
from filebridge.tables.encodings import MARKS, declared_encoding, utf16_without_mark

# The readers take long to import, and a file that ends as it should needs none of them.
if TYPE_CHECKING:
    from filebridge.tables.table import ReadOptions

_OLE: Final = b"\xd0\xcf\x11\xe0"
_HEAD: Final = 65_536
_PIECE: Final = 1 << 20
_LARGEST_RECORDS: Final = 64 << 20
"""Bytes of a text whose quotes are counted out record by record; a larger one is left to its reader."""
_SHORT_ARCHIVE: Final = "The workbook's archive is cut short: its directory, which comes last, is not there."
_SHORT_COMPOUND: Final = "The workbook is cut short: it ends before the last of its sectors."
_END_RECORD: Final = b"PK\x05\x06"
_END_RECORD_SIZE: Final = 22
_LONGEST_COMMENT: Final = 65_535
_ZIP64_LOCATOR: Final = b"PK\x06\x07"
_ZIP64_LOCATOR_SIZE: Final = 20
_FREE: Final = 0xFFFFFFFF
_LAST_SECTOR: Final = 0xFFFFFFFA
"""The largest number of a sector; beyond it are marks."""


class Stop(StrEnum):
    """Where a file that is not whole stops short."""

    LAST_LINE = "last line"
    QUOTE = "quote"
    WORKBOOK = "workbook"


@dataclass(frozen=True)
class Cut:
    """A file that is not whole. `message` is a sentence that shows none of its cells."""

    stop: Stop
    message: str


def why_cut(stream: BinaryIO, *, name: str, options: ReadOptions, needs_line_end: bool = True) -> Cut | None:
    """Where the file stops short; None where it looks whole.

    What is no table at all, or in an encoding that its mapping does not allow, counts as whole: its reader
    refuses it. So does a file without a byte. `needs_line_end` False takes a last line without its end.
    """
    stream.seek(0)
    head = stream.read(_HEAD)
    if head.startswith(_OLE):
        return Cut(Stop.WORKBOOK, _SHORT_COMPOUND) if _is_compound_cut(stream) else None
    if head.startswith(b"PK"):
        return Cut(Stop.WORKBOOK, _SHORT_ARCHIVE) if _is_archive_cut(stream) else None
    try:
        text = _Text.of(stream, head, options)
    except FileRefused:
        return None
    if not text.size:
        return None
    if needs_line_end and not text.has_last_line_end():
        if _is_refused_anyway(head, name, options):
            return None
        return Cut(Stop.LAST_LINE, text.last_line(name, options))
    message = text.open_quote(name, options)
    return Cut(Stop.QUOTE, message) if message else None


def _is_refused_anyway(head: bytes, name: str, options: ReadOptions) -> bool:
    """Whether the file is plainly something else than the text table that it should be."""
    from filebridge.tables.open import WORKBOOKS, refuse_what_is_no_table

    said = {PurePosixPath(name).suffix.lower().lstrip("."), options.format}
    if len(head) >= len(_OLE) and said & {*WORKBOOKS}:
        return True
    try:
        refuse_what_is_no_table(head[:4096])
    except FileRefused:
        return True
    return False


@dataclass(frozen=True)
class _Text:
    """A text: the stream, its first bytes, its encoding, its mark and its size without that, in bytes."""

    stream: BinaryIO
    head: bytes
    encoding: str
    mark: int
    size: int

    @classmethod
    def of(cls, stream: BinaryIO, head: bytes, options: ReadOptions) -> _Text:
        """Raises FileRefused where the mark is not that of the declared encoding."""
        encoding, mark = "latin-1", 0
        if options.encoding:
            declared = declared_encoding(stream, options.encoding)
            encoding, mark = declared.name, declared.mark
        elif marked := next(((len(mark), name) for mark, name in MARKS if head.startswith(mark)), None):
            mark, encoding = marked
        elif wide := utf16_without_mark(head[:4096]):
            encoding = wide.name
        return cls(stream, head, encoding, mark, stream.seek(0, os.SEEK_END) - mark)

    def coded(self, sign: str) -> bytes:
        return sign.encode(self.encoding)

    def has_last_line_end(self) -> bool:
        """Whether it ends with a line end, or with the end mark of DOS.

        A lone CR ends a line, but not of a text whose lines end with CR LF: there the LF is missing.
        """
        feed = self.coded("\n")
        if self.size % len(feed):
            return False
        self.stream.seek(-len(feed), os.SEEK_END)
        last = self.stream.read()
        if last == self.coded("\r"):
            return "\n" not in self._decoded(self.head)
        return last in (feed, self.coded(CTRL_Z))

    def last_line(self, name: str, options: ReadOptions) -> str:
        """The sentence about a last line without its end: which line it is, how many cells it has."""
        lines = self._count("\n") or self._count("\r")
        tail = self._tail().rstrip("\r").replace("\r", "\n").rpartition("\n")[2]
        which = f"its last line, line {lines + 1:,}," if lines else "its only line"
        widths = self._widths(tail, name, options) if lines else None
        has = f"; it has {_cells(widths[0])}, and the header {widths[1]:,}" if widths else ""
        return f"It may be cut short: {which} does not end with a line end{has}."

    def open_quote(self, name: str, options: ReadOptions) -> str:
        """The sentence about a quoted cell that never closes; empty where each does, or has no quotes."""
        quote = {None: '"', "none": ""}.get(options.quote, options.quote or "")
        is_fixed = options.format == "fixed" or bool(options.columns)
        if not quote or is_fixed or self.size > _LARGEST_RECORDS or self._count(quote) % 2 == 0:
            return ""
        from filebridge.tables.open import open_table

        # An odd quote may be a sign for inches: only the records themselves can tell.
        try:
            for _ in open_table(self.stream, name=name, options=options).chunks(()):
                pass
        except FileRefused as refused:
            return refused.message if refused.code == "incomplete_file" else ""
        return ""

    def _count(self, sign: str) -> int:
        """How often a character stands in the text."""
        self.stream.seek(0)
        coded = self.coded(sign)
        decoder = codecs.getincrementaldecoder(self.encoding)("replace") if len(coded) > 1 else None
        count = 0
        while piece := self.stream.read(_PIECE):
            count += decoder.decode(piece).count(sign) if decoder else piece.count(coded)
        return count

    def _tail(self) -> str:
        """The last characters."""
        start = max(self.mark, self.mark + self.size - _HEAD)
        self.stream.seek(start)
        return self._decoded(self.stream.read())

    def _decoded(self, part: bytes) -> str:
        return part.decode(self.encoding, "replace")

    def _widths(self, line: str, name: str, options: ReadOptions) -> tuple[int, int] | None:
        """How many cells the last line has, and how many the header; None where nobody can tell."""
        from filebridge.tables.open import open_table
        from filebridge.tables.text import DelimitedTable

        feed = self.coded("\n")
        start = BytesIO(self.head[: self.head.rfind(feed) + len(feed)])
        try:
            table = open_table(start, name=name, options=options)
            if not isinstance(table, DelimitedTable) or not table.layout.header_row:
                return None
            cells = next((cells for _, cells in Records([line], table.layout.dialect)), None)
        except FileRefused:
            return None
        return (len(cells), len(table.headers)) if cells is not None else None


def _cells(count: int) -> str:
    return f"{count:,} cell" if count == 1 else f"{count:,} cells"


def _is_archive_cut(stream: BinaryIO) -> bool:
    """A ZIP ends with a record that says where its directory lies; nothing but a comment may follow it."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, size - _END_RECORD_SIZE - _LONGEST_COMMENT - _ZIP64_LOCATOR_SIZE))
    tail = stream.read()
    base, at = size - len(tail), len(tail)
    while (at := tail.rfind(_END_RECORD, 0, at)) >= 0:
        if len(tail) - at < _END_RECORD_SIZE:
            continue
        length, start, comment = struct.unpack_from("<IIH", tail, at + 12)
        is_large = tail.startswith(_ZIP64_LOCATOR, max(at - _ZIP64_LOCATOR_SIZE, 0))
        if is_large or (start + length == base + at and at + _END_RECORD_SIZE + comment <= len(tail)):
            return False
    return True


def _is_compound_cut(stream: BinaryIO) -> bool:
    """An OLE document is as long as its allocation table says."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    header = stream.read(512)
    if len(header) < 512:
        return True
    shift: int = struct.unpack_from("<H", header, 30)[0]
    if shift not in (9, 12):
        return False
    sector: int = 1 << shift
    tables = [number for number in struct.unpack_from("<109I", header, 76) if number <= _LAST_SECTOR]
    following, seen = struct.unpack_from("<I", header, 68)[0], set[int]()
    per_sector = sector // 4
    while following <= _LAST_SECTOR and following not in seen:
        seen.add(following)
        entries = _sector(stream, following, sector)
        if entries is None:
            return True
        tables += [number for number in entries[:-1] if number <= _LAST_SECTOR]
        following = entries[-1]
    last: int = -1
    for place, number in enumerate(tables):
        entries = _sector(stream, number, sector)
        if entries is None:
            return True
        used = [at for at, entry in enumerate(entries) if entry != _FREE]
        if used:
            last = max(last, place * per_sector + used[-1])
    return size < (last + 2) * sector


def _sector(stream: BinaryIO, number: int, size: int) -> tuple[int, ...] | None:
    """The numbers in one sector; None where the file ends before it does."""
    stream.seek((number + 1) * size)
    content = stream.read(size)
    return struct.unpack(f"<{size // 4}I", content) if len(content) == size else None
