"""Quiet by our own clock, and in which order."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from filebridge.intake.look import Entry, Inbox, Look, scan
from filebridge.intake.order import order_of
from filebridge.intake.settle import Settled, SettledFile, Settler, take_settled

ACME = Inbox("acme", Path("/inbox/acme"))


def entry(
    name: str, *, size: int = 1, mtime: int = 0, ctime: int = 0, inode: int = 0, writer: str | None = None
) -> Entry:
    return Entry(ACME, name, name.encode(), name.encode(), size, mtime, ctime, inode or hash(name), 1, writer)


def look(*entries: Entry) -> list[Look]:
    return [Look(ACME, entries)]


def taken(settled: Settled) -> list[str]:
    return [file.entry.name for file in settled.files]


def test_a_file_is_settled_when_two_looks_far_enough_apart_saw_the_same() -> None:
    settler = Settler(5)
    first = settler.settle(look(entry("a.csv")), monotonic=100)
    assert taken(first) == [] and first.next_in == 5
    assert taken(settler.settle(look(entry("a.csv")), monotonic=104.9)) == []
    assert taken(settler.settle(look(entry("a.csv")), monotonic=105)) == ["a.csv"]


def test_one_look_is_never_enough() -> None:
    settler = Settler(0)
    assert taken(settler.settle(look(entry("a.csv")), monotonic=1)) == []
    assert taken(settler.settle(look(entry("a.csv")), monotonic=1)) == ["a.csv"]


def test_whatever_changes_starts_the_wait_anew() -> None:
    changes = [{"size": 2}, {"mtime": 1}, {"ctime": 1}, {"inode": 7}]
    for change in changes:
        settler = Settler(5)
        settler.settle(look(entry("a.csv")), monotonic=0)
        changed = settler.settle(look(entry("a.csv", **change)), monotonic=5)
        assert taken(changed) == [] and changed.waiting[0].code == "still_changing"
        assert taken(settler.settle(look(entry("a.csv", **change)), monotonic=10)) == ["a.csv"]


@given(st.lists(st.tuples(st.floats(0.1, 20), st.booleans()), max_size=30))
def test_a_file_is_settled_exactly_when_it_was_quiet_for_long_enough(steps: list[tuple[float, bool]]) -> None:
    settler, now, size, quiet_since = Settler(5), 0.0, 1, 0.0
    settler.settle(look(entry("a.csv")), monotonic=now)
    for pause, writes in steps:
        now += pause
        if writes:
            size, quiet_since = size + 1, now
        settled = settler.settle(look(entry("a.csv", size=size)), monotonic=now)
        assert bool(settled.files) == (now - quiet_since >= 5)
        assert bool(settled.files) != bool(settled.waiting)


def test_a_file_that_somebody_has_open_waits_until_the_owner_file_is_gone() -> None:
    settler = Settler(5)
    for now in (0, 10, 20):
        settled = settler.settle(look(entry("s.xlsx", writer="Ann")), monotonic=now)
        assert taken(settled) == []
    assert settled.waiting[0].code == "in_use" and "by Ann" in settled.waiting[0].message
    assert settled.next_in is None
    assert taken(settler.settle(look(entry("s.xlsx")), monotonic=21)) == []
    assert taken(settler.settle(look(entry("s.xlsx")), monotonic=26)) == ["s.xlsx"]


def test_a_name_that_went_and_came_back_is_new() -> None:
    settler = Settler(5)
    settler.settle(look(entry("a.csv")), monotonic=0)
    settler.settle(look(), monotonic=1)
    assert taken(settler.settle(look(entry("a.csv")), monotonic=6)) == []


def test_an_inbox_that_is_away_settles_nothing_and_forgets_nothing() -> None:
    settler = Settler(5)
    settler.settle(look(entry("a.csv")), monotonic=0)
    assert settler.settle([Look(ACME, trouble="away")], monotonic=2) == Settled()
    assert taken(settler.settle(look(entry("a.csv")), monotonic=6)) == ["a.csv"]


def test_one_pass_takes_what_stays_as_it_is_and_leaves_what_grows(inbox: Inbox, clock: Any) -> None:
    (inbox.path / "quiet.csv").write_text("x")
    (inbox.path / "growing.csv").write_text("x")

    def meanwhile() -> None:
        (inbox.path / "growing.csv").write_text("xx")
        (inbox.path / "late.csv").write_text("x")

    clock.on_sleep = meanwhile
    settled = take_settled(lambda: [scan(inbox)], Settler(5), clock=clock)
    assert taken(settled) == ["quiet.csv"]
    assert {wait.name for wait in settled.waiting} == {"growing.csv", "late.csv"}
    assert clock.slept == [5]


def test_an_edit_that_puts_the_time_back_is_noticed(inbox: Inbox, clock: Any) -> None:
    file = inbox.path / "a.csv"
    file.write_text("1")
    times = file.stat()

    def meanwhile() -> None:
        file.write_text("2")
        os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))

    clock.on_sleep = meanwhile
    assert take_settled(lambda: [scan(inbox)], Settler(5), clock=clock).files == ()


def test_an_empty_inbox_costs_no_wait(inbox: Inbox, clock: Any) -> None:
    assert take_settled(lambda: [scan(inbox)], Settler(5), clock=clock) == Settled()
    assert clock.slept == []


# Order


def document_of(file: SettledFile) -> str:
    return file.entry.name.partition("_")[0]


def test_files_seen_together_are_taken_by_document_then_time_then_name() -> None:
    names = [
        "inventory_1",
        "shipments_10",
        "shipments_2",
        "shipments_0",
        "acknowledgements_1",
        "submissions_1",
        "x_1",
    ]
    files = [SettledFile(entry(name, mtime=9 if name == "shipments_0" else 1), 1) for name in names]
    turns = order_of(files, document_of)
    assert [(turn.file.entry.name, turn.note.message if turn.note else "") for turn in turns] == [
        ("submissions_1", "Seen together with other files and taken before acknowledgements_1, "
                          "by document: submissions before acknowledgements."),
        ("acknowledgements_1", "Seen together with other files and taken after submissions_1, "
                               "by document: submissions before acknowledgements."),
        ("shipments_2", "Seen together with other files and taken after acknowledgements_1, "
                        "by document: acknowledgements before shipments."),
        ("shipments_10", "Seen together with other files and taken after shipments_2, "
                         "by name, both having been written at the same time."),
        ("shipments_0", "Seen together with other files and taken after shipments_10, "
                        "by the time at which each was last written."),
        ("inventory_1", "Seen together with other files and taken after shipments_0, "
                        "by document: shipments before inventory."),
        ("x_1", "Seen together with other files and taken after inventory_1, by document: inventory before others."),
    ]  # fmt: skip


def test_what_was_seen_earlier_goes_first_and_alone_needs_no_note() -> None:
    files = [SettledFile(entry("submissions_1"), 2), SettledFile(entry("inventory_1"), 1)]
    turns = order_of(files, document_of)
    assert [turn.file.entry.name for turn in turns] == ["inventory_1", "submissions_1"]
    assert [turn.note for turn in turns] == [None, None]


def test_a_file_that_grows_keeps_its_place_and_one_that_is_replaced_loses_it() -> None:
    settler = Settler(1)
    settler.settle(look(entry("a"), entry("b")), monotonic=0)
    settler.settle(look(entry("a", size=2), entry("b", inode=99)), monotonic=1)
    settled = settler.settle(look(entry("a", size=2), entry("b", inode=99)), monotonic=2)
    assert {file.entry.name: file.look for file in settled.files} == {"a": 1, "b": 2}
