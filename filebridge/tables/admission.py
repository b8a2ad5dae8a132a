"""Admission of a workbook: what its archive may be before anything parses it.

A ZIP is counted while it is inflated, since its headers may lie. Limits: 1,000 members, 100 times its packed
size a member, 500 MB in all; no entry may lie over another, and no name may lead out of the archive.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Final

from filebridge.errors import FileRefused

MOST_MEMBERS: Final = 1000
MOST_RATIO: Final = 100
MOST_INFLATED: Final = 500 * 1000 * 1000
_SMALL: Final = 1 << 20
"""Below this a high ratio is no bomb: an empty sheet of spaces packs well."""
_DAMAGE: Final = (zipfile.BadZipFile, zlib.error, struct.error, ValueError, RuntimeError, EOFError, OSError)
"""What zipfile raises for archives that are not as they say; NotImplementedError is a RuntimeError."""
_PIECE: Final = 1 << 16


def unsafe(message: str) -> FileRefused:
    """A refusal of an archive that is built to do harm."""
    return FileRefused("unsafe_file", message, fix="Save the table again as a plain XLSX or CSV.")


class Archive:
    """A ZIP whose members are read in pieces, counted as they are inflated. Raises FileRefused."""

    def __init__(self, stream: BinaryIO) -> None:
        try:
            self._zip = zipfile.ZipFile(stream)
            entries = self._zip.infolist()
        except _DAMAGE as error:
            raise FileRefused(
                "incomplete_file",
                "The workbook's archive is cut short or damaged.",
                fix="Send the file again, whole.",
            ) from error
        if len(entries) > MOST_MEMBERS:
            raise unsafe(
                f"The workbook's archive has {len(entries)} members; at most {MOST_MEMBERS} are taken."
            )
        if sum(entry.file_size for entry in entries) > MOST_INFLATED:
            raise unsafe("The workbook unpacks to more than 500 MB.")
        _refuse_overlap(entries, self._zip.start_dir)
        for entry in entries:
            if entry.filename.startswith(("/", "\\")) or ".." in entry.filename.replace("\\", "/").split("/"):
                raise unsafe("The workbook's archive has a member whose name leads out of it.")
            if entry.flag_bits & 1:
                raise FileRefused(
                    "unreadable_file",
                    "The workbook's archive is encrypted.",
                    fix="Save it without a password.",
                )
        self._inflated = 0
        self.names = [entry.filename for entry in entries]
        self._found = {entry.filename.lstrip("/").casefold(): entry for entry in entries}

    def __contains__(self, name: str) -> bool:
        return name.casefold() in self._found

    @property
    def repeated(self) -> list[str]:
        """Names that the archive holds twice: nobody can say which of the two is meant."""
        return sorted({name for name in self.names if self.names.count(name) > 1})

    def pieces(self, name: str) -> Iterator[bytes]:
        """A member's bytes, piece by piece. Raises FileRefused where it is not there, damaged or a bomb."""
        entry = self._found.get(name.casefold())
        if entry is None:
            raise FileRefused(
                "unreadable_file", f"The workbook lacks its part {name}.", fix="Save it again as XLSX or CSV."
            )
        inflated = 0
        try:
            with self._zip.open(entry) as member:
                while piece := member.read(_PIECE):
                    inflated += len(piece)
                    self._inflated += len(piece)
                    if inflated > _SMALL and inflated > MOST_RATIO * entry.compress_size:
                        raise unsafe(
                            f"The workbook's part {name} unpacks to more than {MOST_RATIO} times its size."
                        )
                    if self._inflated > MOST_INFLATED:
                        raise unsafe("The workbook unpacks to more than 500 MB.")
                    yield piece
        except _DAMAGE as error:
            raise FileRefused(
                "unreadable_file",
                f"The workbook's part {name} is damaged.",
                fix="Send the file again, whole.",
            ) from error

    def read(self, name: str) -> bytes:
        """A small member as a whole."""
        return b"".join(self.pieces(name))


def _refuse_overlap(entries: list[zipfile.ZipInfo], directory: int) -> None:
    """Refuses members that share bytes on disk."""
    spans = sorted(
        (
            entry.header_offset,
            entry.header_offset + 30 + len(entry.orig_filename.encode()) + entry.compress_size,
        )
        for entry in entries
    )
    for (_, end), (start, _) in zip(spans, [*spans[1:], (directory, directory)], strict=True):
        if end > start:
            raise unsafe("The workbook's archive has members that lie over each other.")
