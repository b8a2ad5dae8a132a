"""Which faults of the ledger pass by themselves, or once a person has made room: a service waits for that."""

from __future__ import annotations

import sqlite3
from typing import Final

from sqlalchemy.exc import DBAPIError

from filebridge.errors import LedgerError

_PASSING: Final = frozenset(
    {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
)


def may_pass(error: LedgerError) -> bool:
    """Whether it is worth trying again: locked by another program, no room, a disk that hesitates.

    A damaged, foreign or read-only ledger needs a person first.
    """
    cause = error.__cause__
    found = cause.orig if isinstance(cause, DBAPIError) else cause
    return getattr(found, "sqlite_errorcode", 0) & 0xFF in _PASSING
