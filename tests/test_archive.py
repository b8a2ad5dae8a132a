"""The archive keeps the original under its own name, and what was answered."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from filebridge.archive import ArchivedFile, Write, archive_file, folder_of
from filebridge.errors import UserError

BYTES = b"vpc,quantity\nA,1\n"
SHA256 = hashlib.sha256(BYTES).hexdigest()
RECEIVED = 1_795_521_600_000_000
FOLDER = folder_of("acme", file_id="fbcdfghjkm", received_at=RECEIVED)


def says(text: str) -> Write:
    return lambda stream: stream.write(text.encode()) and None


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    path = tmp_path / "work" / "fbcdfghjkm" / "inventory.csv"
    path.parent.mkdir(parents=True)
    path.write_bytes(BYTES)
    return path


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "archive"
    path.mkdir()
    return path


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """An archive on another file system."""
    path = Path("/dev/shm") / f"filebridge-archive-{os.getpid()}"
    if not path.parent.is_dir() or path.parent.stat().st_dev == Path("/tmp").stat().st_dev:
        pytest.skip("there is no second file system here")
    path.mkdir()
    yield path
    shutil.rmtree(path)


def file_away(copy: Path, archive: Path, **replies: str) -> ArchivedFile:
    return archive_file(
        copy,
        archive,
        folder=FOLDER,
        file_id="fbcdfghjkm",
        sha256=SHA256,
        replies={name.replace("__", "."): says(text) for name, text in replies.items()},
    )


def test_the_folder_is_the_day_and_the_file(copy: Path, archive: Path) -> None:
    assert FOLDER == "acme/2026-11-24/fbcdfghjkm"
    archived = file_away(copy, archive, inventory__csv__receipt__txt="all delivered")
    assert archived == ArchivedFile("fbcdfghjkm", FOLDER, archive / FOLDER / "inventory.csv")
    assert {path.name: path.read_bytes() for path in (archive / FOLDER).iterdir()} == {
        "inventory.csv": BYTES,
        "inventory.csv.receipt.txt": b"all delivered",
    }
    assert not copy.parent.exists()


def test_what_is_archived_is_ours_alone(copy: Path, archive: Path) -> None:
    copy.chmod(0o644)
    file_away(copy, archive, a__txt="x")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in archive.rglob("*") if path.is_file()}
    assert modes == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in archive.rglob("*") if path.is_dir()} == {0o700}


def test_another_file_system_gets_a_copy_that_was_read_again(copy: Path, elsewhere: Path) -> None:
    archived = file_away(copy, elsewhere, a__txt="x")
    assert archived.original.read_bytes() == BYTES
    assert not copy.exists()
    assert sorted(path.name for path in (elsewhere / FOLDER).iterdir()) == ["a.txt", "inventory.csv"]


def test_doing_it_again_changes_nothing(copy: Path, archive: Path) -> None:
    assert file_away(copy, archive, a__txt="x") == file_away(copy, archive, a__txt="x")


def test_a_kill_between_copy_and_removal_on_another_file_system_leaves_one_original(
    copy: Path, elsewhere: Path
) -> None:
    target = elsewhere / FOLDER
    target.mkdir(parents=True)
    (target / "inventory.csv").write_bytes(BYTES)
    (target / "inventory.csv.part").write_bytes(b"half of it")
    file_away(copy, elsewhere)
    assert not copy.exists()
    assert (target / "inventory.csv").read_bytes() == BYTES


def test_an_archived_file_that_was_taken_up_again_stays_where_it_is(copy: Path, archive: Path) -> None:
    original = file_away(copy, archive).original
    (original.parent / "link").symlink_to(original.parent)
    for path in (original, original.parent / "link" / original.name):
        assert file_away(path, archive, a__txt="released").original.read_bytes() == BYTES


def test_a_receipt_that_is_written_again_takes_the_older_ones_place(copy: Path, archive: Path) -> None:
    file_away(copy, archive, r__json="pending")
    file_away(copy, archive, r__json="accepted", rejects__csv="A")
    assert (archive / FOLDER / "r.json").read_text() == "accepted"
    assert (archive / FOLDER / "rejects.csv").read_text() == "A"


def test_a_reply_that_breaks_off_leaves_the_older_one(copy: Path, archive: Path) -> None:
    file_away(copy, archive, r__json="pending")

    def breaks_off(stream: BinaryIO) -> None:
        stream.write(b"half")
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        archive_file(copy, archive, folder=FOLDER, file_id="f", sha256=SHA256, replies={"r.json": breaks_off})
    assert [path.name for path in sorted((archive / FOLDER).iterdir())] == ["inventory.csv", "r.json"]
    assert (archive / FOLDER / "r.json").read_text() == "pending"


def test_nothing_else_is_ever_written_over(copy: Path, archive: Path) -> None:
    (archive / FOLDER).mkdir(parents=True)
    (archive / FOLDER / "inventory.csv").write_text("something else")
    with pytest.raises(UserError, match="holds something else"):
        file_away(copy, archive)
    assert copy.read_bytes() == BYTES
    with pytest.raises(ValueError, match="no name for a reply"):
        file_away(copy, archive, inventory__csv="x")
