"""One look at a vendor's drop folder: what lies there, and what of it is an arrival.

The scan is the engine of the intake; events only wake it. It opens folders by descriptor and follows no link; of
files it reads nothing (but the few bytes of an owner file that say who has the file beside it open).
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, Final

from filebridge.intake.folders import READ_NO_LINK, opened, opened_below, opened_itself, parts_of
from filebridge.intake.names import is_ignored, printable, triggered_name
from filebridge.intake.owner_files import owned_name, read_owner
from filebridge.rejects import CATALOGUE

CLAIM_FOLDER: Final = b".filebridge"
"""In each drop folder, on its own file system; never scanned."""
CLAIMED: Final = b"claimed"
"""In the claim folder: `ID/NAME`, taken from the inbox and not yet compared with the copy."""
ARRIVED: Final = b"arrived"
"""In the claim folder: `ID/NAME`, not what was copied, so an arrival of that name of its own."""

_DEEPEST: Final = 32


@dataclass(frozen=True)
class Inbox:
    """A folder into which a vendor's files are dropped.

    `own` is False for the workspace's `inbox/` itself, which is the vendor's as long as there is no other:
    only the files directly in it are arrivals; `others` are the folders in it that are looked at elsewhere.
    """

    vendor: str
    path: Path
    own: bool = True
    others: frozenset[str] = frozenset()

    def opened(self) -> AbstractContextManager[int]:
        """Its descriptor. `inbox/` may be a link, to a mount say; a vendor's own folder in it may not: OSError."""
        return opened_itself(self.path) if self.own else opened(self.path)


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger file, `NAME.done`: its sender says with it that NAME is whole. Times are nanoseconds, UTC."""

    name_bytes: bytes
    """Below the inbox."""
    inode: int
    mtime_ns: int
    ctime_ns: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A plain file in a drop folder, as one look found it. Times are nanoseconds since the epoch, UTC."""

    inbox: Inbox
    name: str
    """Below the inbox, parted by `/`, printable (`names.printable`)."""
    name_bytes: bytes
    """Below the inbox, as the file system has it."""
    place: bytes
    """Where it lies below the inbox: `name_bytes`, or in the claim folder (`ARRIVED`)."""
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    dev: int
    writer: str | None = None
    """Who has it open, as an owner file beside it says: a name, empty for unknown; None without owner file."""
    trigger: Trigger | None = None
    """The trigger file of this name, if there is one, of this file or left over from an earlier one."""

    @property
    def is_said_whole(self) -> bool:
        """Whether its sender says that it is whole: by a trigger file that is no older than the file is.

        Both times are the file system's own, which no sender sets. What was put into the claim folder was
        renamed since by us; there its own time must do.
        """
        since = self.ctime_ns if self.place == self.name_bytes else self.mtime_ns
        return self.trigger is not None and self.trigger.ctime_ns >= since

    @property
    def signature(self) -> tuple[int, int, int, int]:
        """What must stay the same while nobody writes: size, mtime, ctime, inode."""
        return self.size, self.mtime_ns, self.ctime_ns, self.inode


@dataclass(frozen=True)
class Waiting:
    """A file that stays in the inbox: `code` and `message` say why, `fix` what to do."""

    inbox: Inbox
    name: str
    name_bytes: bytes
    code: str
    """`still_changing`, `in_use`, `not_readable`, `not_removable`, `no_vendor`, or a code of a file."""
    message: str
    fix: str = ""


@dataclass(frozen=True)
class Look:
    """What one scan found. With `trouble` nothing is known of the inbox, least of all that a file is gone."""

    inbox: Inbox
    entries: tuple[Entry, ...] = ()
    strays: tuple[Waiting, ...] = ()
    """What is no arrival and never will be as it lies there: links, FIFOs, devices, hard links."""
    trouble: str = ""
    """Why the inbox could not be looked at, as a sentence."""


def opened_entry(entry: Entry) -> BinaryIO:
    """The file of an entry, open for reading; no step of its way is a link. Raises OSError."""
    folders, leaf = parts_of(entry.place)
    with entry.inbox.opened() as top, opened_below(top, folders) as folder:
        return os.fdopen(os.open(leaf, READ_NO_LINK, dir_fd=folder), "rb")


def inboxes_of(vendor: str, folders: Sequence[Path]) -> tuple[Inbox, ...]:
    """A vendor's drop folders (`Workspace.drop_folders`): its own, then `inbox/` itself where that counts too."""
    own = Inbox(vendor, folders[0])
    return (own, *(Inbox(vendor, path, own=False, others=frozenset({own.path.name})) for path in folders[1:]))


def waiting(entry: Entry, code: str, message: str, fix: str = "") -> Waiting:
    """A reason why an entry stays; the catalogue's `fix` where the code is one of its and none is given."""
    known = CATALOGUE.get(code)
    return Waiting(
        entry.inbox, entry.name, entry.name_bytes, code, message, fix or (known.fix if known else "")
    )


def scan(inbox: Inbox) -> Look:
    """Look at a drop folder once. Never raises for what it finds there: that is `strays` and `trouble`."""
    found = _Found(inbox)
    try:
        with inbox.opened() as top:
            found.dev = os.fstat(top).st_dev
            _walk(top, b"", found, depth=0)
            _walk_arrived(top, found)
    except FileNotFoundError:
        return Look(inbox, trouble=f"The folder {inbox.path} is not there.")
    except OSError as error:
        if inbox.own and inbox.path.is_symlink():
            return Look(inbox, strays=(_linked_inbox(inbox),))
        return Look(inbox, trouble=f"The folder {inbox.path} cannot be read: {error.strerror}.")
    triggers = found.triggers
    entries = [replace(entry, trigger=triggers.get(entry.name_bytes)) for entry in found.entries]
    return Look(inbox, tuple(entries), tuple(found.strays))


def _linked_inbox(inbox: Inbox) -> Waiting:
    return Waiting(
        inbox,
        printable(os.fsencode(inbox.path.name)),
        os.fsencode(inbox.path.name),
        "unsafe_file",
        f"The folder {inbox.path} is a link, and links are not followed: nothing in it is taken.",
        "Put a folder in its place; to have it elsewhere, mount it there, or set `folders:` in filebridge.yaml.",
    )


@dataclass
class _Found:
    """What a scan has gathered so far."""

    inbox: Inbox
    dev: int = 0
    entries: list[Entry] = field(default_factory=list)
    strays: list[Waiting] = field(default_factory=list)
    triggers: dict[bytes, Trigger] = field(default_factory=dict)
    """By the name that they speak of, below the inbox."""

    def stray(self, name: bytes, code: str, message: str, fix: str = "") -> None:
        known = CATALOGUE.get(code)
        fix = fix or (known.fix if known else "")
        self.strays.append(Waiting(self.inbox, printable(name), name, code, message, fix))


def _walk(folder: int, below: bytes, found: _Found, *, depth: int, place: bytes = b"") -> None:
    """Gather what lies in an open folder. `below` is its name with a `/`; `place` what stands before that."""
    listed = sorted(_listed(folder))
    writers = _writers(folder, [name for name, _ in listed])
    for name, status in listed:
        if is_ignored(name):
            continue
        if stat.S_ISDIR(status.st_mode):
            if depth or found.inbox.own or os.fsdecode(name) not in found.inbox.others:
                _descend(folder, name, below + name, found, depth=depth, place=place)
        elif (why := _why_unsafe(status)) is not None:
            if not depth and os.fsdecode(name) in found.inbox.others:
                # A vendor's folder that is a link is said once, by the look at that folder.
                continue
            found.stray(below + name, "unsafe_file", why)
        elif (triggered := triggered_name(name)) is not None:
            # Only where the sender put it: in the claim folder there is none of his.
            if not place:
                found.triggers[below + triggered] = Trigger(
                    below + name, status.st_ino, status.st_mtime_ns, status.st_ctime_ns
                )
        elif depth and not found.inbox.own:
            _no_vendor(below + name, found)
        else:
            found.entries.append(_entry(below + name, place, status, found.inbox, writers.get(name)))


def _listed(folder: int) -> Iterator[tuple[bytes, os.stat_result]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            try:
                yield os.fsencode(entry.name), entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue


def _writers(folder: int, names: Collection[bytes]) -> dict[bytes, str]:
    return {owned: read_owner(folder, name) for name in names if (owned := owned_name(name)) is not None}


def _descend(folder: int, name: bytes, path: bytes, found: _Found, *, depth: int, place: bytes) -> None:
    if depth >= _DEEPEST:
        found.stray(path, "unsafe_file", f"Folders are nested deeper than {_DEEPEST} here.")
        return
    try:
        with opened(name, at=folder) as inner:
            # Asked of folders only: in a container's file system a file's device is not its folder's.
            if os.fstat(inner).st_dev != found.dev:
                found.stray(path, "unsafe_file", "This folder is a mount of its own, inside the inbox.")
                return
            _walk(inner, path + b"/", found, depth=depth + 1, place=place)
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            fix = "Let FileBridge's user read and write the folder."
            found.stray(path, "not_readable", f"This folder cannot be read: {error.strerror}.", fix)


def _walk_arrived(top: int, found: _Found) -> None:
    """What was found in place of a claimed file: arrivals of their own, under the names they came with."""
    parts = (CLAIM_FOLDER, ARRIVED)
    try:
        with opened_below(top, parts) as arrived:
            for name in sorted(os.fsencode(name) for name in os.listdir(arrived)):
                with opened(name, at=arrived) as folder:
                    _walk(folder, b"", found, depth=0, place=b"/".join((*parts, name, b"")))
    except (FileNotFoundError, NotADirectoryError):
        return


def _why_unsafe(status: os.stat_result) -> str | None:
    mode = status.st_mode
    if stat.S_ISLNK(mode):
        return "It is a link to another file, and links are not followed."
    if not stat.S_ISREG(mode):
        return "It is no plain file but a pipe, a socket or a device."
    if status.st_nlink > 1:
        return "It has a second name somewhere else (a hard link), under which it can be changed unseen."
    return None


def _no_vendor(name: bytes, found: _Found) -> None:
    folder = printable(name.split(b"/")[0])
    own = f"{found.inbox.path.name}/{found.inbox.vendor or 'VENDOR'}/"
    message = f"It lies in the folder {folder}, which is no vendor's."
    found.stray(name, "no_vendor", message, f"Move it to {own}, or make a vendor pack mappings/{folder}/.")


def _entry(name: bytes, place: bytes, status: os.stat_result, inbox: Inbox, writer: str | None) -> Entry:
    return Entry(
        inbox=inbox,
        name=printable(name),
        name_bytes=name,
        place=place + name,
        size=status.st_size,
        mtime_ns=status.st_mtime_ns,
        ctime_ns=status.st_ctime_ns,
        inode=status.st_ino,
        dev=status.st_dev,
        writer=writer,
    )
