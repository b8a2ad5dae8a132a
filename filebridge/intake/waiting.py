"""The waiting note: a file that is still in the inbox after a while gets its reason and what to do.

Which notes to write and which to take away is decided here; whoever publishes replies does it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from filebridge.clock import SECOND, from_micros
from filebridge.intake.look import Waiting
from filebridge.intake.names import safe_path

SUFFIX: Final = ".waiting.txt"


@dataclass(frozen=True)
class WaitingNote:
    """A note to publish: its name below the vendor's `replies/`, and its lines.

    `name_bytes` and `reason` are what the ledger remembers of it once it is published.
    """

    name: str
    lines: tuple[str, ...]
    name_bytes: bytes
    reason: str


class SeenName(Protocol):
    """What the ledger knows of a name in the inbox (`ledger.arrivals.ArrivalRow`); the time is µs UTC."""

    @property
    def name_bytes(self) -> bytes: ...
    @property
    def first_seen_at(self) -> int: ...
    @property
    def reason(self) -> str: ...
    @property
    def explained(self) -> bool: ...


@dataclass(frozen=True)
class DueNotes:
    """Notes to write, and names of notes (below `replies/`) to remove where they lie there."""

    write: tuple[WaitingNote, ...]
    remove: tuple[str, ...]


def due_notes(
    waits: Iterable[Waiting],
    *,
    there: Iterable[SeenName],
    gone: Iterable[SeenName],
    now: int,
    explain_after_seconds: float,
    time_zone: str,
) -> DueNotes:
    """One vendor's notes after a look: `there` are the names in the inbox, `gone` those that went since.

    A note is written once a name has been in the inbox for `explain_after_seconds`, and anew when the reason
    becomes another; it goes with the name, or with the reason. A note is published before it is recorded as
    explained: so of a name that is gone it is removed whatever the record says.
    """
    by_name = {wait.name_bytes: wait for wait in waits}
    after = int(explain_after_seconds * SECOND)
    write: list[WaitingNote] = []
    remove = [note_name(row.name_bytes) for row in gone if row.explained or now - row.first_seen_at >= after]
    for row in there:
        wait = by_name.get(row.name_bytes)
        if wait is None:
            if row.explained:
                remove.append(note_name(row.name_bytes))
        elif now - row.first_seen_at >= after and not (row.explained and row.reason == reason_of(wait)):
            write.append(note_of(wait, first_seen_at=row.first_seen_at, time_zone=time_zone))
    return DueNotes(tuple(write), tuple(remove))


def note_of(wait: Waiting, *, first_seen_at: int, time_zone: str) -> WaitingNote:
    """The note of one file. `first_seen_at` is microseconds UTC, shown in the vendor's zone."""
    since = from_micros(first_seen_at).astimezone(ZoneInfo(time_zone))
    lines = (
        f"{wait.name} is still in the inbox, and nothing of it was sent.",
        f"It has been there since {since:%Y-%m-%d %H:%M} ({time_zone}).",
        "",
        f"Why:   {wait.message}",
        *((f"To do: {wait.fix}",) if wait.fix else ()),
        "",
        f"FileBridge keeps looking. This note goes when the cause does. ({wait.code})",
    )
    return WaitingNote(note_name(wait.name_bytes), lines, wait.name_bytes, reason_of(wait))


def note_name(name_bytes: bytes) -> str:
    """Name of a file's note, below the vendor's `replies/`."""
    return safe_path(name_bytes) + SUFFIX


def reason_of(wait: Waiting) -> str:
    """What must change for a note to be written anew: a growing file's size does not."""
    return wait.code if wait.code == "still_changing" else f"{wait.code}: {wait.message}"
