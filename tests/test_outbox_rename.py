"""Publishing is one rename: the file that appears is the staged one itself, complete before anybody sees it."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from filebridge import outbox as box

CONTENT = b"PO,Item,Qty\r\n" + b"D1,00120,2\r\n" * 400_000
_LOOKS = 8


@pytest.fixture
def outbox(tmp_path: Path) -> Path:
    folder = tmp_path / "outbox" / "acme"
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize("replace", [False, True])
def test_what_appears_is_the_staged_file_itself(outbox: Path, replace: bool) -> None:
    staged = box.stage(outbox, "PO_1.csv", lambda stream: stream.write(b"D1") and None)
    before = os.stat(outbox / box.STAGING / "PO_1.csv")
    published = box.publish(staged, outbox / "orders", replace=replace).stat()
    assert (published.st_dev, published.st_ino) == (before.st_dev, before.st_ino)
    assert (published.st_size, published.st_mtime_ns) == (before.st_size, before.st_mtime_ns)


def test_whoever_looks_all_the_time_never_sees_a_part(outbox: Path) -> None:
    folder = outbox / "orders"
    folder.mkdir()
    sizes: list[int] = []
    ends = threading.Event()

    def look() -> None:
        while not ends.is_set():
            sizes.extend(entry.stat().st_size for entry in os.scandir(folder))

    looker = threading.Thread(target=look)
    looker.start()
    try:
        for number in range(_LOOKS):
            box.publish(
                box.stage(outbox, f"PO_{number}.csv", lambda stream: stream.write(CONTENT) and None), folder
            )
    finally:
        ends.set()
        looker.join()
    assert set(sizes) <= {len(CONTENT)}


def test_a_file_is_on_the_disk_before_it_is_published_and_its_folder_after(
    outbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut cannot be played; what is asked of the disk, and when, can be watched."""
    synced: list[int] = []
    real = os.fsync

    def watched(opened: int) -> None:
        synced.append(os.fstat(opened).st_ino)
        real(opened)

    monkeypatch.setattr(os, "fsync", watched)
    staging, folder = outbox / box.STAGING, outbox / "orders"
    staged = box.stage(outbox, "PO_1.csv", lambda stream: stream.write(b"D1") and None)
    assert (staging / "PO_1.csv").stat().st_ino in synced
    assert synced[-1] == staging.stat().st_ino
    synced.clear()
    box.publish(staged, folder)
    assert {folder.stat().st_ino, staging.stat().st_ino} <= set(synced)
