"""The archive: the original of each file under its own name, and beside it what was answered.

`archive/VENDOR/YYYY-MM-DD/FILE_ID/`, for FileBridge's user alone. A file id has one folder, so nothing is ever
written over but a reply by its newer self.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from filebridge import milestones
from filebridge.clock import from_micros
from filebridge.errors import UserError

_PRIVATE_FOLDER: Final = 0o700
_PRIVATE_FILE: Final = 0o600
_UNFINISHED: Final = ".part"
_BLOCK: Final = 1 << 20

Write = Callable[[BinaryIO], None]
"""Fills a file, as `outbox.stage` takes it."""


@dataclass(frozen=True)
class ArchivedFile:
    """A file that is filed away. `folder` is below the archive, parted by `/`: what the ledger remembers."""

    file_id: str
    folder: str
    original: Path


def folder_of(vendor: str, *, file_id: str, received_at: int) -> str:
    """The folder of a file below the archive. `received_at` is microseconds UTC, and so is its day."""
    return f"{vendor}/{from_micros(received_at):%Y-%m-%d}/{file_id}"


def archive_file(
    copy: Path,
    archive: Path,
    *,
    folder: str,
    file_id: str,
    sha256: str,
    replies: Mapping[str, Write],
) -> ArchivedFile:
    """File away the copy of a claimed file, under the name it has, and its replies by their names.

    The copy is gone afterwards, and with it its folder where nothing else is left in there; every step is
    durable before the next. After a kill it is called again with the same arguments. Called once more with
    other replies, when the copy has gone (or with the original as the copy), it adds those, and a reply of a
    known name takes the older one's place. Raises UserError where what lies there already is another file, or
    where there is neither a copy nor an original.
    """
    target = archive / folder
    _make_private(target, archive)
    original = target / copy.name
    for name, write in replies.items():
        if name in ("", ".", "..", copy.name) or "/" in name:
            raise ValueError(f"{name!r} is no name for a reply")
        _write_durably(target / name, write)
    if not _is_there(original, sha256):
        _put_away(copy, original, sha256)
    elif not (copy.exists() and copy.samefile(original)):
        copy.unlink(missing_ok=True)
    _sync(target)
    _remove_if_empty(copy.parent)
    milestones.reached("file.archived", file_id)
    return ArchivedFile(file_id, folder, original)


def _make_private(folder: Path, top: Path) -> None:
    """Make a folder below `top`, each step for us alone and durable."""
    if folder == top:
        folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
        return
    if not folder.is_dir():
        _make_private(folder.parent, top)
        folder.mkdir(mode=_PRIVATE_FOLDER, exist_ok=True)
        _sync(folder.parent)


def _is_there(original: Path, sha256: str) -> bool:
    """Whether the original is filed away already. Raises UserError where something else lies there."""
    try:
        with original.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:
        return False
    if found != sha256:
        raise UserError(
            f"{original} holds something else than the file that belongs there",
            fix="Move it out of the archive; it was not put there by FileBridge, or it was changed since.",
        )
    return True


def _put_away(copy: Path, original: Path, sha256: str) -> None:
    if not copy.exists():
        raise UserError(
            f"{copy} is gone, and the archive does not hold it either",
            fix="Restore it from a backup, or drop the file again.",
        )
    os.chmod(copy, _PRIVATE_FILE)
    try:
        os.rename(copy, original)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy_across(copy, original, sha256)
        copy.unlink()


def _copy_across(copy: Path, original: Path, sha256: str) -> None:
    """To another file system: whole, durable and compared before it has its name."""

    def write(stream: BinaryIO) -> None:
        with copy.open("rb") as source:
            while block := source.read(_BLOCK):
                stream.write(block)

    if _write_durably(original, write) != sha256:
        original.unlink()
        raise OSError(errno.EIO, "the copy in the archive is not what was written", str(original))
    _sync(original.parent)


def _write_durably(path: Path, write: Write) -> str:
    """Fill a file and give it its name when it is whole and durable; the hash of what was read back."""
    unfinished = path.with_name(path.name + _UNFINISHED)
    unfinished.unlink(missing_ok=True)
    file = os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _PRIVATE_FILE)
    try:
        with os.fdopen(file, "w+b") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
            stream.seek(0)
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    unfinished.rename(path)
    return found


def _remove_if_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.ENOENT, errno.ENOTDIR):
            raise


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    except OSError as error:
        # Some network file systems cannot sync a folder, and say so; any other error means that it failed.
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(opened)
