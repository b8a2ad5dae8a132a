"""The inbox name of a claimed file goes, and nothing that was put under it meanwhile.

A sender may rename a newer file over the name at any moment, also between a last look and an unlink: what is
looked at must first be where no sender can reach it. So the name is renamed into the claim folder of the inbox,
`.filebridge/claimed/ID/NAME`, whatever it holds by now, and compared there. What equals the copy is deleted.
What differs is an arrival of its own: its folder `claimed/ID` becomes `arrived/ID` by one rename, and the next
scan finds the file there under the name that it came with. It is not put back into the inbox, where a third file
may lie under that name already: so there is one way, and it needs no step that a file system might lack.

After a kill the same two steps are done again. `claimed/ID` still there: compare. Not there: the name was either
never renamed, and then holds what was copied, or is dealt with, and then holds something else or nothing.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol

from filebridge import milestones
from filebridge.intake.claim import ClaimedFile, copy_of
from filebridge.intake.folders import (
    READ_NO_LINK,
    opened_below,
    parts_of,
    remove_empty,
    sync_folder,
)
from filebridge.intake.look import ARRIVED, CLAIM_FOLDER, CLAIMED, Inbox
from filebridge.intake.trigger import clear_triggers

_CLAIMED: Final = (CLAIM_FOLDER, CLAIMED)
_ARRIVED: Final = (CLAIM_FOLDER, ARRIVED)
_MAY_NOT: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY, errno.EXDEV})
_README: Final = b"README.txt"
_README_TEXT: Final = b"""FileBridge keeps here, for a moment, what it takes out of this inbox.
Nothing in here needs your care; please change and delete nothing.
"""


class Release(StrEnum):
    """What became of an inbox name."""

    REMOVED = "removed"
    """It held what was copied, and is gone."""
    ARRIVED = "arrived"
    """It held something else, which is a new arrival: the next look finds it."""
    GONE = "gone"
    """Nothing was there any more."""
    STUCK = "stuck"
    """It may not be removed: the claim stays unfinished, and the name is tried again with the next recovery."""


class RecordedClaim(Protocol):
    """A claim as the ledger has it (`ledger.files.FileRow`). Times are microseconds since the epoch, UTC."""

    @property
    def id(self) -> str: ...
    @property
    def vendor(self) -> str: ...
    @property
    def name_bytes(self) -> bytes: ...
    @property
    def sha256(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def modified_at(self) -> int: ...


@dataclass(frozen=True)
class Recovery:
    """What was finished after a kill, by file id."""

    released: tuple[str, ...]
    """Claims whose name is dealt with: the caller records them as taken."""
    stuck: tuple[str, ...]
    """Claims whose name is still there and may not be removed, or whose inbox or copy cannot be reached."""
    swept: tuple[str, ...]
    """Copies that the ledger does not know; they are removed, their files still lie in the inbox."""


@dataclass(frozen=True)
class _Name:
    """An inbox name that is to go, and what it held when it was copied."""

    file_id: str
    place: bytes
    name_bytes: bytes
    size: int
    sha256: str

    @property
    def claimed(self) -> tuple[bytes, ...]:
        """The folder in which it is compared, below the inbox."""
        return (*_CLAIMED, os.fsencode(self.file_id), *parts_of(self.name_bytes)[0])


def release_name(claimed: ClaimedFile) -> Release:
    """Take the name of a claimed file out of its inbox. Only to be called once the ledger has the claim.

    Raises OSError where the disk fails; `recover_claims` then finishes it.
    """
    name = _Name(claimed.file_id, claimed.place, claimed.name_bytes, claimed.size, claimed.sha256)
    with claimed.inbox.opened() as top:
        return _release(top, name)


def recover_claims(
    inboxes: Iterable[Inbox],
    *,
    work: Path,
    unfinished: Sequence[RecordedClaim],
    find: Callable[[str], RecordedClaim | None],
) -> Recovery:
    """Finish what a kill left between copy, record and release; to be called before the first scan of a pass.

    `unfinished` are the claims that the ledger has as claimed and not yet as taken; `find` is the ledger's
    claim of an id, however far it has come, or None. Doing it again changes nothing.
    """
    whole = [claim for claim in unfinished if _has_copy(work, claim)]
    away, stuck = set[str](), set[str]()
    for inbox in inboxes:
        try:
            with inbox.opened() as top:
                clear_triggers(top)
                handled = _clear_claim_folder(top, find)
                for claim in whole:
                    if claim.vendor == inbox.vendor and claim.id not in handled:
                        stuck |= _release_again(top, claim)
        except OSError:
            # The next look says so, by `Look.trouble`; nothing is known of its names until it is back.
            away.add(inbox.vendor)
    released = tuple(claim.id for claim in whole if claim.vendor not in away and claim.id not in stuck)
    left = tuple(claim.id for claim in unfinished if claim.id not in released)
    return Recovery(released, left, _sweep(work, find))


def _release(top: int, name: _Name) -> Release:
    folders, leaf = parts_of(name.place)
    try:
        _make_claim_folder(top)
        with opened_below(top, folders) as source:
            with opened_below(top, name.claimed, make=True) as claimed:
                os.rename(leaf, parts_of(name.name_bytes)[1], src_dir_fd=source, dst_dir_fd=claimed)
            milestones.reached("file.name_renamed", name.file_id)
            verdict = _compare(top, name)
            sync_folder(source)
    except (FileNotFoundError, NotADirectoryError):
        verdict = Release.GONE
    except OSError as error:
        if error.errno not in _MAY_NOT:
            raise
        verdict = Release.STUCK
    remove_empty(top, name.claimed, keep=len(_CLAIMED))
    if folders[: len(_ARRIVED)] == _ARRIVED:
        remove_empty(top, folders, keep=len(_ARRIVED))
    return verdict


def _compare(top: int, name: _Name) -> Release:
    """Judge what lies in the claim folder: the copied file is deleted, anything else becomes an arrival."""
    leaf = parts_of(name.name_bytes)[1]
    with opened_below(top, name.claimed) as folder:
        if _is_what_was_copied(folder, leaf, name):
            os.unlink(leaf, dir_fd=folder)
            milestones.reached("file.name_deleted", name.file_id)
            return Release.REMOVED
        sync_folder(folder)
    _let_arrive(top, name.file_id)
    return Release.ARRIVED


def _is_what_was_copied(folder: int, leaf: bytes, name: _Name) -> bool:
    """Whether a name holds the bytes of the copy. Its times prove nothing: they are its writer's to set."""
    try:
        with os.fdopen(os.open(leaf, READ_NO_LINK, dir_fd=folder), "rb", buffering=0) as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_size != name.size:
                return False
            return hashlib.file_digest(stream, "sha256").hexdigest() == name.sha256
    except OSError:
        return False


def _let_arrive(top: int, file_id: str) -> None:
    """Hand what lies in `claimed/ID` to the next scan, by one rename, durable."""
    with opened_below(top, _CLAIMED) as claimed, opened_below(top, _ARRIVED, make=True) as arrived:
        taken = {os.fsdecode(name) for name in os.listdir(arrived)}
        names = (file_id, *(f"{file_id}-{number}" for number in range(2, len(taken) + 3)))
        free = next(name for name in names if name not in taken)
        os.rename(file_id, free, src_dir_fd=claimed, dst_dir_fd=arrived)
        sync_folder(arrived)
        sync_folder(claimed)
    milestones.reached("file.arrived_again", file_id)


def _make_claim_folder(top: int) -> None:
    with opened_below(top, (CLAIM_FOLDER,), make=True) as folder:
        try:
            readme = os.open(
                _README, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=folder
            )
        except FileExistsError:
            return
        with os.fdopen(readme, "wb") as stream:
            stream.write(_README_TEXT)


# Recovery


def _has_copy(work: Path, claim: RecordedClaim) -> bool:
    """Whether the copy is there: as long as it is not, the inbox may hold the only one."""
    try:
        return copy_of(work, claim.id, claim.name_bytes).stat().st_size == claim.size
    except OSError:
        return False


def _clear_claim_folder(top: int, find: Callable[[str], RecordedClaim | None]) -> set[str]:
    """Compare what lies in the claim folder since a kill; the ids of it.

    What no claim is known of (a ledger that was lost or restored) is nobody's copy, and so a new arrival.
    """
    handled = set[str]()
    for file_id in _listed(top, _CLAIMED):
        claim = find(file_id)
        if claim is not None:
            name = _name(claim, claim.name_bytes)
            remove_empty(top, name.claimed, keep=len(_CLAIMED))
            if file_id not in _listed(top, _CLAIMED):
                continue
            _compare(top, name)
            remove_empty(top, name.claimed, keep=len(_CLAIMED))
        else:
            _let_arrive(top, file_id)
        handled.add(file_id)
    return handled


def _release_again(top: int, claim: RecordedClaim) -> set[str]:
    """Release a claimed name that still holds what was copied, wherever it lay; the claim's id if it is stuck."""
    earlier = (
        b"/".join((*_ARRIVED, os.fsencode(folder), claim.name_bytes)) for folder in _listed(top, _ARRIVED)
    )
    for place in (claim.name_bytes, *earlier):
        name = _name(claim, place)
        if _is_still_there(top, claim, name) and _release(top, name) is Release.STUCK:
            return {claim.id}
    return set()


def _is_still_there(top: int, claim: RecordedClaim, name: _Name) -> bool:
    folders, leaf = parts_of(name.place)
    try:
        with opened_below(top, folders) as folder:
            status = os.stat(leaf, dir_fd=folder, follow_symlinks=False)
            return status.st_mtime_ns // 1000 == claim.modified_at and _is_what_was_copied(folder, leaf, name)
    except OSError:
        return False


def _name(claim: RecordedClaim, place: bytes) -> _Name:
    return _Name(claim.id, place, claim.name_bytes, claim.size, claim.sha256)


def _listed(top: int, parts: tuple[bytes, ...]) -> list[str]:
    try:
        with opened_below(top, parts) as folder:
            return sorted(os.listdir(folder))
    except FileNotFoundError:
        return []


def _sweep(work: Path, find: Callable[[str], RecordedClaim | None]) -> tuple[str, ...]:
    """Remove the copies that the ledger does not know, and what is empty."""
    swept = []
    for folder in sorted(path for path in work.iterdir() if path.is_dir()):
        if find(folder.name) is None:
            shutil.rmtree(folder)
            swept.append(folder.name)
        elif not any(folder.iterdir()):
            folder.rmdir()
    return tuple(swept)
