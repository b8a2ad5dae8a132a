"""A bug in one unit of work: written down once for those who mend it, and the others go on."""

from __future__ import annotations

import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path

from filebridge import __version__
from filebridge.errors import Problem


class Bugs:
    """The bugs that this process met: the same one, at the same place, has one report file."""

    def __init__(self) -> None:
        self._reports: dict[str, Path | None] = {}

    def met(self, error: Exception, *, logs: Path, place: str) -> Problem:
        """What is said of it. `place` is whose work it was; the report goes into the folder `logs`."""
        text = report_text(error)
        if text not in self._reports:
            self._reports[text] = write_report(text, logs)
        path = self._reports[text]
        fix = f"Please send the file {path} to its makers." if path else "Its report could not be written."
        return Problem(place, f"FileBridge has a bug here: {type(error).__name__}. Nothing is lost.", fix)


def report_text(error: Exception) -> str:
    """The traceback without values: neither the key nor anything that a file held can be in it."""
    frames = "".join(traceback.format_list(traceback.extract_tb(error.__traceback__)))
    return f"filebridge {__version__}, python {sys.version.split()[0]}\n{frames}{type(error).__name__}\n"


def write_report(text: str, logs: Path) -> Path | None:
    """Write a report file into the folder `logs`; None where that cannot be done."""
    now = datetime.now(UTC)
    try:
        logs.mkdir(exist_ok=True, mode=0o700)
        path = logs / f"filebridge-bug-{now:%Y%m%dT%H%M%S%f}.txt"
        path.write_text(f"{now.isoformat()}\n{text}", encoding="utf-8")
    except OSError:
        return None
    return path
