"""The ledger's door: opened, checked, brought up to date, and every fault of it said as a sentence.

SQLite with a rollback journal and `synchronous=EXTRA`: no commit that was acknowledged is lost by a power cut
(FAILURES 1.3), and the file is one file at rest. What is set is read back. A new ledger is made under another
name and renamed into place, so that a kill leaves a whole ledger or none; its tables are those of the schema, which
the migrations make too. Alembic is imported only where there is something to migrate.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from filebridge.clock import Clock, SystemClock
from filebridge.errors import LedgerError
from filebridge.ledger import faults, traces
from filebridge.ledger.health import APPLICATION_ID, check_archive, path_of
from filebridge.ledger.schema import metadata

T = TypeVar("T")

HEAD: Final = "0002"
"""The newest version in `migrations/versions`, written here so that Alembic need not be asked."""

BUSY_SECONDS: Final = 30

_SETTINGS: Final = (
    ("journal_mode", "DELETE", "delete"),
    ("synchronous", "EXTRA", 3),
    ("foreign_keys", "ON", 1),
    ("trusted_schema", "OFF", 0),
    ("cell_size_check", "ON", 1),
)
"""Name, what is set, and what must be read back."""


class Ledger:
    """An open ledger. `id` is the UUID it was made with; `path` is the file.

    May be used from several threads: each transaction has a connection of its own.
    """

    def __init__(self, engine: sa.Engine, path: Path, ledger_id: str) -> None:
        self._engine = engine
        self._reading = engine.execution_options(reading=True)
        self.path = path
        self.id = ledger_id

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """One write transaction: committed, durably, when the block ends, rolled back when it raises.

        Raises LedgerError where the ledger stays locked, is read-only, full or damaged.
        """
        with _said_of(self.path), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A read transaction: one moment of the ledger, for as long as the block lasts.

        A writer cannot commit meanwhile: keep it short. Raises LedgerError as `begin` does.
        """
        with _said_of(self.path), self._reading.connect() as connection:
            yield connection

    def check(self) -> None:
        """Read the whole file for damage. Raises LedgerError where there is any; takes time with its size."""
        with self.read() as connection:
            found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
            strays = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if found != "ok" or strays is not None:
            raise faults.damaged(
                self.path, str(found) if found != "ok" else "rows refer to rows that are gone"
            )

    def close(self) -> None:
        """Close every connection. The ledger must not be used afterwards."""
        self._engine.dispose()


def open_ledger(
    url: str, *, clock: Clock | None = None, busy_seconds: float = BUSY_SECONDS, archive: Path | None = None
) -> Ledger:
    """Open the ledger at `url` (`sqlite:///` and a path), making or migrating it where that is needed.

    A lock of another program is waited for, `busy_seconds` long, now and by each transaction. A ledger that was
    there once, as its marker or a file below `archive` shows, is not made anew, and one that is older than the files
    there is not used.

    Raises LedgerError, with what a person can do, where it cannot be used; LedgerGone where it is gone.
    """
    path = path_of(url)
    if not path.exists():
        trace = traces.find(path, archive)
        # The marker follows the ledger: where another process made both just now, both are there.
        if trace is not None and not path.exists():
            raise faults.gone(path, trace)
        create(path, (clock or SystemClock()).now())
    ledger = _open(path, writing=True, busy_seconds=busy_seconds)
    try:
        traces.keep(path, ledger.id)
        with ledger.read() as connection:
            driver: Any = connection.connection.driver_connection
            check_archive(path, archive, driver)
    except BaseException:
        ledger.close()
        raise
    version = _version(ledger)
    if version != HEAD:
        _refuse_newer(path, version)
        _bring_up_to_date(ledger)
    return ledger


def has_ledger(url: str) -> bool:
    """Whether a pass has made the ledger at `url` yet, be it gone since.

    Raises LedgerError where that is no address of one.
    """
    path = path_of(url)
    return path.exists() or traces.find(path, None) is not None


def read_ledger(url: str) -> Ledger:
    """Open the ledger for reading beside whoever writes: it is neither made nor migrated nor written.

    Raises LedgerError where there is none, where it is of another version, or where it cannot be read.
    """
    path = path_of(url)
    if not path.exists():
        trace = traces.find(path, None)
        if trace is not None:
            raise faults.gone(path, trace)
        raise LedgerError(
            f"There is no ledger at {path} yet: `filebridge run` makes it, on its first pass in this workspace."
        )
    ledger = _open(path, writing=False, busy_seconds=BUSY_SECONDS)
    version = _version(ledger)
    if version != HEAD:
        _refuse_newer(path, version)
        raise LedgerError(
            f"The ledger {path} is of an older FileBridge (version {version}). "
            "`filebridge run` brings it up to date; then ask again."
        )
    return ledger


def portions(values: Sequence[T], size: int = 500) -> Iterator[Sequence[T]]:
    """The values, some at a time: a statement takes only so many."""
    return (values[start : start + size] for start in range(0, len(values), size))


def insert_many(
    connection: sa.Connection, table: sa.Table, columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> int:
    """Insert rows given as tuples in the order of `columns`; how many there were.

    Straight through the driver: SQLAlchemy's own inserts were measured three times slower.
    """
    names = ", ".join(f'"{name}"' for name in columns)
    places = ", ".join("?" * len(columns))
    return change_many(connection, f'INSERT INTO "{table.name}" ({names}) VALUES ({places})', rows)


def change_many(connection: sa.Connection, statement: str, rows: Iterable[Sequence[object]]) -> int:
    """Carry out one statement for many tuples of values; how many rows were changed in all."""
    cursor: Any = connection.connection.cursor()  # its own type wants a list, sqlite3 takes any iterable
    try:
        cursor.executemany(statement, rows)
        return max(int(cursor.rowcount), 0)
    finally:
        cursor.close()


def _open(path: Path, *, writing: bool, busy_seconds: float) -> Ledger:
    faults.look_at(path, writing=writing)
    with _said_of(path):
        engine = _engine(path, busy_seconds)
        try:
            with engine.execution_options(reading=True).connect() as connection:
                _check_kind(connection, path)
                ledger_id = str(connection.exec_driver_sql("SELECT id FROM ledger").scalar_one())
        except UnicodeDecodeError as error:
            engine.dispose()
            raise faults.damaged(path, "a text in it is none") from error
        except BaseException:
            engine.dispose()
            raise
    return Ledger(engine if writing else engine.execution_options(reading=True), path, ledger_id)


def _engine(path: Path, busy_seconds: float) -> sa.Engine:
    engine = sa.create_engine(
        "sqlite://",
        creator=_creator(path, busy_seconds),
        poolclass=sa.pool.QueuePool,
    )
    sa.event.listen(engine, "begin", _begin)
    return engine


def _creator(path: Path, busy_seconds: float) -> Callable[[], sqlite3.Connection]:
    # A reader may have to roll back what a killed writer left, so it opens for writing where it is let.
    mode = "rw" if faults.is_writable(path) else "ro"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"file:{quote(os.fsencode(path))}?mode={mode}",
            uri=True,
            timeout=busy_seconds,
            isolation_level=None,  # the driver's own BEGIN comes too late and without IMMEDIATE
            check_same_thread=False,
        )
        try:
            _settle(connection, path)
        except BaseException:
            connection.close()
            raise
        return connection

    return connect


def _settle(connection: sqlite3.Connection, path: Path) -> None:
    for name, value, expected in _SETTINGS:
        connection.execute(f"PRAGMA {name}={value}").fetchall()
        found = connection.execute(f"PRAGMA {name}").fetchone()[0]
        if found != expected:
            raise LedgerError(
                f"The ledger {path} cannot be kept safely here: SQLite keeps {name} at {found}, not {value}. "
                "Put the workspace's .filebridge folder on a local disk."
            )


def _begin(connection: sa.Connection) -> None:
    # A read that turns into a write fails at once, whatever the time-out: a writer says so from the start.
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql(f"PRAGMA query_only={'ON' if reading else 'OFF'}")
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _check_kind(connection: sa.Connection, path: Path) -> None:
    found = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
    if found != APPLICATION_ID:
        raise faults.foreign(path)


def _version(ledger: Ledger) -> str:
    with ledger.read() as connection:
        return str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one())


def _refuse_newer(path: Path, version: str) -> None:
    if version > HEAD:
        raise faults.newer(path, version, HEAD)


def create(path: Path, now: int) -> None:
    """Make a new ledger, where there is none: it appears whole. Raises LedgerError where that is not possible."""
    fresh = path.with_name(f".{path.name}.new")
    try:
        handle = os.open(fresh, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise LedgerError(
            f"The ledger {path} cannot be made: {error.strerror}. "
            f"Let FileBridge's user write in {path.parent}, and see that the disk has room."
        ) from error
    try:
        # Whoever makes it holds the lock; what a killed maker has left under this name is begun anew.
        fcntl.flock(handle, fcntl.LOCK_EX)
        if path.exists():
            fresh.unlink(missing_ok=True)
            return
        os.ftruncate(handle, 0)
        fresh.with_name(f"{fresh.name}-journal").unlink(missing_ok=True)
        with _said_of(path):
            _fill(fresh, now)
        fresh.rename(path)
        traces.flush(path.parent)
    finally:
        os.close(handle)


def _fill(fresh: Path, now: int) -> None:
    engine = _engine(fresh, BUSY_SECONDS)
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")
            metadata.create_all(connection)
            # A new ledger needs no migrations: importing Alembic costs more than all of its tables.
            connection.exec_driver_sql(
                "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"
            )
            connection.exec_driver_sql("INSERT INTO alembic_version (version_num) VALUES (?)", (HEAD,))
            connection.exec_driver_sql(
                "INSERT INTO ledger (id, created_at) VALUES (?, ?)", (str(uuid.uuid4()), now)
            )
    finally:
        engine.dispose()


def _bring_up_to_date(ledger: Ledger) -> None:
    with ledger.begin() as connection:
        _upgrade(connection)


def _upgrade(connection: sa.Connection) -> None:
    """Carry out the missing migrations in the connection's transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


@contextmanager
def _said_of(path: Path) -> Iterator[None]:
    """Say as a sentence what a person can mend; anything else is a bug and stays what it is."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        cause: Any = error.orig if isinstance(error, DBAPIError) else error
        said = faults.said_of(path, cause)
        if said is None:
            raise
        raise said from error
