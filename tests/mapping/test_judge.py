"""What a whole column says of cells that can be read in more than one way."""

from __future__ import annotations

from filebridge.mapping.judge import UNDECIDED, Decision, Evidence

POINT, COMMA = 0, 1


def evidence(*cells: frozenset[int] | None) -> Evidence:
    found = Evidence()
    for cell in cells:
        found.take(cell)
    return found


def test_one_cell_that_only_one_way_can_read_decides_the_column() -> None:
    decision = evidence(frozenset({COMMA}), None).decide(2)
    assert decision == Decision(frozenset({(COMMA, POINT)}))
    assert decision.choose([1000, 1]) == COMMA


def test_cells_that_every_way_reads_alike_decide_nothing() -> None:
    decision = evidence(frozenset({POINT, COMMA}), None).decide(2)
    assert decision == UNDECIDED
    assert decision.choose([1000, 1]) is None
    assert decision.choose([12, 12]) == POINT


def test_cells_that_contradict_each_other_decide_nothing() -> None:
    assert evidence(frozenset({POINT}), frozenset({COMMA}), None).decide(2) == UNDECIDED


def test_a_cell_of_a_third_format_says_nothing_of_the_other_two() -> None:
    decision = evidence(frozenset({0}), None).decide(3)
    assert decision.choose([None, "4 May", "5 April"]) is None
    decision = evidence(frozenset({0}), frozenset({2}), None).decide(3)
    assert decision.choose([None, "4 May", "5 April"]) == 2


def test_a_cell_that_only_one_candidate_can_read_needs_no_decision() -> None:
    assert UNDECIDED.choose([None, 12]) == COMMA
    assert UNDECIDED.choose([None, None]) is None


def test_a_column_is_open_once_a_cell_is() -> None:
    assert not evidence(frozenset({POINT})).is_open
    assert evidence(frozenset({POINT}), None).is_open
