"""Claim: a copy that nobody else can change, made while hashing, and only then the name taken out of the inbox.

The protocol, each step durable before the next:

1. `claim` copies the file into `work/ID/` and compares its state before and after: neither a writer nor somebody
   who puts another file under the name can make a copy that never was.
2. The caller records the claim in the ledger.
3. `release.release_name` renames the inbox name into the claim folder, compares there, and deletes only what
   equals the copy.

A kill after 1 leaves a copy that the ledger does not know: it is swept, the file is still in the inbox. A kill
after 2 or in 3 is finished by `release.recover_claims`.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from filebridge import milestones
from filebridge.clock import Clock
from filebridge.errors import UserError
from filebridge.intake.folders import READ_NO_LINK, opened, opened_below, parts_of, sync_folder
from filebridge.intake.look import Entry, Inbox, Waiting, waiting
from filebridge.intake.names import safe_name
from filebridge.intake.settle import SettledFile
from filebridge.intake.writers import has_writer

_BLOCK: Final = 1 << 20
_NEW_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NOT_REMOVABLE: Final = errno.EPERM
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass(frozen=True)
class ClaimedFile:
    """A file of which `copy` is ours alone, whole and durable. Times are microseconds since the epoch, UTC."""

    file_id: str
    inbox: Inbox
    vendor: str
    name: str
    """Below the inbox, printable."""
    name_bytes: bytes
    place: bytes
    """Where it lay below the inbox (`Entry.place`)."""
    copy: Path
    sha256: str
    size: int
    modified_at: int
    received_at: int


def claim(
    settled: SettledFile, *, work: Path, file_id: str, clock: Clock, max_size: int
) -> ClaimedFile | Waiting:
    """Copy a settled file into `work/FILE_ID/` (mode 0700, the copy 0600), or say why it stays where it is.

    Nothing is copied of a file that is larger than `max_size` bytes, that changed since it settled, that somebody
    has open for writing, or that is no plain file of one name any more. Raises UserError where the disk has no
    room for the copy, OSError where it fails; then no copy is left behind.
    """
    entry = settled.entry
    if entry.size > max_size:
        return _too_large(entry, max_size)
    copy = copy_of(work, file_id, entry.name_bytes)
    try:
        source = _open_source(entry)
    except OSError as error:
        return _not_opened(entry, error)
    with os.fdopen(source, "rb", buffering=0):
        why = _why_not(entry, os.fstat(source))
        if why is not None:
            return why
        if has_writer(source):
            return _has_writer(entry)
        sha256 = _copy_whole(source, copy)
        why = _why_not(entry, os.fstat(source))
    if why is not None or copy.stat().st_size != entry.size:
        shutil.rmtree(copy.parent)
        return why or _changed(entry)
    milestones.reached("file.copied", file_id)
    return ClaimedFile(
        file_id=file_id,
        inbox=entry.inbox,
        vendor=entry.inbox.vendor,
        name=entry.name,
        name_bytes=entry.name_bytes,
        place=entry.place,
        copy=copy,
        sha256=sha256,
        size=entry.size,
        modified_at=entry.mtime_ns // 1000,
        received_at=clock.now(),
    )


def copy_of(work: Path, file_id: str, name_bytes: bytes) -> Path:
    """Where the copy of a claimed file lies until it is archived."""
    return work / file_id / safe_name(name_bytes)


def _open_source(entry: Entry) -> int:
    folders, leaf = parts_of(entry.place)
    with entry.inbox.opened() as top, opened_below(top, folders) as folder:
        # What could not be taken away afterwards would be taken again and again.
        for needed in (top, folder):
            if not os.access(".", os.W_OK | os.X_OK, dir_fd=needed, effective_ids=True):
                raise PermissionError(_NOT_REMOVABLE, "FileBridge may not remove files from its folder")
        return os.open(leaf, READ_NO_LINK, dir_fd=folder)


def _copy_whole(source: int, copy: Path) -> str:
    """Copy an open file into a folder of its own, or leave nothing behind; the hash of what was read."""
    copy.parent.mkdir(mode=0o700)
    try:
        return _copy(source, copy)
    except BaseException as error:
        shutil.rmtree(copy.parent, ignore_errors=True)
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            raise _no_room(copy.parent.parent) from error
        raise


def _copy(source: int, copy: Path) -> str:
    digest = hashlib.sha256()
    target = os.open(copy, _NEW_FILE, 0o600)
    with os.fdopen(target, "wb", buffering=0) as stream:
        while block := os.read(source, _BLOCK):
            digest.update(block)
            _write_all(stream.fileno(), block)
        os.fsync(stream.fileno())
    for path in (copy.parent, copy.parent.parent):
        with opened(path) as folder:
            sync_folder(folder)
    return digest.hexdigest()


def _write_all(target: int, block: bytes) -> None:
    view = memoryview(block)
    while view:
        view = view[os.write(target, view) :]


def _why_not(entry: Entry, status: os.stat_result) -> Waiting | None:
    """Why an open file is not the one that settled, or may not be taken."""
    if not stat.S_ISREG(status.st_mode):
        return waiting(entry, "unsafe_file", "It is no plain file any more.")
    if status.st_nlink > 1:
        return waiting(entry, "unsafe_file", "It has a second name somewhere else (a hard link).")
    found = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
    if found != entry.signature or status.st_dev != entry.dev:
        return _changed(entry)
    return None


def _changed(entry: Entry) -> Waiting:
    return waiting(
        entry,
        "still_changing",
        "It changed while it was being taken.",
        "Nothing, it is taken when it is quiet.",
    )


def _has_writer(entry: Entry) -> Waiting:
    return waiting(
        entry,
        "in_use",
        "A program still has it open for writing.",
        "Nothing, if it is still being written. Else end the program that has it open.",
    )


def _too_large(entry: Entry, max_size: int) -> Waiting:
    message = f"It has {entry.size:,} bytes; the largest that is taken is {max_size:,} (`intake.max_size`)."
    return waiting(entry, "too_large", message)


def _not_opened(entry: Entry, error: OSError) -> Waiting:
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return waiting(entry, "still_changing", "It was gone when it was to be taken.", "Nothing.")
    if error.errno in (errno.ELOOP, errno.ENXIO):
        return waiting(entry, "unsafe_file", "It is no plain file any more.")
    code = "not_removable" if error.errno == _NOT_REMOVABLE else "not_readable"
    fix = "Let FileBridge's user read the file and write its folder."
    return waiting(entry, code, f"It cannot be taken: {error.strerror}.", fix)


def _no_room(work: Path) -> UserError:
    return UserError(
        f"There is no room on the disk for another copy in {work}; the file stays in the inbox.",
        fix="Make room, or let `filebridge purge` do it. Nothing is lost.",
    )
