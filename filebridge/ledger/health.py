"""The ledger looked over by SQLite alone, beside whoever works with it: nothing is made, migrated or written."""

from __future__ import annotations

import os
import re
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import quote

from filebridge.errors import LedgerError
from filebridge.ledger import faults, traces

APPLICATION_ID: Final = 0x4642_4C31
"""`FBL1` in the file's header: how a ledger is told from any other SQLite database."""
MOST_SECONDS: Final = 30.0
"""How long a large ledger is read for damage: meanwhile nobody can commit, and waits for us."""
_BUSY_SECONDS: Final = 2.0
_STEPS: Final = 10_000


_SQLITE_ONLY: Final = "Write `sqlite:///` and a path, or leave it out: then it is `.filebridge/ledger.db`."


def path_of(url: str) -> Path:
    """The ledger's file. Raises LedgerError where `url` names none."""
    # Not SQLAlchemy's own reading of it, which cuts a folder's name at a question mark.
    found = re.fullmatch(r"sqlite(?:\+pysqlite)?:///(.+)", url)
    if found is None or found[1] == ":memory:":
        raise LedgerError(f"`ledger.url` names no SQLite file. {_SQLITE_ONLY}")
    return Path(found[1]).absolute()


def newest_version() -> str:
    """The newest version of a ledger that this program knows, told without Alembic."""
    versions = (Path(__file__).parent / "migrations" / "versions").glob("[0-9]*.py")
    return max(path.name[:4] for path in versions)


def look_over(path: Path, *, archive: Path | None = None, most_seconds: float = MOST_SECONDS) -> bool:
    """Read the whole ledger for damage; whether that came to its end in `most_seconds`.

    True as well where there is no ledger yet. Raises
    LedgerError, with what a person can do, for anything that stands against using it.
    """
    if not os.path.lexists(path):
        trace = traces.find(path, archive)
        if trace is not None:
            raise faults.gone(path, trace)
        return True
    faults.look_at(path, writing=False)
    try:
        whole = _read(path, archive, most_seconds)
    except sqlite3.Error as error:
        said = faults.said_of(path, error)
        if said is None:
            # It calls itself a ledger, and lacks what a ledger has.
            raise faults.damaged(path, str(error)) from error
        raise said from error
    except UnicodeDecodeError as error:
        raise faults.damaged(path, "a text in it is none") from error
    if not faults.is_writable(path):
        raise faults.unwritable(path, "it, or its folder, is read-only")
    return whole


def _read(path: Path, archive: Path | None, most_seconds: float) -> bool:
    # To roll back what a killed writer left takes the right to write.
    mode = "rw" if faults.is_writable(path) else "ro"
    connection = sqlite3.connect(
        f"file:{quote(os.fsencode(path))}?mode={mode}", uri=True, timeout=_BUSY_SECONDS, isolation_level=None
    )
    try:
        connection.execute("PRAGMA query_only=ON")
        connection.execute("PRAGMA cell_size_check=ON")
        if _one(connection, "PRAGMA application_id") != APPLICATION_ID:
            raise faults.foreign(path)
        version, ledger_id = (
            str(_one(connection, "SELECT version_num FROM alembic_version")),
            str(_one(connection, "SELECT id FROM ledger")),
        )
        head = newest_version()
        if version > head:
            raise faults.newer(path, version, head)
        until = time.monotonic() + most_seconds
        connection.set_progress_handler(lambda: time.monotonic() > until, _STEPS)
        whole = _check_pages(connection, path)
        connection.set_progress_handler(None, 0)
        _check_marker(path, ledger_id)
        check_archive(path, archive, connection)
        return whole
    finally:
        connection.close()


def _check_pages(connection: sqlite3.Connection, path: Path) -> bool:
    try:
        found = _one(connection, "PRAGMA quick_check(1)")
        if found != "ok":
            raise faults.damaged(path, str(found))
        if connection.execute("PRAGMA foreign_key_check").fetchone() is not None:
            raise faults.damaged(path, "rows refer to rows that are gone")
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_INTERRUPT:
            return False
        raise
    return True


def check_archive(path: Path, archive: Path | None, connection: sqlite3.Connection) -> None:
    """Raise LedgerError where the archive holds newer files than the ledger knows."""

    def known(file_ids: Sequence[str]) -> set[str]:
        places = ", ".join("?" * len(file_ids))
        found = connection.execute(f"SELECT id FROM file WHERE id IN ({places})", tuple(file_ids))
        return {row[0] for row in found}

    unknown = traces.unknown_file(archive, known) if archive is not None else None
    if unknown is not None:
        raise faults.outdated(path, unknown)


def _check_marker(path: Path, ledger_id: str) -> None:
    marker = traces.marker_of(path)
    try:
        text = marker.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    if text.strip() and text.split()[0] != ledger_id:
        raise faults.other_ledger(path, marker)


def _one(connection: sqlite3.Connection, statement: str) -> object:
    row = connection.execute(statement).fetchone()
    if row is None:
        raise sqlite3.DatabaseError("a row that every ledger has is missing")
    return row[0]
