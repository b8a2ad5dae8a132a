"""What calamine leaves out of an XLS: error cells, and numbers under a digit mask.

Walks the records of the workbook stream ([MS-XLS], BIFF5 and BIFF8) inside its compound file.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from filebridge.tables.biff import error_word, unpacked
from filebridge.tables.number_formats import Format, builtin_format, parse_format, value_text
from filebridge.tables.sheets import damaged, encrypted
from filebridge.tables.table import Kind

_FREE: Final = 0xFFFFFFFA
"""Sector numbers from here on end a chain."""
_FORMULA, _NUMBER, _BOOL_OR_ERROR, _RK, _MANY_RK = 0x06, 0x203, 0x205, 0x27E, 0xBD
_SHEET, _STYLE, _FORMAT, _BEGIN, _END, _PASSWORD = 0x85, 0xE0, 0x41E, 0x809, 0x0A, 0x2F
_BIFF8: Final = 0x600

Corrections = dict[tuple[int, int], tuple[str, Kind]]
"""By 0-based row and column."""


@dataclass
class _Book:
    """What the globals of the workbook say."""

    is_biff8: bool = True
    starts: dict[str, int] = field(default_factory=dict)
    formats: dict[int, Format] = field(default_factory=dict)
    styles: list[int] = field(default_factory=list)

    def form(self, style: int) -> Format:
        if style >= len(self.styles):
            return builtin_format(0)
        number = self.styles[style]
        return self.formats.get(number) or builtin_format(number)


def corrections(content: bytes) -> dict[str, Corrections]:
    """For each sheet of an XLS, by name, the cells whose text is another than calamine says."""
    stream = _workbook_stream(content)
    book = _globals(stream)
    found: dict[str, Corrections] = {name: {} for name in book.starts}
    for name, start in book.starts.items():
        for kind, body in _records(stream, start):
            if kind == _END:
                break
            for row, column, text, of in _judged(kind, body, book):
                found[name][row, column] = (text, of)
    return found


def _judged(kind: int, body: bytes, book: _Book) -> Iterator[tuple[int, int, str, Kind]]:
    """The cells of a record that calamine would read otherwise."""
    if kind == _MANY_RK:
        row, first = struct.unpack_from("<HH", body)
        for place in range((len(body) - 6) // 6):
            style, packed = struct.unpack_from("<HI", body, 4 + 6 * place)
            yield from _masked(row, first + place, unpacked(packed), book.form(style))
        return
    if kind not in (_FORMULA, _NUMBER, _BOOL_OR_ERROR, _RK):
        return
    row, column, style = struct.unpack_from("<HHH", body)
    if kind == _BOOL_OR_ERROR:
        if body[7]:
            yield row, column, error_word(body[6]), Kind.ERROR
    elif kind == _FORMULA and body[12:14] == b"\xff\xff":
        if body[6] == 2:
            yield row, column, error_word(body[8]), Kind.ERROR
    elif kind == _RK:
        yield from _masked(row, column, unpacked(struct.unpack_from("<I", body, 6)[0]), book.form(style))
    else:
        yield from _masked(row, column, struct.unpack_from("<d", body, 6)[0], book.form(style))


def _masked(row: int, column: int, value: float, form: Format) -> Iterator[tuple[int, int, str, Kind]]:
    if form.mask:
        yield row, column, *value_text(value, form, from_1904=False)


def _globals(stream: bytes) -> _Book:
    book = _Book()
    for kind, body in _records(stream, 0):
        if kind == _BEGIN:
            book.is_biff8 = int.from_bytes(body[:2], "little") == _BIFF8
        elif kind == _PASSWORD:
            raise encrypted()
        elif kind == _SHEET:
            book.starts[_text(body[6:], book.is_biff8, 1)] = int.from_bytes(body[:4], "little")
        elif kind == _STYLE:
            book.styles.append(int.from_bytes(body[2:4], "little"))
        elif kind == _FORMAT:
            code = _text(body[2:], book.is_biff8, 2 if book.is_biff8 else 1)
            book.formats[int.from_bytes(body[:2], "little")] = parse_format(code)
        elif kind == _END:
            break
    return book


def _text(body: bytes, is_biff8: bool, size: int) -> str:
    """A text with its length before it, in `size` bytes."""
    length, rest = int.from_bytes(body[:size], "little"), body[size:]
    if is_biff8 and rest[0] & 1:
        return rest[1 : 1 + 2 * length].decode("utf-16-le", "replace")
    return rest[is_biff8 : is_biff8 + length].decode("latin-1")


def _records(stream: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    while at + 4 <= len(stream):
        kind, size = struct.unpack_from("<HH", stream, at)
        yield kind, stream[at + 4 : at + 4 + size]
        at += 4 + size


def _workbook_stream(content: bytes) -> bytes:
    """The stream of the workbook inside a compound file ([MS-CFB])."""
    sector = 1 << struct.unpack_from("<H", content, 30)[0]
    if sector not in (512, 4096):
        raise damaged("The workbook is damaged: its sectors have no size that exists.")
    tables = list(struct.unpack_from("<109I", content, 76))
    more, count = struct.unpack_from("<II", content, 68)
    while more < _FREE and count:
        entries = struct.unpack_from(f"<{sector // 4}I", content, sector * (more + 1))
        tables.extend(entries[:-1])
        more, count = entries[-1], count - 1
    chain: list[int] = []
    for table in tables:
        if table < _FREE:
            chain.extend(struct.unpack_from(f"<{sector // 4}I", content, sector * (table + 1)))

    def read(first: int) -> bytes:
        pieces, seen = [], 0
        while first < _FREE and seen <= len(chain):
            pieces.append(content[sector * (first + 1) : sector * (first + 2)])
            first, seen = chain[first], seen + 1
        return b"".join(pieces)

    directory = read(struct.unpack_from("<I", content, 48)[0])
    for at in range(0, len(directory) - 127, 128):
        entry = directory[at : at + 128]
        name = entry[: max(int.from_bytes(entry[64:66], "little") - 2, 0)].decode("utf-16-le", "replace")
        if name.casefold() in ("workbook", "book"):
            first, size = struct.unpack_from("<II", entry, 116)
            if size >= struct.unpack_from("<I", content, 56)[0]:
                return read(first)[:size]
            shelf = read(struct.unpack_from("<I", directory, 116)[0])
            small = read(struct.unpack_from("<I", content, 60)[0])
            return _small_stream(shelf, struct.unpack(f"<{len(small) // 4}I", small), first)[:size]
    raise damaged("There is no workbook in the file.")


def _small_stream(shelf: bytes, chain: Sequence[int], first: int) -> bytes:
    """A stream that is kept in pieces of 64 bytes on a shelf of its own."""
    pieces: list[bytes] = []
    while first < _FREE and len(pieces) <= len(chain):
        pieces.append(shelf[64 * first : 64 * (first + 1)])
        first = chain[first]
    return b"".join(pieces)
