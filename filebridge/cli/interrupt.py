"""Ctrl-C and SIGTERM: the call in flight is finished, then the command ends. A second one ends it at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

from filebridge.cli import report
from filebridge.clock import SystemClock

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass
class Interrupt:
    """Whether the command was asked to end. `stop` is what the work looks at; `number` is the signal, 0 for none."""

    stop: threading.Event = field(default_factory=threading.Event)
    number: int = 0

    @property
    def exit_code(self) -> int:
        """128 and the signal's number, as shells count: 130 for Ctrl-C, 143 for SIGTERM."""
        return 128 + self.number


@contextmanager
def interruptible(clock: SystemClock) -> Iterator[Interrupt]:
    """While the block runs, a signal asks the work to stop, and ends the clock's waits."""
    interrupt = Interrupt()

    def ask(number: int, frame: FrameType | None) -> None:
        if interrupt.stop.is_set():
            raise KeyboardInterrupt
        interrupt.number = number
        interrupt.stop.set()
        clock.stop()
        if number == signal.SIGINT:
            report.say("\nFinishing the call that is under way; Ctrl-C once more ends at once.")

    former = {number: signal.signal(number, ask) for number in SIGNALS}
    try:
        yield interrupt
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
