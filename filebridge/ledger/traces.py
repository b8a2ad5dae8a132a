"""What a ledger leaves beside it, so that it is missed when it is gone: a new one would send everything again.

The marker `ledger.db.id` holds the ledger's id. It is written after the ledger has its name, so that a kill between
the two leaves a ledger without a marker, which the next opening mends, and never a marker without a ledger.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Final

from filebridge.ledger import faults

_ENDING: Final = ".id"
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_FILE_ID: Final = re.compile(r"f[a-z0-9]{9}")
_AT_ONCE: Final = 500
_WORDS: Final = (
    "The id of the ledger beside this file. It shows that there was one: while it is here, no new ledger is made in "
    "place of one that is gone.\n"
)


def marker_of(ledger: Path) -> Path:
    """The marker of a ledger."""
    return ledger.with_name(ledger.name + _ENDING)


def find(ledger: Path, archive: Path | None) -> Path | None:
    """What shows that there was a ledger: its marker, or a file in the archive; None where nothing does."""
    marker = marker_of(ledger)
    if marker.exists():
        return marker
    return _first_file(archive) if archive is not None else None


def keep(ledger: Path, ledger_id: str) -> None:
    """Write the marker where it is missing. Raises LedgerError where it is that of another ledger."""
    marker = marker_of(ledger)
    try:
        text = marker.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        text = ""
    # An empty one is what a failing disk leaves; it is written anew.
    if not text.strip():
        mark(ledger, ledger_id)
    elif text.split()[0] != ledger_id:
        raise faults.other_ledger(ledger, marker)


def mark(ledger: Path, ledger_id: str) -> None:
    """Write the marker, whole and durable, in place of one that is there."""
    marker = marker_of(ledger)
    fresh = marker.with_name(f".{marker.name}.{os.getpid()}.new")
    try:
        with open(
            os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
        ) as stream:
            stream.write(f"{ledger_id}\n{_WORDS}")
            stream.flush()
            os.fsync(stream.fileno())
        fresh.rename(marker)
        flush(marker.parent)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise faults.unwritable(ledger, error.strerror or str(error)) from error


def flush(folder: Path) -> None:
    """Have what was named in a folder on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def unknown_file(archive: Path, known: Callable[[Sequence[str]], Collection[str]]) -> Path | None:
    """The folder of an archived file that the ledger does not know, among those of each vendor's newest day.

    `known` tells which of some file ids the ledger has. A file is in the ledger before it is in the archive, so that
    such a folder says that the ledger is of before then.
    """
    for vendor in _folders(archive):
        days = [day for day in _folders(vendor) if _DAY.fullmatch(day.name)]
        folders = [folder for folder in _folders(days[-1]) if _FILE_ID.fullmatch(folder.name)] if days else []
        for start in range(0, len(folders), _AT_ONCE):
            some = folders[start : start + _AT_ONCE]
            there = known([folder.name for folder in some])
            for folder in some:
                # One without a file is what a full disk has left.
                if folder.name not in there and _first_file(folder, top=True):
                    return folder
    return None


def _folders(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return sorted(Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False))
    except FileNotFoundError:
        return []


def _first_file(archive: Path, *, top: bool = False) -> Path | None:
    """Any file below the archive. A README at its `top` is nobody's original."""
    for folder, _, names in os.walk(archive):
        if names and (top or Path(folder) != archive):
            return Path(folder) / names[0]
    return None
