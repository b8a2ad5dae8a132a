"""The waiting note: a file that is still in the inbox after a while gets its reason and what to do.

Which notes to write and which to take away is decided here; whoever publishes replies does it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from filebridge.clock import SECOND, from_micros
from filebridge.intake.look import Waiting
from filebridge.intake.names import safe_path

SUFFIX: Final = ".waiting.txt"


@dataclass(frozen=True)
class WaitingNote:
    """A note to publish: its name below the vendor's `replies/`, and its lines.

    `name_bytes` and `reason` are what the ledger remembers of it (`NamesSeen`), once it is published.
    """

    name: str
    lines: tuple[str, ...]
    name_bytes: bytes
    reason: str


@dataclass(frozen=True)
class NamesSeen:
    """What the ledger knows of a name in the inbox: first seen when (µs UTC), and the reason last written."""

    first_seen_at: int
    explained_reason: str = ""
    """Empty as long as no note lies there."""


@dataclass(frozen=True)
class DueNotes:
    """What is to be written, and the names (bytes) whose note goes since its cause is gone."""

    write: tuple[WaitingNote, ...]
    remove: tuple[bytes, ...]


def due_notes(
    waits: Iterable[Waiting],
    seen: Mapping[bytes, NamesSeen],
    *,
    now: int,
    explain_after_seconds: float,
    time_zone: str,
) -> DueNotes:
    """One vendor's notes after a look. `seen` is by name in bytes, and holds every name that has a note.

    A note is written once a name has been in the inbox for `explain_after_seconds`, and anew when the reason
    becomes another; it goes with the name, or when the file may be taken.
    """
    by_name = {wait.name_bytes: wait for wait in waits}
    write = [
        note_of(wait, first_seen_at=known.first_seen_at, time_zone=time_zone)
        for name, wait in by_name.items()
        if (known := seen.get(name)) is not None
        and known.explained_reason != reason_of(wait)
        and now - known.first_seen_at >= explain_after_seconds * SECOND
    ]
    remove = [name for name, known in seen.items() if known.explained_reason and name not in by_name]
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
