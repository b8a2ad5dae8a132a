"""Growing pauses: a file that is not whole yet, or that somebody has open, is not asked again at each look."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from filebridge.clock import Clock
from filebridge.intake.look import Entry, Waiting, waiting

LONGEST_PAUSE: Final = 60.0
"""Seconds; beyond this pauses grow no more."""

_MOST: Final = 10_000
"""Files that are remembered; the one that has waited longest is looked at anew."""


@dataclass(frozen=True)
class _PutOff:
    """A file that waits: as it was, why, how long the pause is (seconds), and until when (monotonic seconds)."""

    entry: Entry
    why: Waiting
    pause: float
    until: float

    def knows(self, entry: Entry) -> bool:
        """Whether nothing happened to the file since."""
        return (entry.signature, entry.is_said_whole) == (self.entry.signature, self.entry.is_said_whole)


class Patience:
    """Remembers which files wait, by name, for as long as the process lives.

    The first pause is the quiet time that settles a file, and each is twice the one before. A file that was
    found cut short and grew since must then be quiet for as long: its writer is one who pauses. Another file
    under the name begins anew.
    """

    def __init__(self, clock: Clock, first_pause: float) -> None:
        self._clock = clock
        self._first_pause = first_pause
        self._waits: dict[tuple[Path, bytes], _PutOff] = {}

    def put_off(self, entry: Entry, why: Waiting) -> None:
        """Let a file wait."""
        before = self._of(entry)
        pause = min(before.pause * 2, max(LONGEST_PAUSE, self._first_pause)) if before else self._first_pause
        while len(self._waits) >= _MOST:
            self._waits.pop(next(iter(self._waits)))
        self._waits[_key(entry)] = _PutOff(entry, why, pause, self._clock.monotonic() + pause)

    def waiting(self, entry: Entry) -> Waiting | None:
        """Why a file still waits; None where it is time to look at it."""
        put_off = self._of(entry)
        if put_off is None or (entry.is_said_whole and not put_off.entry.is_said_whole):
            return None
        if put_off.knows(entry):
            # What its bytes say stays so; whether somebody has it open does not.
            is_over = put_off.why.code != "incomplete_file" and self._clock.monotonic() >= put_off.until
            return None if is_over else put_off.why
        if put_off.entry.signature != entry.signature:
            until = self._clock.monotonic() + put_off.pause
            put_off = replace(put_off, entry=entry, why=_growing(put_off, entry), until=until)
            self._waits[_key(entry)] = put_off
        return put_off.why if self._clock.monotonic() < put_off.until else None

    def _of(self, entry: Entry) -> _PutOff | None:
        put_off = self._waits.get(_key(entry))
        return put_off if put_off and put_off.entry.inode == entry.inode else None


def _key(entry: Entry) -> tuple[Path, bytes]:
    return entry.inbox.path, entry.place


def _growing(before: _PutOff, entry: Entry) -> Waiting:
    message = "It was still being written when FileBridge last looked, and has changed since."
    fix = f"Nothing: it is taken once it is whole and has been quiet for {before.pause:.0f} seconds more."
    return waiting(entry, "still_changing", message, fix)
