"""Time, handed in: a schedule, a settle period and a back-off are tested without waiting."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = 1_000_000
"""Microseconds, the unit of every instant in columns and in the ledger."""


class Clock(Protocol):
    """What tells the time."""

    def now(self) -> int:
        """Microseconds since the epoch, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds on a clock that never jumps."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait. A clock that was told to stop returns at once."""
        ...


class SystemClock:
    """The machine's clock. `stop` ends every wait, so that a signal ends the program within seconds."""

    def __init__(self) -> None:
        self._stopped = threading.Event()

    def now(self) -> int:
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        self._stopped.wait(seconds)

    def stop(self) -> None:
        """End the present wait and all later ones."""
        self._stopped.set()


def to_micros(moment: datetime) -> int:
    """Microseconds since the epoch of a datetime with a zone. Raises ValueError for one without."""
    if moment.tzinfo is None:
        raise ValueError("a datetime without a zone is no instant")
    return (moment - EPOCH) // timedelta(microseconds=1)


def from_micros(micros: int) -> datetime:
    """The UTC datetime of microseconds since the epoch."""
    return EPOCH + timedelta(microseconds=micros)


def iso(micros: int) -> str:
    """An instant as the replies write it: `2026-11-24T06:00:00Z`, with a fraction only where there is one."""
    return from_micros(micros).isoformat().replace("+00:00", "Z")
