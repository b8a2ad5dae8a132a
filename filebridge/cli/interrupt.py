"""Ctrl-C and SIGTERM: the call in flight is given a few seconds, then the command ends. A second one ends it at once.

The work itself looks at `stop` between its steps and while it waits for answers. What looks at nothing, such as a
read that hangs or a file that is being read, is broken off a little later: that is as a kill is, from which
every step goes on at the next start.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Final

import typer

from filebridge.cli import report
from filebridge.clock import SystemClock

SIGNALS = (signal.SIGINT, signal.SIGTERM)

_BREAK_OFF_SECONDS: Final = 4.5
"""After the signal: longer than a delivery waits for the answers of its calls."""
_END_SECONDS: Final = 8.0
"""After the signal: whatever still does not end is ended from outside."""


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
    """While the block runs, a signal asks the work to stop, and ends the clock's waits.

    Raises typer.Exit with the signal's exit code where the work had to be broken off.
    """
    interrupt = Interrupt()
    last: list[threading.Timer] = []

    def ask(number: int, frame: FrameType | None) -> None:
        if interrupt.stop.is_set():
            raise KeyboardInterrupt
        interrupt.number = number
        interrupt.stop.set()
        clock.stop()
        signal.setitimer(signal.ITIMER_REAL, _BREAK_OFF_SECONDS)
        timer = threading.Timer(_END_SECONDS, os._exit, [interrupt.exit_code])
        timer.daemon = True
        timer.start()
        last.append(timer)
        if number == signal.SIGINT:
            report.say("\nFinishing the call that is under way; Ctrl-C once more ends at once.")

    def break_off(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    former = {number: signal.signal(number, ask) for number in SIGNALS}
    former[signal.SIGALRM] = signal.signal(signal.SIGALRM, break_off)
    try:
        yield interrupt
    except KeyboardInterrupt:
        report.say("Interrupted. Nothing is lost: the next run continues where this one stopped.")
        raise typer.Exit(interrupt.exit_code if interrupt.number else 130) from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for timer in last:
            timer.cancel()
        for number, handler in former.items():
            signal.signal(number, handler)
