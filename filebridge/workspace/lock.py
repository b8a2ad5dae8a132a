"""The lock of a workspace: one `run`, `watch` or `worker` at a time."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from filebridge.errors import WorkspaceBusy

LOCK_FILE: Final = "lock"
HOLDER_FILE: Final = "lock.holder"


@contextlib.contextmanager
def hold(state: Path, *, now: datetime) -> Iterator[bool]:
    """Hold the lock in the folder `state` while the block runs; False where another process holds it.

    `now` is written down for those who ask who holds it. A killed holder leaves nothing that needs repair.
    """
    # 40 ms of import that reading commands do without.
    from filelock import FileLock, Timeout

    lock = FileLock(str(state / LOCK_FILE), timeout=0, mode=0o600)
    try:
        lock.acquire()
    except Timeout:
        yield False
        return
    holder = state / HOLDER_FILE
    try:
        written = json.dumps({"pid": os.getpid(), "since": now.isoformat(timespec="seconds")})
        holder.write_text(written, encoding="utf-8")
        yield True
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def busy(root: Path, state: Path) -> WorkspaceBusy:
    """The sentence for those who find the lock held."""
    who = ""
    try:
        holder = json.loads((state / HOLDER_FILE).read_text(encoding="utf-8"))
        who = f" (process {int(holder['pid'])}, since {holder['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        # Just taken or just let go: the lock counts, not what is written beside it.
        pass
    fix = "Wait until it has ended, or end it; commands that only read work beside it."
    return WorkspaceBusy(f"another FileBridge{who} is at work in {root}", fix=fix)
