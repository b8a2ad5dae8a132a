"""Quiet for long enough by our own clock: then a file is settled.

A closed file need not be whole, and a whole one may never be closed; a file's own times are its sender's. So what
counts is that two looks, far enough apart, saw the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from filebridge.clock import Clock
from filebridge.intake.look import Entry, Look, Waiting, waiting


@dataclass(frozen=True)
class SettledFile:
    """An entry that nobody writes any more. Files with the same `look` were first seen in one look."""

    entry: Entry
    look: int


@dataclass(frozen=True)
class Settled:
    """What may be claimed after a look, and why the rest stays.

    `next_in` is in how many seconds another look could find more settled; None where nothing is settling.
    """

    files: tuple[SettledFile, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    next_in: float | None = None


@dataclass
class _Seen:
    """An entry as last seen: since when (monotonic) and in how many looks it is as it is, first seen in `look`."""

    entry: Entry
    quiet_since: float
    look: int
    looks: int = 0


class Settler:
    """Remembers what was seen in the drop folders, by name, for as long as the process lives."""

    def __init__(self, settle_seconds: float) -> None:
        self._settle_seconds = settle_seconds
        self._seen: dict[tuple[Path, bytes], _Seen] = {}
        self._looks = 0

    def settle(self, looks: Sequence[Look], *, monotonic: float) -> Settled:
        """Take in one look at each of some drop folders: what is settled now, and what is not and why.

        A file is settled again at each look until it is gone. Of a folder that could not be looked at nothing
        is settled and nothing is forgotten.
        """
        self._looks += 1
        looks = [look for look in looks if not look.trouble]
        present = [self._saw(entry, monotonic) for look in looks for entry in look.entries]
        self._forget({look.inbox.path for look in looks}, {_key(seen.entry) for seen in present})
        files: list[SettledFile] = []
        waits = [stray for look in looks for stray in look.strays]
        left: list[float] = []
        for seen in present:
            missing = self._settle_seconds - (monotonic - seen.quiet_since)
            if seen.entry.writer is not None:
                waits.append(_in_use(seen.entry))
            elif missing <= 0 and seen.looks > 1:
                files.append(SettledFile(seen.entry, seen.look))
            else:
                left.append(max(missing, 0.0))
                waits.append(_still_changing(seen.entry))
        return Settled(tuple(files), tuple(waits), min(left, default=None))

    def _saw(self, entry: Entry, monotonic: float) -> _Seen:
        seen = self._seen.get(_key(entry))
        if seen is None or seen.entry.inode != entry.inode:
            seen = _Seen(entry, monotonic, self._looks)
        elif (seen.entry.signature, seen.entry.writer) != (entry.signature, entry.writer):
            # The same file, written on: it keeps its place among those that it was first seen with.
            seen = _Seen(entry, monotonic, seen.look)
        seen.looks += 1
        self._seen[_key(entry)] = seen
        return seen

    def _forget(self, folders: set[Path], present: set[tuple[Path, bytes]]) -> None:
        gone = [key for key in self._seen if key[0] in folders and key not in present]
        for key in gone:
            del self._seen[key]


def take_settled(look: Callable[[], Sequence[Look]], settler: Settler, *, clock: Clock) -> Settled:
    """What is settled in one pass: look, wait, look again. An empty inbox costs no wait.

    A settler that has looked already makes the wait shorter. What changes meanwhile, or comes, stays for the
    next pass.
    """
    first = settler.settle(look(), monotonic=clock.monotonic())
    if first.next_in is None:
        return first
    clock.sleep(first.next_in)
    return settler.settle(look(), monotonic=clock.monotonic())


def _key(entry: Entry) -> tuple[Path, bytes]:
    return entry.inbox.path, entry.place


def _still_changing(entry: Entry) -> Waiting:
    message = f"It was still changing when FileBridge last looked; it has {entry.size:,} bytes by now."
    fix = (
        "Nothing, as long as it is still being written. If the transfer has broken off, send the file again."
    )
    return waiting(entry, "still_changing", message, fix)


def _in_use(entry: Entry) -> Waiting:
    who = f" by {entry.writer}" if entry.writer else ""
    leaf = entry.name.rpartition("/")[2]
    return waiting(
        entry,
        "in_use",
        f"It is open in Excel or LibreOffice{who}.",
        f"Close it there. If nobody has it open, delete the file ~${leaf} or .~lock.{leaf}# beside it.",
    )
