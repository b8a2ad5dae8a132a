"""Cutting a refused call until its bad records stand alone."""

from math import ceil, log2

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filebridge.delivery.refusals import Part, named_place, parts_by_cutting, parts_by_verdict
from filebridge.delivery.waits import Waits
from filebridge.ledger.schema import CallState
from filebridge.retailops.wire import Answer, AnswerKind, Verdict


def refused(message, *records):
    return Answer(AnswerKind.REFUSED, message, 200, records=records)


@settings(deadline=None)
@given(
    st.integers(1, 300).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, n - 1), max_size=8)))
)
def test_halving_finds_any_bad_records_within_the_calls_that_it_may_cost(case):
    count, bad = case
    todo, found, sent = [list(range(count))], set(), 0
    while todo:
        places = todo.pop()
        sent += 1
        if not bad & set(places):
            continue
        if len(places) == 1:
            found.update(places)
            continue
        parts = parts_by_cutting(len(places))
        assert sorted(place for part in parts for place in part.places) == list(range(len(places)))
        todo += [[places[place] for place in part.places] for part in parts]
    assert found == bad
    assert sent <= max(1, len(bad) * (ceil(log2(count)) + 2) * 2)


@settings(deadline=None)
@given(st.integers(2, 50).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n - 1))))
def test_around_a_named_record_every_record_is_in_one_part_and_every_part_is_smaller(case):
    count, named = case
    parts = parts_by_cutting(count, named)
    assert [place for part in parts for place in part.places] == list(range(count))
    assert all(0 < len(part.places) < count for part in parts)
    assert [named] in [list(part.places) for part in parts]


@pytest.mark.parametrize(
    ("message", "place"),
    [
        ("for field idx 3: invalid vpc", 3),
        ("for field idx: 0 invalid", 0),
        ("for field idx 10: invalid vpc", None),
        ("invalid vpc 3", None),
        ("index 3", None),
    ],
)
def test_a_refusal_may_name_the_place_of_a_record(message, place):
    assert named_place(refused(message), 10) == place


def test_verdicts_give_each_record_its_end_and_like_ends_stand_together():
    answer = refused(
        "x",
        Verdict("A", True),
        Verdict("B", False, "invalid"),
        Verdict("C", True),
        Verdict("D", False, "invalid"),
        Verdict("E", False, "too old"),
        Verdict("F", False, "status: submitted", says_already=True),
    )
    assert parts_by_verdict(answer, list("ABCDEF")) == [
        Part([0, 2], CallState.CONFIRMED),
        Part([1, 3], CallState.REFUSED, "invalid"),
        Part([4], CallState.REFUSED, "too old"),
        Part([5], CallState.PLANNED),
    ]


def test_a_record_that_no_verdict_speaks_of_is_sent_again_by_itself():
    assert parts_by_verdict(refused("x", Verdict("B", False, "invalid")), ["A", "B"]) == [
        Part([0], CallState.PLANNED),
        Part([1], CallState.REFUSED, "invalid"),
    ]


def test_verdicts_that_refuse_nothing_or_tell_nothing_apart_are_not_used():
    assert parts_by_verdict(refused("x"), ["A", "B"]) is None
    assert parts_by_verdict(refused("x", Verdict("A", True), Verdict("B", True)), ["A", "B"]) is None
    already = Verdict("A", False, "status: submitted", says_already=True)
    assert parts_by_verdict(refused("x", already), ["A"]) is None


def test_calls_wait_for_their_time_and_the_longest_waiting_goes_first():
    waits = Waits()
    waits.add("late", 9.0, pauses=False)
    waits.add("early", 5.0, pauses=False)
    assert waits.take_due(4.9) == []
    assert waits.seconds(4.0, until_rested=False) == 1.0
    assert waits.take_due(9.0) == ["early", "late"]
    assert len(waits) == 0


def test_all_rest_after_three_failures_in_a_row_or_when_asked_to():
    waits = Waits()
    waits.add("a", 5.0, pauses=False)
    waits.add("b", 5.0, pauses=False)
    waits.forget_failures()
    waits.add("c", 5.0, pauses=False)
    assert not waits.is_resting(1.0)
    waits.add("d", 6.0, pauses=True)
    assert waits.is_resting(5.9)
    assert not waits.is_resting(6.0)
    assert waits.seconds(1.0, until_rested=True) == 5.0
    assert sorted(waits.take_all()) == ["a", "b", "c", "d"]
