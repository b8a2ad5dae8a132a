"""What can be wrong with the ledger's file, each as a sentence: what was found, what it means, what to do."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Final

from filebridge.errors import LedgerError

KEPT: Final = "Nothing was changed; the originals of all files are untouched."
REBUILD: Final = "`filebridge check --rebuild`"


class LedgerGone(LedgerError):
    """There was a ledger, and it is not there any more."""


class LedgerDamaged(LedgerError):
    """The file holds nothing, or not what was written into it."""


class LedgerOutdated(LedgerError):
    """The ledger is of before files that are in the archive: an older one was put in its place."""


def outdated(path: Path, unknown: Path) -> LedgerOutdated:
    """The archive holds a file that the ledger does not know."""
    return LedgerOutdated(
        f"The ledger {path} is older than the archive: it does not know {unknown}. "
        "What was sent since it was copied is not known, so nothing is sent. "
        f"Put a newer backup in its place, or run {REBUILD}, "
        "which makes a new one from the archive and from RetailOps. "
        "The originals of all files are untouched."
    )


def gone(path: Path, trace: Path) -> LedgerGone:
    """The ledger is not there, and `trace` says that there was one."""
    return LedgerGone(
        f"The ledger {path} is gone, and {trace} shows that there was one. "
        "Without it FileBridge does not know what was sent, so nothing is sent. "
        f"Put it back from the latest backup, or run {REBUILD}, "
        "which makes a new one from the archive and from RetailOps. "
        "The originals of all files are untouched."
    )


def other_ledger(path: Path, marker: Path) -> LedgerError:
    """The file is a ledger, but not the one that was kept here."""
    return LedgerError(
        f"{path} is another ledger than the one that was kept here, whose id is in {marker}. "
        "Put the right one in its place. "
        f"Only where this is the one to go on with, delete {marker}. {KEPT}"
    )


def empty(path: Path) -> LedgerDamaged:
    """The file has 0 bytes."""
    return LedgerDamaged(
        f"The ledger {path} is empty (0 bytes): what was sent so far is not known, so nothing is sent. "
        f"Put the latest backup in its place, or run {REBUILD}. "
        f"Only where this workspace has never sent anything, delete the empty file. {KEPT}"
    )


def damaged(path: Path, words: str) -> LedgerDamaged:
    """The file's bytes are not what was written."""
    return LedgerDamaged(
        f"The ledger {path} is damaged ({words}), so nothing is sent. "
        f"Keep the file, put the latest backup in its place, and start again; or run {REBUILD}, "
        "which makes a new one from the archive and from RetailOps. "
        "The originals of all files are untouched."
    )


def foreign(path: Path) -> LedgerError:
    """A database of another program."""
    return LedgerError(
        f"{path} is a database, but no ledger of FileBridge. "
        f"Move it away, or name another file in `ledger.url`. {KEPT}"
    )


def newer(path: Path, version: str, head: str) -> LedgerError:
    """A ledger that this program is too old for."""
    return LedgerError(
        f"The ledger {path} was written by a newer FileBridge (version {version}, this one knows {head}). "
        f"Use the newer program. {KEPT}"
    )


def unwritable(path: Path, words: str) -> LedgerError:
    """The rights, or the disk, do not let it be written."""
    return LedgerError(
        f"The ledger {path} cannot be written ({words}). "
        f"Let FileBridge's user write to it and to its folder {path.parent}. {KEPT}"
    )


def look_at(path: Path, *, writing: bool) -> None:
    """Raise what can be told of the file without opening it."""
    try:
        size = path.stat().st_size
    except OSError as error:
        raise LedgerError(f"The ledger {path} cannot be opened: {error.strerror}. {KEPT}") from error
    if not path.is_file():
        raise LedgerError(f"{path} is not a file, so it is no ledger. Move it away, or change `ledger.url`.")
    if size == 0:
        raise empty(path)
    if writing and not is_writable(path):
        # SQLite would open it for reading and only fail in the middle of the work.
        raise unwritable(path, "it, or its folder, is read-only")


def is_writable(path: Path) -> bool:
    """Whether the file and its folder, which holds SQLite's journal, may be written."""
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)


def said_of(path: Path, error: BaseException) -> LedgerError | None:
    """An error of SQLite as a sentence; None where it is none that a person can mend."""
    return _sentence(path, getattr(error, "sqlite_errorcode", 0) & 0xFF, str(error))


def _sentence(path: Path, code: int, words: str) -> LedgerError | None:
    match code:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return LedgerError(
                f"The ledger {path} is locked by another program, and has stayed so. "
                "Close what has it open (a database viewer, a backup, another FileBridge) and start again; "
                "nothing is lost."
            )
        case sqlite3.SQLITE_FULL:
            return LedgerError(
                f"The disk that holds the ledger {path} is full. Make room and start again; "
                "the work continues where it stopped."
            )
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_AUTH:
            return unwritable(path, words)
        case sqlite3.SQLITE_IOERR:
            return LedgerError(
                f"The disk that holds the ledger {path} does not read or write as it should ({words}). "
                "Look at the disk and its free space, then start again; the work continues where it stopped."
            )
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return damaged(path, words)
    return None
