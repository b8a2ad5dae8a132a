from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filebridge.columns import as_ints, unpack
from filebridge.ledger import calls
from filebridge.ledger.calls import CallAnswer, CallPart
from filebridge.ledger.schema import CallState
from filebridge.planning.plan import Action, PlannedCall


def states(office: Any, file_id: str) -> list[CallState]:
    with office.ledger.read() as connection:
        return [row.state for row in calls.calls_of(connection, file_id=file_id)]


class TestJournalling:
    def test_a_planned_call_says_what_it_is_for_and_leaves_its_block_behind(
        self, office: Any, one_call: Any
    ) -> None:
        plan = one_call(3)
        file_id = office.plan(plan, feed="nord")
        with office.ledger.read() as connection:
            (row,) = calls.planned(connection, file_id=file_id)
            assert calls.blocks(connection, [row.id]) == {row.id: plan.calls[0].block}
        assert (row.vendor, row.action, row.feed, row.file_id) == ("acme", Action.UPDATE, "nord", file_id)
        assert (row.state, row.records, row.rows, row.order_at, row.attempts) == (
            CallState.PLANNED,
            3,
            3,
            100,
            0,
        )
        assert (row.arrival, row.planned_at) == (office.row(file_id).seq, office.now)

    def test_a_sending_is_written_down_before_it_and_its_answer_after_it(
        self, office: Any, one_call: Any
    ) -> None:
        file_id = office.plan(one_call(3))
        with office.ledger.begin() as connection:
            ids = [row.id for row in calls.planned(connection, file_id=file_id)]
            calls.mark_sending(connection, ids, 7)
            (sending,) = calls.calls_of(connection, file_id=file_id)
            calls.record_answers(connection, [CallAnswer(ids[0], CallState.REFUSED, 9, 200, "Unknown sku")])
            (answered,) = calls.calls_of(connection, file_id=file_id)
        assert (sending.state, sending.attempts, sending.sent_at) == (CallState.SENDING, 1, 7)
        assert (answered.state, answered.answered_at, answered.http_status) == (CallState.REFUSED, 9, 200)
        assert answered.answer == "Unknown sku"

    def test_no_call_is_sent_twice_at_once_or_answered_when_it_is_not_under_way(
        self, office: Any, one_call: Any
    ) -> None:
        file_id = office.plan(one_call(3))
        (call_id,) = office.deliver(file_id)
        with (
            pytest.raises(ValueError, match="1 of 1 calls cannot be sent"),
            office.ledger.begin() as connection,
        ):
            calls.mark_sending(connection, [call_id], 8)
        with (
            pytest.raises(ValueError, match="1 of 1 calls cannot be answered"),
            office.ledger.begin() as connection,
        ):
            calls.record_answers(connection, [CallAnswer(call_id, CallState.REFUSED, 9)])
        assert states(office, file_id) == [CallState.CONFIRMED]

    def test_steps_undone_by_the_caller_are_all_undone(self, office: Any, two_calls: Any) -> None:
        file_id = office.plan(two_calls(2, 2))
        with pytest.raises(ZeroDivisionError), office.ledger.begin() as connection:
            calls.mark_sending(connection, [row.id for row in calls.planned(connection, file_id=file_id)], 8)
            raise ZeroDivisionError
        assert states(office, file_id) == [CallState.PLANNED] * 2

    def test_calls_without_a_file_belong_to_what_they_are_for(self, office: Any) -> None:
        with office.ledger.begin() as connection:
            _order_file(connection)
            mark = PlannedCall(Action.MARK_SUBMITTED, 2, 0, b"block")
            assert calls.add_calls(connection, [mark], vendor="acme", order_file_id="o1", now=3) == 1
            (row,) = calls.planned(connection, order_file_id="o1")
            with pytest.raises(ValueError, match="name one of them"):
                calls.planned(connection)
        assert (row.action, row.file_id, row.order_file_id) == (Action.MARK_SUBMITTED, None, "o1")

    def test_counts_tell_how_many_were_sent_and_when(self, office: Any, two_calls: Any) -> None:
        file_id = office.plan(two_calls(2, 2))
        with office.ledger.begin() as connection:
            assert calls.counts_of(connection, file_id) == calls.CallCounts(0, None, None)
            first, _ = [row.id for row in calls.planned(connection, file_id=file_id)]
            calls.mark_sending(connection, [first], 7)
            calls.record_answers(connection, [CallAnswer(first, CallState.CONFIRMED, 9)])
            assert calls.counts_of(connection, file_id) == calls.CallCounts(1, 7, 9)


def _order_file(connection: Any) -> None:
    connection.exec_driver_sql(
        "INSERT INTO order_file (id, vendor, sequence, name, kind, state, sha256, size, rows, pos, done_file, "
        "submit, staged_at) VALUES ('o1', 'acme', 1, 'PO.csv', 'order', 'staged', '', 0, 0, 0, 0, 'when_written', 0)"
    )


class TestAfterACrash:
    def test_the_answers_of_calls_that_were_under_way_are_lost_and_their_values_owed_again(
        self, office: Any, two_calls: Any
    ) -> None:
        file_id = office.plan(two_calls(2, 2))
        with office.ledger.begin() as connection:
            _order_file(connection)
            calls.add_calls(
                connection,
                [PlannedCall(Action.MARK_SUBMITTED, 1, 0, b"")],
                vendor="acme",
                order_file_id="o1",
                now=3,
            )
            (mark,) = calls.planned(connection, order_file_id="o1")
            first, _ = calls.planned(connection, file_id=file_id)
            calls.mark_sending(connection, [first.id, mark.id], 7)
        with office.ledger.begin() as connection:
            assert calls.lost(connection, 50, quarantine=10) == 2
            assert calls.lost(connection, 60, quarantine=10) == 0
            (mark,) = calls.calls_of(connection, order_file_id="o1")
            assert calls.next_restatement(connection) == 60
            assert calls.due_restatements(connection, "acme", 59) == []
            assert [row.id for row in calls.due_restatements(connection, "acme", 60)] == [first.id]
            assert calls.due_restatements(connection, "zenith", 60) == []
        assert states(office, file_id) == [CallState.UNCERTAIN, CallState.PLANNED]
        assert (mark.state, mark.restate_at) == (CallState.UNCERTAIN, None)

    def test_open_calls_are_those_whose_answer_is_owed(self, office: Any, two_calls: Any) -> None:
        file_id = office.plan(two_calls(2, 2))
        with office.ledger.begin() as connection:
            first, second = calls.planned(connection, file_id=file_id)
            calls.mark_sending(connection, [first.id], 7)
            assert [row.id for row in calls.open_calls(connection, "acme")] == [first.id, second.id]
            calls.record_answers(connection, [CallAnswer(first.id, CallState.CONFIRMED, 9)])
            assert [row.id for row in calls.open_calls(connection, "acme")] == [second.id]


class TestRestating:
    def test_is_a_call_of_its_own_that_ends_the_debt(
        self, office: Any, one_call: Any, make_call: Any
    ) -> None:
        file_id = office.plan(one_call(2))
        with office.ledger.begin() as connection:
            (first,) = calls.planned(connection, file_id=file_id)
            calls.mark_sending(connection, [first.id], 7)
            calls.record_answers(connection, [CallAnswer(first.id, CallState.UNCERTAIN, 9, restate_at=20)])
            calls.mark_sending(connection, [first.id], 10)
            calls.record_answers(connection, [CallAnswer(first.id, CallState.CONFIRMED, 11)])
            assert [row.id for row in calls.due_restatements(connection, "acme", 20)] == [first.id]
            restated = calls.call_row(
                connection, calls.add_restatement(connection, first.id, make_call([0, 1]), now=21)
            )
            assert calls.due_restatements(connection, "acme", 99) == []
            assert len(calls.calls_of(connection, file_id=file_id)) == 1
        assert (restated.parent_id, restated.file_id, restated.rows) == (first.id, None, 0)
        assert (restated.arrival, restated.feed, restated.state) == (
            first.arrival,
            first.feed,
            CallState.PLANNED,
        )


class TestSplitting:
    @given(st.lists(st.integers(0, 3), min_size=1, max_size=12))
    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_keeps_every_record_in_exactly_one_part(
        self, office: Any, make_call: Any, by_record: Any, cut: Any
    ) -> None:
        from filebridge.planning.plan import Plan

        file_id = office.plan(Plan((make_call(range(len(cut))),), by_record(len(cut))))
        (whole,) = office.deliver(file_id, CallState.REFUSED, "Unknown sku")
        parts = [[r for r, part in enumerate(cut) if part == number] for number in sorted(set(cut))]
        with office.ledger.begin() as connection:
            ids = calls.split(
                connection,
                whole,
                [CallPart(make_call(part).block, len(part), len(part)) for part in parts],
                now=3,
            )
            found = calls.blocks(connection, ids)
            rows = {row.id: row for row in calls.calls_of(connection, file_id=file_id)}
        assert [as_ints(unpack(found[call_id]).column("record")).tolist() for call_id in ids] == parts
        assert rows.pop(whole).state is CallState.SPLIT
        assert [row.id for row in rows.values()] == ids
        assert {row.parent_id for row in rows.values()} == {whole}
        assert {row.state for row in rows.values()} == {CallState.PLANNED}

    def test_refuses_parts_that_do_not_add_up(self, office: Any, one_call: Any, make_call: Any) -> None:
        file_id = office.plan(one_call(3))
        (whole,) = office.deliver(file_id, CallState.REFUSED)
        with pytest.raises(ValueError, match="do not add up"), office.ledger.begin() as connection:
            calls.split(connection, whole, [CallPart(make_call([0]).block, 1, 1)], now=3)
        assert states(office, file_id) == [CallState.REFUSED]

    def test_refuses_a_call_that_was_not_refused(self, office: Any, one_call: Any, make_call: Any) -> None:
        file_id = office.plan(one_call(1))
        (whole,) = office.deliver(file_id)
        with (
            pytest.raises(ValueError, match="is confirmed, not refused"),
            office.ledger.begin() as connection,
        ):
            calls.split(connection, whole, [CallPart(make_call([0]).block, 1, 1)], now=3)


class TestMoving:
    def test_touches_only_calls_that_are_in_the_states_named(self, office: Any, two_calls: Any) -> None:
        file_id = office.plan(two_calls(2, 2))
        with office.ledger.begin() as connection:
            first, second = [row.id for row in calls.planned(connection, file_id=file_id)]
            calls.mark_sending(connection, [first], 7)
            moved = calls.move(
                connection, [first, second], [CallState.PLANNED], CallState.HELD, now=9, answer="Too many"
            )
            kept = calls.move(connection, [second], [CallState.HELD], CallState.PLANNED, now=10)
            row = calls.call_row(connection, second)
            with pytest.raises(KeyError):
                calls.call_row(connection, 999)
        assert (moved, kept) == (1, 1)
        assert (row.state, row.answer) == (CallState.PLANNED, "Too many")
        assert states(office, file_id)[0] is CallState.SENDING
