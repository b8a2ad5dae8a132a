"""The reader: small text in place, all else in a child whose end is a refusal of that file and of no other."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from openpyxl import Workbook

from filebridge import reader as reading
from filebridge.errors import FileRefused
from filebridge.mapping.load import load_mapping
from filebridge.mapping.pack import FeedMapping
from filebridge.reader import NeedsOriginals, Reader, ReadJob, child

MAPPING = "document: inventory\nfields: {vpc: SKU, quantity: Qty}\n"


@pytest.fixture
def reader() -> Iterator[Reader]:
    with Reader() as made:
        yield made


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """The child processes that were started."""
    made: list[subprocess.Popen[bytes]] = []
    start = child._start

    def remember() -> subprocess.Popen[bytes]:
        made.append(start())
        return made[-1]

    monkeypatch.setattr(child, "_start", remember)
    return made


def job_of(path: Path) -> ReadJob:
    feed = FeedMapping(
        "inventory", "mappings/acme/inventory.yaml", load_mapping(MAPPING, "inventory.yaml"), "sha"
    )
    return ReadJob(path, path.name, path.parent / "spool", "27", "UTC", 1_800_000_000_000_000, feed)


def a_workbook(folder: Path) -> Path:
    book = Workbook()
    for row in (("SKU", "Qty"), ("A-1", 3), ("A-2", "x")):
        book.active.append(row)
    path = folder / "stock.xlsx"
    book.save(path)
    return path


def quantities(read: reading.ReadFile) -> dict[str, int]:
    found: dict[str, int] = {}
    for batch in read.records():
        found |= dict(zip(batch.column("vpc").to_pylist(), batch.column("quantity").to_pylist(), strict=True))
    return found


def test_small_text_is_read_in_place(tmp_path: Path, reader: Reader, started: list[object]) -> None:
    path = tmp_path / "stock.csv"
    path.write_text("SKU,Qty\nA-1,3\n")
    assert quantities(reader.read(job_of(path))) == {"A-1": 3}
    assert started == []


def test_a_workbook_is_read_in_a_child_and_comes_back_whole(
    tmp_path: Path, reader: Reader, started: list[object]
) -> None:
    job = job_of(a_workbook(tmp_path))
    read = reader.read(job)
    here = reading.read_here(replace(job, spool=tmp_path / "here"))
    assert len(started) == 1
    assert quantities(read) == {"A-1": 3}
    assert [batch.to_pydict() for batch in read.rejects()] == [batch.to_pydict() for batch in here.rejects()]
    assert vars(read.mapped).keys() == vars(here.mapped).keys()
    assert replace(read.mapped, runs=here.mapped.runs) == here.mapped


def test_a_job_that_was_begun_is_only_waited_for(
    tmp_path: Path, reader: Reader, started: list[object]
) -> None:
    job = job_of(a_workbook(tmp_path))
    reader.begin(job)
    assert quantities(reader.read(job)) == {"A-1": 3}
    assert len(started) == 1
    assert quantities(reader.read(job)) == {"A-1": 3}
    assert len(started) == 2


def test_a_child_that_is_killed_refuses_its_file_and_the_next_one_is_read(
    tmp_path: Path, reader: Reader, started: list[subprocess.Popen[bytes]]
) -> None:
    job = job_of(a_workbook(tmp_path))
    reader.warm()
    started[0].send_signal(signal.SIGKILL)
    with pytest.raises(FileRefused, match="more time or memory") as refused:
        reader.read(job)
    assert refused.value.code == "unsafe_file"
    assert quantities(reader.read(job)) == {"A-1": 3}


def test_a_child_ends_with_its_parent(tmp_path: Path) -> None:
    code = (
        "import os, time; from filebridge.reader import Reader\n"
        "r = Reader(); r.warm(); print(r._child.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.communicate()
    for _ in range(100):
        if not _is_alive(pid):
            return
        signal.sigtimedwait([], 0.05)
    pytest.fail("the child outlived its parent")


def _is_alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


def test_a_refusal_and_a_need_come_through_from_the_child(tmp_path: Path, reader: Reader) -> None:
    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(a_workbook(tmp_path).read_bytes()[:1000])
    with pytest.raises(FileRefused) as refused:
        reader.read(job_of(broken))
    assert refused.value.code == "incomplete_file"
    rejects = Workbook()
    rejects.active.append(("SKU", "Qty", "fb_row", "fb_column", "fb_code", "fb_message", "fb_file"))
    rejects.active.append(("A-2", "4", "3", "Qty", "bad_number", "'x' is no number", "fb2k4mnpqr"))
    rejects.save(tmp_path / "rejects.xlsx")
    with pytest.raises(NeedsOriginals) as needs:
        reader.read(job_of(tmp_path / "rejects.xlsx"))
    assert needs.value.file_ids == ("fb2k4mnpqr",)


def test_a_fault_of_our_own_refuses_the_file_and_says_so(
    tmp_path: Path, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "stock.csv"
    path.write_text("SKU,Qty\nA-1,3\n")

    def fault(*_: object, **__: object) -> None:
        raise ZeroDivisionError("Jane Doe")

    monkeypatch.setattr("filebridge.mapping.apply.map_table", fault)
    with pytest.raises(FileRefused, match="by a fault of its own") as refused:
        reader.read(job_of(path))
    assert "ZeroDivisionError" in refused.value.message
    assert "Jane" not in refused.value.message


def test_the_child_is_given_no_secret_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETAILOPS_API_KEY", "very-secret")
    with Reader() as reader:
        reader.warm()
        assert reader._child is not None
        environment = Path(f"/proc/{reader._child.pid}/environ")
        assert b"very-secret" not in environment.read_bytes()
