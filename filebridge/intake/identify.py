"""Whose a settled file is: by its name, and only where no mapping takes the name by a peek at its headers.

A file in FileBridge's own layout needs no mapping, and a reject file that comes back is known wherever it lies.
What none of these is stays in the inbox, with the reason; so does what is not whole.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final, TypeAlias

from filebridge.clock import Clock, SystemClock
from filebridge.errors import FileRefused
from filebridge.intake.look import Entry, Waiting, opened_entry, waiting
from filebridge.intake.patience import Patience
from filebridge.intake.wholeness import why_not_whole
from filebridge.mapping.match import Ambiguous, Unmatched, match_file, own_layout_document
from filebridge.mapping.pack import FeedMapping, VendorPack
from filebridge.tables.table import ReadOptions, Table

PEEK_BYTES: Final = 65_536
_WORKBOOK: Final = (b"PK", b"\xd0\xcf\x11\xe0")
_UTF_16_LE: Final = b"\xff\xfe"


@dataclass(frozen=True)
class Peeked:
    """What the beginning of a file shows: its headers, and the sheet's name.

    `corrects` is None but for a reject file that comes back; then the file ids that it names, as far as seen.
    """

    headers: tuple[str, ...]
    sheet: str = ""
    corrects: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Correction:
    """A reject file that comes back. `file_ids` are the files it names, as far as the peek saw them."""

    file_ids: tuple[str, ...]


Identified: TypeAlias = FeedMapping | Correction | Waiting
PeekWorkbook: TypeAlias = Callable[[Path], Peeked | None]
"""Reads the headers of a workbook in the reader process; None where it cannot be read."""


class Identifier:
    """Says whose files are, by one vendor's pack as it is now: a changed pack needs a new one.

    Why a file stays is remembered for as long as the file is as it is, so that a stray costs one peek, not one
    a look.
    """

    def __init__(
        self,
        pack: VendorPack,
        *,
        peek_workbook: PeekWorkbook,
        clock: Clock | None = None,
        settle_seconds: float = 0.0,
        max_size: int | None = None,
    ) -> None:
        self._pack = pack
        self._peek_workbook = peek_workbook
        self._max_size = max_size
        self._patience = Patience(clock or SystemClock(), settle_seconds)
        self._strays: dict[tuple[Path, bytes], tuple[Entry, Waiting]] = {}

    def identify(self, entry: Entry) -> Identified:
        """The mapping that takes a file, a `Correction`, or why it stays in the inbox."""
        put_off = self._patience.waiting(entry)
        if put_off is not None:
            return put_off
        key = (entry.inbox.path, entry.place)
        before, known = self._strays.get(key, (None, None))
        if known is not None and before == entry:
            return known
        found = self._identify(entry)
        # A file that is too large for a claim need not be whole: it is refused for its size.
        if not isinstance(found, Waiting) and (self._max_size is None or entry.size <= self._max_size):
            cut = why_not_whole(entry, None if isinstance(found, Correction) else found)
            if cut is not None:
                self._patience.put_off(entry, cut)
                return cut
        if isinstance(found, Waiting):
            self._strays[key] = entry, found
        else:
            self._strays.pop(key, None)
        return found

    def put_off(self, entry: Entry, why: Waiting) -> None:
        """Have a file wait that could not be claimed since somebody is still at it."""
        self._patience.put_off(entry, why)

    def _identify(self, entry: Entry) -> Identified:
        match = match_file(entry.name, self._pack)
        if isinstance(match, FeedMapping):
            return match
        peeked = peek(entry, peek_workbook=self._peek_workbook)
        if peeked is not None and peeked.corrects is not None:
            return Correction(peeked.corrects)
        if isinstance(match, Ambiguous):
            return waiting(entry, "ambiguous_mapping", _sentence(match.reason))
        own = own_layout_document(entry.name, peeked.headers, peeked.sheet) if peeked is not None else None
        return own or _no_mapping(entry, match)


def peek(entry: Entry, *, peek_workbook: PeekWorkbook) -> Peeked | None:
    """The headers of a file where it lies; None where it cannot be opened or is no table.

    Of a text at most the first 64 KB are read; a workbook is handed to `peek_workbook`.
    """
    try:
        with opened_entry(entry) as stream:
            if os.fstat(stream.fileno()).st_ino != entry.inode:
                return None
            start = stream.read(PEEK_BYTES)
    except OSError:
        return None
    if start.startswith(_WORKBOOK):
        return peek_workbook(entry.inbox.path / os.fsdecode(entry.place))
    return _peek_text(start, entry)


def peeked(table: Table) -> Peeked:
    """What a table shows of itself: for whoever reads a workbook's headers in the reader process."""
    from filebridge.mapping.corrections import is_correction, original_ids

    corrects: tuple[str, ...] | None = None
    if is_correction(table.headers):
        try:
            corrects = original_ids(table)
        except FileRefused:
            corrects = ()
    return Peeked(table.headers, table.how.sheet, corrects)


def _peek_text(start: bytes, entry: Entry) -> Peeked | None:
    from filebridge.tables.open import open_table

    whole = start if len(start) == entry.size else _whole_lines(start)
    try:
        return peeked(open_table(BytesIO(whole), name=entry.name, options=ReadOptions()))
    except FileRefused:
        return None


def _whole_lines(start: bytes) -> bytes:
    end = start.rfind(b"\n") + 1
    # The second byte of a line end in UTF-16 with the low byte first.
    return start[: end + start.startswith(_UTF_16_LE)]


def _no_mapping(entry: Entry, match: Unmatched) -> Waiting:
    return waiting(entry, "no_mapping", _sentence(match.reason))


def _sentence(reason: str) -> str:
    return f"{reason[:1].upper()}{reason[1:]}."
