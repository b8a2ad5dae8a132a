"""The sign of life of whoever holds the workspace: the time of a small file, set anew by a thread of its own.

A large file or a slow call may take longer than any heartbeat may be apart. The thread writes nothing into the
ledger: that has one writer, whose commits nobody delays.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

HEARTBEAT_FILE: Final = "heartbeat"
_EVERY_SECONDS: Final = 10.0


@contextlib.contextmanager
def beating(state: Path, *, by: str, every: float = _EVERY_SECONDS) -> Iterator[None]:
    """Show life in the folder `state` while the block runs. `by` is the pass that is told of: `watch 4711`.

    A disk that is full, or a folder that is gone, costs the sign and nothing else.
    """
    path = state / HEARTBEAT_FILE
    over = threading.Event()

    def beat() -> None:
        while True:
            with contextlib.suppress(OSError):
                _beat(path, by)
            if over.wait(every):
                return

    thread = threading.Thread(target=beat, name="filebridge-heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(timeout=1)
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def last_beat(state: Path, *, by: str) -> int | None:
    """When that pass last showed life, microseconds UTC; None where this file says nothing of it."""
    try:
        with (state / HEARTBEAT_FILE).open(encoding="utf-8", errors="replace") as stream:
            return os.fstat(stream.fileno()).st_mtime_ns // 1000 if stream.read(200) == by else None
    except OSError:
        return None


def _beat(path: Path, by: str) -> None:
    """Written once; then only its time is set, which takes no room on a disk."""
    try:
        is_ours = path.read_text(encoding="utf-8", errors="replace") == by
    except FileNotFoundError:
        is_ours = False
    if is_ours:
        os.utime(path)
        return
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
        stream.write(by)
