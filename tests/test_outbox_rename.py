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
