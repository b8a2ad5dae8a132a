"""Growing pauses of files that are not whole, or that somebody has open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from filebridge.intake.look import Entry, Inbox, Trigger, waiting
from filebridge.intake.patience import LONGEST_PAUSE, Patience

ACME = Inbox("acme", Path("/inbox/acme"))


def entry(size: int, *, inode: int = 1, trigger: Trigger | None = None) -> Entry:
    return Entry(ACME, "a.csv", b"a.csv", b"a.csv", size, 0, size, inode, 1, trigger=trigger)


def cut(found: Entry) -> Any:
    return waiting(found, "incomplete_file", "It is cut.")


def test_a_file_that_grows_must_be_quiet_for_longer_each_time(clock: Any) -> None:
    patience = Patience(clock, 5)
    pauses = []
    for size in range(1, 8):
        assert patience.waiting(entry(size)) is None or size > 1
        before = clock.at
        while patience.waiting(entry(size)) is not None:
            clock.at += 1
        pauses.append(clock.at - before)
        patience.put_off(entry(size), cut(entry(size)))
    assert pauses == [0, 5, 10, 20, 40, LONGEST_PAUSE, LONGEST_PAUSE]


def test_an_unchanged_file_that_is_cut_is_not_read_again(clock: Any) -> None:
    patience = Patience(clock, 5)
    patience.put_off(entry(1), cut(entry(1)))
    clock.at += 10_000
    assert patience.waiting(entry(1)) == cut(entry(1))


def test_an_unchanged_file_that_was_open_is_tried_again(clock: Any) -> None:
    patience = Patience(clock, 5)
    patience.put_off(entry(1), waiting(entry(1), "in_use", "It is open."))
    assert patience.waiting(entry(1)) is not None
    clock.at += 5
    assert patience.waiting(entry(1)) is None


def test_another_file_and_a_trigger_file_begin_anew(clock: Any) -> None:
    patience = Patience(clock, 5)
    patience.put_off(entry(1), cut(entry(1)))
    assert patience.waiting(entry(9, inode=2)) is None
    assert patience.waiting(entry(1, trigger=Trigger(b"a.csv.done", 3, 0, 1))) is None
    assert patience.waiting(entry(1, trigger=Trigger(b"a.csv.done", 3, 0, 0))) is not None
