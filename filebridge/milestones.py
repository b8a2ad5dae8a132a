"""The recorded steps of the two units of work.

`reached` is called after each step whose effect outlives the process. It writes a line to the log, and it is
the one place where a test can stop the process for real: `observe` is handed every step.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

logger = logging.getLogger("filebridge.milestones")

Observer = Callable[[str], None]

_observers: list[Observer] = []


def observe(observer: Observer) -> None:
    """Have `observer` called with the name of each step, in order of calling `observe`."""
    _observers.append(observer)


def reached(step: str, subject: str = "") -> None:
    """Say that `step` has happened to `subject` (a file id, a PO file, a call): never a name or an address."""
    logger.debug("reached", extra={"step": step, "subject": subject})
    for observer in _observers:
        observer(step)
