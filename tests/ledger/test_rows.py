from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filebridge.ledger import calls
from filebridge.ledger.calls import CallPart
from filebridge.ledger.rows import OUTCOME_OF, every_row, outcomes_of, rejected_rows, rows_of, status_of_file
from filebridge.ledger.schema import CallState
from filebridge.mapping.mapped import BY_RECORD, RowRuns
from filebridge.outcomes import OUTCOME_CODES, FileStatus, Outcome
from filebridge.planning.plan import Hold, Plan


def _force(connection: Any, call_id: int, state: CallState, answer: str = "") -> None:
    connection.exec_driver_sql("UPDATE call SET state = ?, answer = ? WHERE id = ?", (state, answer, call_id))


ends = st.sampled_from([Outcome.UNCHANGED, Outcome.SUPERSEDED, Outcome.REJECTED, Outcome.HELD])


@st.composite
def situations(draw: st.DrawFn) -> tuple[list[Any], list[int], list[CallState]]:
    """Rows as an end or a record; records cut into calls; the state of each call."""
    records = draw(st.integers(0, 12))
    of_records = [
        *range(records),
        *draw(st.lists(st.integers(0, max(records - 1, 0)), max_size=6 if records else 0)),
    ]
    rows: list[Any] = draw(st.permutations([*of_records, *draw(st.lists(ends, max_size=8))]))
    calls_of = [draw(st.integers(0, 3)) for _ in range(records)]
    states = draw(st.lists(st.sampled_from([*OUTCOME_OF]), min_size=4, max_size=4))
    return rows, calls_of, states


class TestOutcomes:
    @given(situations(), st.integers(2, 5))
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_of_any_rows_and_any_answers_add_up_and_agree_with_the_rows(
        self, office: Any, make_call: Any, situation: Any, gap: int
    ) -> None:
        rows, calls_of, states = situation
        is_record = np.array(
            [isinstance(row, int) and not isinstance(row, Outcome) for row in rows], dtype=np.bool_
        )
        runs = RowRuns.of_rows(
            np.cumsum([1 + (place % gap == 0) for place in range(len(rows))], dtype=np.int32),
            np.array(
                [BY_RECORD if by else OUTCOME_CODES[row] for row, by in zip(rows, is_record, strict=True)],
                np.int32,
            ),
            np.array([row if by else -1 for row, by in zip(rows, is_record, strict=True)], dtype=np.int32),
        )
        used = sorted(set(calls_of))
        plan = Plan(
            tuple(make_call([r for r, number in enumerate(calls_of) if number == call]) for call in used),
            runs,
        )
        file_id = office.plan(plan)
        with office.ledger.begin() as connection:
            for row, number in zip(calls.calls_of(connection, file_id=file_id), used, strict=True):
                _force(connection, row.id, states[number])
            told = rows_of(connection, file_id, limit=1000)
            counts = outcomes_of(connection, file_id)
        expected = [
            OUTCOME_OF[states[calls_of[row]]] if by else row for row, by in zip(rows, is_record, strict=True)
        ]
        assert [row.outcome for row in told] == expected
        assert counts == Counter(expected)
        assert sum(counts.values()) == len(rows)

    def test_of_a_call_that_was_split_are_those_of_its_parts(
        self, office: Any, one_call: Any, make_call: Any
    ) -> None:
        file_id = office.plan(one_call(4))
        (whole,) = office.deliver(file_id, CallState.REFUSED, "Unknown sku")
        with office.ledger.begin() as connection:
            parts = [CallPart(make_call(some).block, len(some), len(some)) for some in ([0, 1, 3], [2])]
            good, bad = calls.split(connection, whole, parts, now=3)
            assert outcomes_of(connection, file_id) == {Outcome.PENDING: 4}
            _force(connection, good, CallState.CONFIRMED)
            _force(connection, bad, CallState.REFUSED, "Unknown sku")
            assert outcomes_of(connection, file_id) == {Outcome.DELIVERED: 3, Outcome.REJECTED: 1}
            assert [row.row for row in rejected_rows(connection, file_id)] == [4]

    def test_leave_records_without_a_row_aside(self, office: Any, zeroing_plan: Plan) -> None:
        file_id = office.plan(zeroing_plan)
        with office.ledger.begin() as connection:
            first, zeroes = [row.id for row in calls.planned(connection, file_id=file_id)]
            _force(connection, zeroes, CallState.UNCERTAIN)
            _force(connection, first, CallState.CONFIRMED)
            assert outcomes_of(connection, file_id) == {Outcome.DELIVERED: 2}

    def test_where_two_calls_carry_a_record_are_those_of_the_one_that_keeps_it_back(
        self, office: Any, make_call: Any, by_record: Any
    ) -> None:
        file_id = office.plan(Plan((make_call([0, 1]), make_call([1])), by_record(2)))
        with office.ledger.begin() as connection:
            first, second = [row.id for row in calls.planned(connection, file_id=file_id)]
            _force(connection, first, CallState.CONFIRMED)
            _force(connection, second, CallState.REFUSED, "Date in the past")
            assert outcomes_of(connection, file_id) == {Outcome.DELIVERED: 1, Outcome.REJECTED: 1}
            assert rows_of(connection, file_id)[1].reasons[0].message == "Date in the past"

    def test_of_a_file_that_is_not_planned_are_none(self, office: Any) -> None:
        file_id = office.claim()
        with office.ledger.read() as connection:
            assert outcomes_of(connection, file_id) == {}
            assert rows_of(connection, file_id) == []


class TestReasons:
    def test_of_a_row_are_all_that_were_found_in_the_order_of_finding(
        self, office: Any, runs: Any, reject_batch: Any
    ) -> None:
        batch = reject_batch(
            (3, "Qty", "bad_number", "'x' is no number.", "x"),
            (3, "Date", "bad_date", "'y' is no date.", "y"),
        )
        file_id = office.plan(Plan((), runs([Outcome.UNCHANGED, Outcome.REJECTED])), rejects=[batch])
        with office.ledger.read() as connection:
            (row,) = rejected_rows(connection, file_id)
        assert [(reason.column, reason.code, reason.value) for reason in row.reasons] == [
            ("Qty", "bad_number", "x"),
            ("Date", "bad_date", "y"),
        ]

    def test_of_a_file_are_those_of_every_rejected_row_that_has_none_of_its_own(
        self, office: Any, runs: Any, reject_batch: Any
    ) -> None:
        batch = reject_batch((2, "Qty", "bad_number", "'x' is no number.", "x"))
        plan = Plan((), runs([Outcome.REJECTED] * 2), refused=("too_many_rejects", "1 of 2 rows is bad."))
        file_id = office.plan(plan, rejects=[batch])
        with office.ledger.read() as connection:
            first, second = rejected_rows(connection, file_id)
            assert status_of_file(connection, file_id) is FileStatus.REJECTED
        assert [reason.code for reason in first.reasons] == ["bad_number"]
        assert [(reason.row, reason.code) for reason in second.reasons] == [(3, "too_many_rejects")]

    @pytest.mark.parametrize(
        ("answer", "words"), [("Unknown sku", "Unknown sku"), ("", "RetailOps gave no reason.")]
    )
    def test_of_a_refused_call_are_retailops_own_words(
        self, office: Any, one_call: Any, answer: str, words: str
    ) -> None:
        file_id = office.plan(one_call(2))
        office.deliver(file_id, CallState.REFUSED, answer)
        with office.ledger.read() as connection:
            rows = list(rejected_rows(connection, file_id))
        assert [(reason.code, reason.message) for row in rows for reason in row.reasons] == [
            ("refused_by_retailops", words)
        ] * 2

    def test_of_a_held_row_are_those_of_the_hold(self, office: Any, runs: Any) -> None:
        file_id = office.plan(Plan((), runs([Outcome.HELD]), hold=Hold("guard", "Half is gone.")))
        with office.ledger.read() as connection:
            (row,) = rows_of(connection, file_id)
        assert [(reason.code, reason.message) for reason in row.reasons] == [("guard", "Half is gone.")]


class TestPages:
    def test_of_rows_join_to_the_whole(self, office: Any, runs: Any) -> None:
        outcomes = [Outcome.REJECTED, Outcome.UNCHANGED, Outcome.HELD] * 7
        file_id = office.plan(Plan((), runs(outcomes), hold=Hold("guard", "Look.")))
        with office.ledger.read() as connection:
            whole = list(every_row(connection, file_id))
            paged, after = [], 0
            while page := rows_of(connection, file_id, after_row=after, limit=4):
                paged += page
                after = page[-1].row
            some = rows_of(connection, file_id, outcomes=[Outcome.HELD, Outcome.REJECTED])
        assert paged == whole
        assert [row.outcome for row in whole] == outcomes
        assert some == [row for row in whole if row.outcome is not Outcome.UNCHANGED]
