"""A drop folder, a work folder, and a clock that moves when it is told to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from filebridge.intake.claim import ClaimedFile, claim
from filebridge.intake.look import Inbox, scan
from filebridge.intake.settle import SettledFile

START = 1_795_500_000_000_000


@dataclass
class HandClock:
    """A clock that stands still but for `sleep`; `on_sleep` is what happens meanwhile."""

    at: float = 0.0
    on_sleep: Callable[[], None] = lambda: None
    slept: list[float] = field(default_factory=list)

    def now(self) -> int:
        return START + int(self.at * 1_000_000)

    def monotonic(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.on_sleep()
        self.at += seconds


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    path = tmp_path / "inbox" / "acme"
    path.mkdir(parents=True)
    return Inbox("acme", path)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    path = tmp_path / "work"
    path.mkdir(mode=0o700)
    return path


@dataclass
class Claims:
    """Claims what lies in the inbox, one file id after the other."""

    inbox: Inbox
    work: Path
    clock: HandClock
    count: int = 0

    def take(self, *, max_size: int = 1_000_000_000) -> list[ClaimedFile]:
        """Claim all that one look finds; what cannot be claimed is left out."""
        return [got for got in self.try_all(max_size=max_size) if isinstance(got, ClaimedFile)]

    def try_all(self, *, max_size: int = 1_000_000_000) -> list[object]:
        return [self.one(SettledFile(entry, 1), max_size=max_size) for entry in scan(self.inbox).entries]

    def one(self, settled: SettledFile, *, max_size: int = 1_000_000_000) -> object:
        self.count += 1
        return claim(
            settled, work=self.work, file_id=f"f{self.count:04d}", clock=self.clock, max_size=max_size
        )


@pytest.fixture
def claims(inbox: Inbox, work: Path, clock: HandClock) -> Claims:
    return Claims(inbox, work, clock)
