"""A ledger that was there and is gone is missed; one that damage has befallen is known by looking."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from filebridge.errors import LedgerError
from filebridge.ledger import connect, health
from filebridge.ledger.connect import has_ledger, open_ledger, read_ledger
from filebridge.ledger.faults import LedgerDamaged, LedgerGone, LedgerOutdated
from filebridge.ledger.health import look_over
from filebridge.ledger.traces import marker_of

ASK = "INSERT INTO request (kind, subject, asked_at, asked_by) VALUES ('release', 'f', 1, 'me')"


@pytest.fixture
def path(url: str, tmp_path: Path) -> Path:
    """A ledger with some pages in it, closed."""
    ledger = open_ledger(url)
    with ledger.begin() as connection:
        for _ in range(2000):
            connection.exec_driver_sql(ASK)
    ledger.close()
    return tmp_path / "ledger.db"


class TestALedgerThatIsGone:
    def test_is_not_made_anew(self, url: str, path: Path) -> None:
        path.unlink()
        for opened in (open_ledger, read_ledger):
            with pytest.raises(LedgerGone, match=r"is gone, and .*ledger\.db\.id shows.*check --rebuild"):
                opened(url)
        assert has_ledger(url) and not path.exists()

    def test_is_known_by_what_is_archived(self, url: str, tmp_path: Path) -> None:
        original = tmp_path / "archive/acme/2026-11-23/fbcdfghjkm/stock.csv"
        original.parent.mkdir(parents=True)
        original.write_text("SKU\n")
        with pytest.raises(LedgerGone, match=r"fbcdfghjkm/stock\.csv shows that there was one"):
            open_ledger(url, archive=tmp_path / "archive")
        assert not (tmp_path / "ledger.db").exists()

    def test_is_not_replaced_by_a_copy_that_is_older_than_the_archive(self, url: str, path: Path) -> None:
        archive = path.parent / "archive"
        original = archive / "acme/2026-11-23/fbcdfghjkm/stock.csv"
        original.parent.mkdir(parents=True)
        # What a full disk has left is no file.
        open_ledger(url, archive=archive).close()
        original.write_text("SKU\n")
        for opened in (lambda: open_ledger(url, archive=archive), lambda: look_over(path, archive=archive)):
            with pytest.raises(LedgerOutdated, match=r"does not know .*fbcdfghjkm.*check --rebuild"):
                opened()

    def test_is_none_where_the_archive_holds_nothing(self, url: str, tmp_path: Path) -> None:
        (tmp_path / "archive/acme").mkdir(parents=True)
        (tmp_path / "archive/README.txt").write_text("Originals.\n")
        open_ledger(url, archive=tmp_path / "archive").close()

    def test_is_none_where_its_maker_was_killed_before_it_had_its_name(
        self, url: str, tmp_path: Path
    ) -> None:
        (tmp_path / ".ledger.db.new").write_bytes(b"half")
        open_ledger(url).close()
        assert marker_of(tmp_path / "ledger.db").exists()

    def test_gets_the_marker_that_an_older_filebridge_did_not_write(self, url: str, path: Path) -> None:
        marker_of(path).unlink()
        ledger = open_ledger(url)
        assert marker_of(path).read_text().split()[0] == ledger.id
        ledger.close()

    def test_is_not_replaced_by_that_of_another_workspace(self, url: str, path: Path, tmp_path: Path) -> None:
        open_ledger(f"sqlite:///{tmp_path}/other.db").close()
        (tmp_path / "other.db").replace(path)
        with pytest.raises(LedgerError, match="is another ledger than the one that was kept here"):
            open_ledger(url)
        marker_of(path).unlink()
        open_ledger(url).close()


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _no_database(path: Path) -> None:
    path.write_bytes(b"PO,SKU\n1,2\n" * 400)


def _bad_pages(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2 :] = os.urandom(len(content) - len(content) // 2)
    path.write_bytes(content)


def _cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _of_another_program(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE ledger (id TEXT)")
    other.close()


def _newer(path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute("UPDATE alembic_version SET version_num = '9999'")
    other.close()


def _no_tables(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as other:
        other.execute(f"PRAGMA application_id={health.APPLICATION_ID}")
        other.execute("CREATE TABLE other (id TEXT)")
    other.close()


@pytest.mark.parametrize(
    ("damage", "kind", "words"),
    [
        (_empty, LedgerDamaged, r"empty \(0 bytes\).*check --rebuild"),
        (
            _no_database,
            LedgerDamaged,
            r"is damaged \(file is not a database\).*latest backup.*check --rebuild",
        ),
        (_bad_pages, LedgerDamaged, "is damaged .*check --rebuild"),
        (_cut, LedgerDamaged, "is damaged .*check --rebuild"),
        (_no_tables, LedgerDamaged, "is damaged .*check --rebuild"),
        (_of_another_program, LedgerError, "is a database, but no ledger of FileBridge. Move it away"),
        (
            _newer,
            LedgerError,
            r"by a newer FileBridge \(version 9999, this one knows .*Use the newer program",
        ),
        (Path.unlink, LedgerGone, "is gone"),
    ],
)
def test_damage_is_seen_by_looking_over_the_ledger(
    path: Path, damage: Callable[[Path], None], kind: type[LedgerError], words: str
) -> None:
    assert look_over(path)
    damage(path)
    before = path.read_bytes() if path.exists() else None
    with pytest.raises(LedgerError, match=words) as raised:
        look_over(path)
    assert type(raised.value) is kind
    assert (path.read_bytes() if path.exists() else None) == before


def test_any_byte_of_the_tables_that_is_flipped_is_seen_or_does_no_harm(url: str, path: Path) -> None:
    """Whatever happens to a page, the answer is a sentence or a ledger that can be read."""
    whole = path.read_bytes()
    for place in range(0, len(whole), len(whole) // 120 - 1):
        content = bytearray(whole)
        content[place] ^= 0xFF
        path.write_bytes(content)
        for looked in (lambda: look_over(path), lambda: read_ledger(url).close()):
            try:
                looked()
            except LedgerError as error:
                assert str(path) in str(error)


def test_looking_works_beside_a_writer_and_is_quick(url: str, path: Path) -> None:
    ledger = open_ledger(url)
    with ledger.begin() as connection:
        connection.exec_driver_sql(ASK)
        start = time.perf_counter()
        assert look_over(path)
        assert time.perf_counter() - start < 0.3
    ledger.close()


def test_looking_ends_in_time_and_says_that_it_was_not_all(path: Path) -> None:
    assert not look_over(path, most_seconds=-1)


def test_the_newest_version_is_told_without_alembic() -> None:
    assert health.newest_version() == connect.HEAD
