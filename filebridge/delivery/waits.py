"""When calls that had no answer are tried again, and when the whole channel rests."""

from __future__ import annotations

import heapq
import itertools
from typing import Final, Generic, TypeVar

T = TypeVar("T")

_FAILURES_THAT_PAUSE: Final = 3


class Waits(Generic[T]):
    """Calls that wait, by the time (monotonic seconds) from which they may go again.

    After some failures in a row, or when RetailOps asks for it, everything rests until the wait is over.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, T]] = []
        self._numbers = itertools.count()
        self._failures = 0
        self._resume_at = 0.0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, one: T, due: float, *, pauses: bool) -> None:
        """Have `one` wait until `due`; with `pauses` all others too."""
        heapq.heappush(self._waiting, (due, next(self._numbers), one))
        self._failures += 1
        if pauses or self._failures >= _FAILURES_THAT_PAUSE:
            self._resume_at = max(self._resume_at, due)

    def forget_failures(self) -> None:
        """An answer came."""
        self._failures = 0

    def is_resting(self, now: float) -> bool:
        return now < self._resume_at

    def take_due(self, now: float) -> list[T]:
        """Those whose wait is over, the longest waiting first."""
        due = []
        while self._waiting and self._waiting[0][0] <= now:
            due.append(heapq.heappop(self._waiting)[2])
        return due

    def take_all(self) -> list[T]:
        """All that wait."""
        found = [one for _, _, one in self._waiting]
        self._waiting = []
        return found

    def seconds(self, now: float, *, until_rested: bool) -> float:
        """Until something may go: the end of the rest where others are ready, else also the first wait."""
        due = self._resume_at if until_rested else max(self._resume_at, self._waiting[0][0])
        return max(0.0, due - now)
