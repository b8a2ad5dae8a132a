from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from filebridge.errors import LedgerError
from filebridge.ledger import connect
from filebridge.ledger.connect import APPLICATION_ID, HEAD, Ledger, open_ledger, read_ledger

ROOT = Path(connect.__file__).parents[2]


def python(code: str, *arguments: str) -> subprocess.Popen[str]:
    """Another process of the same program."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def output_of(code: str, *arguments: str) -> str:
    process = python(code, *arguments)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    return out.strip()


def requests_in(ledger: Ledger) -> int:
    with ledger.read() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM request").scalar_one())


ASK = "INSERT INTO request (kind, subject, asked_at, asked_by) VALUES ('release', 'f', 1, 'me')"


class TestANewLedger:
    def test_is_private_alone_with_its_marker_and_keeps_its_id(self, url: str, tmp_path: Path) -> None:
        first = open_ledger(url)
        first.close()
        second = open_ledger(url)
        assert second.id == first.id
        assert len(first.id) == 36
        assert sorted(path.name for path in tmp_path.iterdir()) == ["ledger.db", "ledger.db.id"]
        assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
        second.close()

    def test_lies_in_a_folder_of_any_name(self, tmp_path: Path) -> None:
        folder = tmp_path / "100% Größe? #1 'a' b"
        folder.mkdir()
        ledger = open_ledger(f"sqlite:///{folder}/ledger.db")
        assert ledger.path == folder / "ledger.db"
        ledger.close()

    def test_has_exactly_the_tables_that_the_migrations_make(self, ledger: Ledger) -> None:
        migrated = sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool)
        with migrated.begin() as connection:
            connect._upgrade(connection)
        with ledger.read() as connection, migrated.connect() as other:
            assert _shape(connection) == _shape(other)
        migrated.dispose()

    def test_is_of_the_newest_version_that_the_migrations_know(self) -> None:
        from alembic.config import Config
        from alembic.script import ScriptDirectory

        config = Config()
        config.set_main_option("script_location", str(Path(connect.__file__).parent / "migrations"))
        assert ScriptDirectory.from_config(config).get_heads() == [HEAD]

    def test_is_made_once_by_processes_that_make_it_at_once(self, url: str) -> None:
        code = "import sys; from filebridge.ledger.connect import open_ledger; print(open_ledger(sys.argv[1]).id)"
        makers = [python(code, url) for _ in range(3)]
        ids = [maker.communicate(timeout=30) for maker in makers]
        assert len({out for out, _ in ids}) == 1, ids
        assert [maker.returncode for maker in makers] == [0] * 3

    def test_is_there_whole_or_not_at_all_when_its_maker_is_killed(self, tmp_path: Path) -> None:
        code = (
            "import sys, alembic.command, filebridge.ledger.connect as c, filebridge.ledger.schema\n"
            "print('go', flush=True); c.open_ledger(sys.argv[1]); print('made', flush=True)"
        )
        source = random.Random(4)
        for attempt in range(4):
            url = f"sqlite:///{tmp_path}/{attempt}.db"
            maker = python(code, url)
            assert maker.stdout is not None
            maker.stdout.readline()
            time.sleep(source.uniform(0, 0.08))
            maker.send_signal(signal.SIGKILL)
            maker.communicate(timeout=30)
            ledger = open_ledger(url)
            ledger.check()
            assert requests_in(ledger) == 0
            ledger.close()
        left = sorted(path.name for path in tmp_path.iterdir())
        assert left == sorted(f"{attempt}.db{end}" for attempt in range(4) for end in ("", ".id"))


def _shape(connection: sa.Connection) -> dict[str, object]:
    """Tables with their columns, keys and indexes, as SQLite tells them."""

    def ask(pragma: str, name: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in connection.exec_driver_sql(f"PRAGMA {pragma}('{name}')")]

    tables = connection.exec_driver_sql(
        "SELECT name, sql LIKE '%AUTOINCREMENT%', sql LIKE '%WITHOUT ROWID%' FROM sqlite_master "
        "WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    ).all()
    return {
        name: (
            *more,
            ask("table_info", name),
            ask("foreign_key_list", name),
            sorted((index[1], index[2], ask("index_info", index[1])) for index in ask("index_list", name)),
        )
        for name, *more in tables
    }


class TestOpening:
    def test_an_up_to_date_ledger_takes_neither_alembic_nor_pandas_and_few_milliseconds(
        self, url: str
    ) -> None:
        open_ledger(url).close()
        code = (
            "import sys, time\n"
            "from filebridge.ledger import connect, schema, files, plans, rows, calls, quantities\n"
            "times = []\n"
            "for _ in range(5):\n"
            "    start = time.perf_counter(); ledger = connect.open_ledger(sys.argv[1])\n"
            "    times.append(time.perf_counter() - start); ledger.close()\n"
            "print('alembic' in sys.modules, 'pandas' in sys.modules, min(times) < 0.015)"
        )
        assert output_of(code, url) == "False False True"

    def test_sets_what_keeps_commits_safe_on_every_connection(self, ledger: Ledger) -> None:
        wanted = {
            "journal_mode": "delete",
            "synchronous": 3,
            "foreign_keys": 1,
            "trusted_schema": 0,
            "cell_size_check": 1,
            "busy_timeout": 30_000,
            "application_id": APPLICATION_ID,
        }
        with ledger.begin() as writer, ledger.read() as reader:
            for connection in (writer, reader):
                found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in wanted}
                assert found == wanted

    def test_a_ledger_that_a_tool_has_put_into_wal_mode_takes_it_out_again(
        self, url: str, tmp_path: Path
    ) -> None:
        open_ledger(url).close()
        with sqlite3.connect(tmp_path / "ledger.db") as other:
            other.execute("PRAGMA journal_mode=WAL")
        other.close()
        ledger = open_ledger(url)
        with ledger.read() as connection:
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "delete"
        ledger.close()


class TestWhatIsNoLedgerIsSaidAndLeftAlone:
    def test_an_empty_file(self, url: str, tmp_path: Path) -> None:
        (tmp_path / "ledger.db").touch()
        for opened in (open_ledger, read_ledger):
            with pytest.raises(LedgerError, match=r"is empty \(0 bytes\).*latest backup"):
                opened(url)
        assert (tmp_path / "ledger.db").stat().st_size == 0

    @pytest.mark.parametrize("content", [b"PO,SKU\n1,2\n" * 400, b"SQLite format 3\x00" + b"\xff" * 5000])
    def test_bytes_that_are_no_database(self, url: str, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "ledger.db").write_bytes(content)
        for opened in (open_ledger, read_ledger):
            with pytest.raises(LedgerError, match=r"is damaged .*latest backup"):
                opened(url)
        assert (tmp_path / "ledger.db").read_bytes() == content

    def test_another_programs_database(self, url: str, tmp_path: Path) -> None:
        with sqlite3.connect(tmp_path / "ledger.db") as other:
            other.execute("CREATE TABLE ledger (id TEXT)")
        other.close()
        for opened in (open_ledger, read_ledger):
            with pytest.raises(LedgerError, match="is a database, but no ledger of FileBridge"):
                opened(url)

    def test_a_folder(self, url: str, tmp_path: Path) -> None:
        (tmp_path / "ledger.db").mkdir()
        with pytest.raises(LedgerError, match="is not a file"):
            open_ledger(url)

    def test_a_ledger_whose_pages_were_damaged(self, url: str, tmp_path: Path) -> None:
        ledger = open_ledger(url)
        with ledger.begin() as connection:
            for _ in range(2000):
                connection.exec_driver_sql(ASK)
        ledger.close()
        content = bytearray((tmp_path / "ledger.db").read_bytes())
        content[len(content) // 2 :] = os.urandom(len(content) - len(content) // 2)
        (tmp_path / "ledger.db").write_bytes(content)
        with pytest.raises(LedgerError, match="is damaged"):
            damaged = open_ledger(url)
            damaged.check()
        assert (tmp_path / "ledger.db").read_bytes() == content

    def test_a_ledger_of_a_newer_program(self, url: str) -> None:
        _set_version(url, "9999")
        for opened in (open_ledger, read_ledger):
            with pytest.raises(LedgerError, match=r"newer FileBridge \(version 9999, this one knows 0002\)"):
                opened(url)

    @pytest.mark.parametrize(
        "url", ["postgresql://db/fb", "sqlite://", "sqlite:///", "sqlite:///:memory:", "ledger.db"]
    )
    def test_an_address_that_names_no_sqlite_file(self, url: str) -> None:
        with pytest.raises(LedgerError, match=r"`ledger.url`.*Write `sqlite:///` and a path"):
            open_ledger(url)

    def test_the_address_of_another_database_is_not_repeated_with_its_password(self) -> None:
        with pytest.raises(LedgerError) as raised:
            open_ledger("postgresql://user:hunter2@db/fb")
        assert "hunter2" not in str(raised.value)


def _set_version(url: str, version: str) -> None:
    ledger = open_ledger(url)
    with ledger.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = ?", (version,))
    ledger.close()


class TestReading:
    def test_makes_no_ledger(self, url: str, tmp_path: Path) -> None:
        with pytest.raises(LedgerError, match=r"There is no ledger at .* yet: `filebridge run` makes it"):
            read_ledger(url)
        assert list(tmp_path.iterdir()) == []

    def test_migrates_no_ledger(self, url: str) -> None:
        _set_version(url, "0000")
        with pytest.raises(LedgerError, match=r"older FileBridge .*`filebridge run` brings it up to date"):
            read_ledger(url)

    def test_writes_nothing(self, ledger: Ledger, url: str) -> None:
        reader = read_ledger(url)
        with pytest.raises(LedgerError, match="cannot be written"), reader.begin() as connection:
            connection.exec_driver_sql(ASK)
        reader.close()

    def test_writes_nothing_in_the_ledger_of_a_writer_either(self, ledger: Ledger) -> None:
        with pytest.raises(LedgerError, match="cannot be written"), ledger.read() as connection:
            connection.exec_driver_sql(ASK)
        with ledger.begin() as connection:
            connection.exec_driver_sql(ASK)
        assert requests_in(ledger) == 1

    def test_goes_on_beside_a_writer_and_sees_what_was_committed(self, ledger: Ledger, url: str) -> None:
        reader = read_ledger(url)
        with ledger.begin() as connection:
            connection.exec_driver_sql(ASK)
            assert requests_in(reader) == 0
        assert requests_in(reader) == 1
        reader.close()


class TestTransactions:
    def test_are_kept_when_they_end_and_undone_when_they_raise(self, ledger: Ledger) -> None:
        with ledger.begin() as connection:
            connection.exec_driver_sql(ASK)
        with pytest.raises(ZeroDivisionError), ledger.begin() as connection:
            connection.exec_driver_sql(ASK)
            raise ZeroDivisionError
        assert requests_in(ledger) == 1

    def test_a_killed_process_leaves_what_was_committed_before(self, ledger: Ledger, url: str) -> None:
        with ledger.begin() as connection:
            connection.exec_driver_sql(ASK)
        # So much in one transaction that SQLite writes into the file before the commit.
        code = (
            "import sys, time\n"
            "from filebridge.ledger.connect import open_ledger\n"
            f"ask = {ASK!r}\n"
            "with open_ledger(sys.argv[1]).begin() as connection:\n"
            "    connection.exec_driver_sql('UPDATE request SET subject = ?', ('x' * 9_000_000,))\n"
            "    for _ in range(50_000): connection.exec_driver_sql(ask)\n"
            "    print('written', flush=True); time.sleep(60)"
        )
        writer = python(code, url)
        assert writer.stdout is not None
        assert writer.stdout.readline() == "written\n"
        assert ledger.path.with_name("ledger.db-journal").exists()
        writer.send_signal(signal.SIGKILL)
        writer.communicate(timeout=30)
        reader = read_ledger(url)
        with reader.read() as connection:
            assert connection.exec_driver_sql("SELECT subject FROM request").scalars().all() == ["f"]
        reader.check()
        reader.close()

    def test_of_two_processes_wait_for_each_other(self, ledger: Ledger, url: str) -> None:
        with ledger.begin() as connection:
            connection.exec_driver_sql("INSERT INTO sequence VALUES ('acme', 0)")
        code = (
            "import sys\n"
            "from filebridge.ledger.connect import open_ledger\n"
            "ledger = open_ledger(sys.argv[1])\n"
            "for _ in range(40):\n"
            "    with ledger.begin() as connection:\n"
            "        last = connection.exec_driver_sql('SELECT last FROM sequence').scalar_one()\n"
            "        connection.exec_driver_sql('UPDATE sequence SET last = ?', (last + 1,))"
        )
        writers = [python(code, url) for _ in range(2)]
        for writer in writers:
            assert writer.communicate(timeout=30)[1] == ""
        with ledger.read() as connection:
            assert connection.exec_driver_sql("SELECT last FROM sequence").scalar_one() == 80

    def test_say_that_another_program_keeps_the_ledger_locked(self, url: str, tmp_path: Path) -> None:
        open_ledger(url).close()
        ledger = open_ledger(url, busy_seconds=0.05)
        other = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        for transaction in (ledger.begin, ledger.read):
            with pytest.raises(LedgerError, match=r"is locked by another program.*nothing is lost"):  # noqa: SIM117
                with transaction() as connection:
                    connection.exec_driver_sql("SELECT * FROM request")
        other.execute("ROLLBACK")
        other.close()
        assert requests_in(ledger) == 0
        ledger.close()

    def test_say_that_the_disk_is_full_and_keep_what_was_there(self, ledger: Ledger) -> None:
        with ledger.begin() as connection:
            connection.exec_driver_sql(ASK)
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        with pytest.raises(LedgerError, match=r"is full. Make room and start again"):  # noqa: SIM117
            with ledger.begin() as connection:
                connection.exec_driver_sql("UPDATE request SET subject = ?", ("x" * 100_000,))
        assert requests_in(ledger) == 1

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user, for whom rights count")
    def test_say_that_the_folder_is_read_only_which_reading_does_not_mind(
        self, url: str, tmp_path: Path
    ) -> None:
        open_ledger(url).close()
        # One folder more where tests run beside each other.
        for path in (tmp_path, *tmp_path.parents[:3]):
            path.chmod(0o755)
        (tmp_path / "ledger.db").chmod(0o644)
        code = (
            "import os, sys\n"
            "from filebridge.errors import LedgerError\n"
            "from filebridge.ledger.connect import open_ledger, read_ledger\n"
            "import filebridge.ledger.schema, sqlalchemy.dialects.sqlite, alembic.command\n"
            "os.setuid(65534)\n"
            "with read_ledger(sys.argv[1]).read() as connection:\n"
            "    print(connection.exec_driver_sql('SELECT count(*) FROM file').scalar_one())\n"
            "for act in (lambda: open_ledger(sys.argv[1]).begin().__enter__(), lambda: open_ledger(sys.argv[2])):\n"
            "    try: act()\n"
            "    except LedgerError as error: print(error)\n"
        )
        counted, written, made = output_of(code, url, f"sqlite:///{tmp_path}/other.db").splitlines()
        assert counted == "0"
        assert "Let FileBridge's user write to it and to its folder" in written
        assert "cannot be made: Permission denied. Let FileBridge's user write in" in made

    def test_a_mistake_of_the_program_stays_what_it_is(self, ledger: Ledger) -> None:
        with pytest.raises(sa.exc.IntegrityError), ledger.begin() as connection:
            connection.exec_driver_sql("INSERT INTO row_block VALUES ('nobody', x'00')")
