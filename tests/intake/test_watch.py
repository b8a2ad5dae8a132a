"""Events wake the scan; what they miss, the time-out finds."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from watchdog.observers.api import BaseObserver

from filebridge.clock import SystemClock
from filebridge.intake.watch import Waker

LONG = 20.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "inbox"
    path.mkdir()
    return path


@pytest.fixture
def waker(folder: Path) -> Iterator[Waker]:
    waker = Waker([folder], clock=SystemClock())
    waker.wait(0)
    settle(waker)
    yield waker
    waker.close()


def settle(waker: Waker) -> None:
    """Let the events of what was done so far pass."""
    while wait(waker, 0.5) < 0.5:
        pass


def wait(waker: Waker, timeout: float = LONG) -> float:
    start = time.monotonic()
    waker.wait(timeout)
    return time.monotonic() - start


def later(act: object, *args: object) -> None:
    threading.Timer(0.1, act, args).start()  # type: ignore[arg-type]


def test_a_dropped_file_ends_the_wait(waker: Waker, folder: Path) -> None:
    later((folder / "a.csv").write_text, "1")
    assert wait(waker) < 5


def test_a_file_renamed_into_the_inbox_ends_the_wait(waker: Waker, folder: Path, tmp_path: Path) -> None:
    beside = tmp_path / "beside"
    beside.write_text("1")
    later(beside.rename, folder / "a.csv")
    assert wait(waker) < 5


def test_a_file_in_a_new_folder_ends_the_wait(waker: Waker, folder: Path) -> None:
    (folder / "stock").mkdir()
    settle(waker)
    later((folder / "stock" / "a.csv").write_text, "1")
    assert wait(waker) < 5


def test_being_told_ends_the_wait_and_is_not_remembered_twice(waker: Waker) -> None:
    waker.set()
    assert waker.wait(LONG) is True
    assert waker.wait(0.5) is False


def test_looking_and_claiming_do_not_wake_it(waker: Waker, folder: Path) -> None:
    (folder / ".filebridge" / "claimed").mkdir(parents=True)
    (folder / "a.csv").write_text("1")
    settle(waker)
    (folder / "a.csv").read_text()
    (folder / ".filebridge" / "claimed" / "x").write_text("1")
    (folder / "a.csv").rename(folder / ".filebridge" / "claimed" / "a.csv")
    assert wait(waker, 0.5) >= 0.5


def test_a_folder_that_was_replaced_is_watched_anew(waker: Waker, folder: Path, tmp_path: Path) -> None:
    folder.rename(tmp_path / "old")
    folder.mkdir()
    waker.wait(0)
    settle(waker)
    later((folder / "a.csv").write_text, "1")
    assert wait(waker) < 5


def test_a_folder_that_comes_back_is_watched_and_looked_at_at_once(waker: Waker, folder: Path) -> None:
    folder.rmdir()
    settle(waker)
    folder.mkdir()
    assert wait(waker) < 5


def test_an_observer_that_died_is_replaced(waker: Waker, folder: Path) -> None:
    (observer,) = (thread for thread in threading.enumerate() if isinstance(thread, BaseObserver))
    observer.stop()
    observer.join()
    waker.wait(0)
    settle(waker)
    later((folder / "a.csv").write_text, "1")
    assert wait(waker) < 5


def test_polling_starts_no_observer(folder: Path) -> None:
    waker = Waker([folder], clock=SystemClock(), poll=True)
    (folder / "a.csv").write_text("1")
    assert wait(waker, 0.3) >= 0.3
    assert not any(isinstance(thread, BaseObserver) for thread in threading.enumerate())
