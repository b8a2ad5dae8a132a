"""A trigger file goes once the file that it speaks of is taken.

Its sender may put a newer one under its name at any moment. So it is renamed into the claim folder first, and
looked at there: what is not the one that was seen goes back.
"""

from __future__ import annotations

import os
from contextlib import ExitStack, suppress
from typing import Final

from filebridge.intake.folders import opened_below, parts_of
from filebridge.intake.look import CLAIM_FOLDER, Inbox, Trigger

_DONE: Final = (CLAIM_FOLDER, b"done")


def remove_trigger(inbox: Inbox, trigger: Trigger, file_id: str) -> None:
    """Take a trigger file out of its inbox. One that stays, or is stuck, is older than the next file of its name."""
    folders, leaf = parts_of(trigger.name_bytes)
    kept = os.fsencode(file_id)
    with suppress(OSError), ExitStack() as stack:
        top = stack.enter_context(inbox.opened())
        source = stack.enter_context(opened_below(top, folders))
        done = stack.enter_context(opened_below(top, _DONE, make=True))
        os.rename(leaf, kept, src_dir_fd=source, dst_dir_fd=done)
        found = os.stat(kept, dir_fd=done, follow_symlinks=False)
        if (found.st_ino, found.st_mtime_ns) == (trigger.inode, trigger.mtime_ns):
            os.unlink(kept, dir_fd=done)
        else:
            os.rename(kept, leaf, src_dir_fd=done, dst_dir_fd=source)


def clear_triggers(top: int) -> None:
    """Remove what a kill left half removed, below the open inbox `top`."""
    with suppress(OSError), opened_below(top, _DONE) as done:
        for name in os.listdir(done):
            os.unlink(name, dir_fd=done)
