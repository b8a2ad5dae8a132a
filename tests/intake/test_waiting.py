"""Nobody is left guessing: the note of a file that stays."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from filebridge.intake.look import Inbox, Waiting
from filebridge.intake.waiting import DueNotes, due_notes, note_of, reason_of

SECOND = 1_000_000
NOON = 1_795_521_600 * SECOND
LATER = NOON + 1000 * SECOND
ACME = Inbox("acme", Path("/inbox/acme"))


def wait(
    name: str = "stock/a.csv", code: str = "no_mapping", message: str = "No mapping takes it."
) -> Waiting:
    return Waiting(ACME, name, name.encode(), code, message, "Rename it.")


@dataclass(frozen=True)
class Seen:
    """A name as the ledger remembers it."""

    name_bytes: bytes
    reason: str = ""
    explained: bool = False
    first_seen_at: int = NOON


def explained(why: Waiting) -> Seen:
    return Seen(why.name_bytes, reason_of(why), explained=True)


def due(waits: list[Waiting], there: list[Seen], *, gone: tuple[Seen, ...] = (), now: int) -> DueNotes:
    return due_notes(
        waits, there=there, gone=gone, now=now, explain_after_seconds=120, time_zone="America/Denver"
    )


def test_the_note_says_why_and_what_to_do() -> None:
    note = note_of(wait(), first_seen_at=NOON, time_zone="America/Denver")
    assert note.name == "stock/a.csv.waiting.txt"
    assert note.lines == (
        "stock/a.csv is still in the inbox, and nothing of it was sent.",
        "It has been there since 2026-11-24 05:00 (America/Denver).",
        "",
        "Why:   No mapping takes it.",
        "To do: Rename it.",
        "",
        "FileBridge keeps looking. This note goes when the cause does. (no_mapping)",
    )


def test_a_file_is_explained_two_minutes_after_it_was_first_seen() -> None:
    seen = [Seen(b"stock/a.csv")]
    assert due([wait()], seen, now=NOON + 119 * SECOND).write == ()
    assert [note.name_bytes for note in due([wait()], seen, now=NOON + 120 * SECOND).write] == [
        b"stock/a.csv"
    ]


def test_a_note_is_written_once_and_anew_for_another_reason() -> None:
    assert due([wait()], [explained(wait())], now=LATER) == DueNotes((), ())
    (note,) = due([wait(code="too_large", message="Too large.")], [explained(wait())], now=LATER).write
    assert note.reason == "too_large: Too large."


def test_a_growing_file_is_not_explained_anew_at_each_look() -> None:
    growing = [wait(code="still_changing", message=f"It has {size} bytes.") for size in (1, 2)]
    assert due([growing[1]], [explained(growing[0])], now=LATER) == DueNotes((), ())


def test_the_note_goes_with_its_cause_and_with_the_file() -> None:
    there = [explained(wait()), explained(wait("settled.csv")), Seen(b"never explained.csv")]
    published_but_not_recorded = Seen(b"killed.csv")
    just_passing = Seen(b"quick.csv", first_seen_at=LATER - SECOND)
    gone = (explained(wait("taken.csv")), published_but_not_recorded, just_passing)
    assert due([wait()], there, gone=gone, now=LATER) == DueNotes(
        (), ("taken.csv.waiting.txt", "killed.csv.waiting.txt", "settled.csv.waiting.txt")
    )
