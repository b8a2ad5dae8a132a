from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from filebridge.ledger import calls, plans
from filebridge.ledger.rows import outcomes_of, rows_of
from filebridge.ledger.schema import CallState, FileState
from filebridge.mapping.mapped import BY_RECORD, MappedFile, RowRuns
from filebridge.outcomes import FileStatus, Outcome
from filebridge.planning.plan import Action, Hold, Plan, PlannedCall
from filebridge.rejects import Note
from filebridge.tables.table import ReadHow


class TestAPlan:
    def test_is_written_down_with_all_that_was_found_of_the_file(self, office: Any, one_call: Any) -> None:
        how = ReadHow("csv", encoding="cp1252", delimiter=";", detected=("encoding", "delimiter"))
        mapped = MappedFile(
            "inventory",
            ("vpc",),
            ("SKU", "Größe"),
            how,
            2,
            2,
            0,
            one_call(2).runs,
            notes=(Note("a", "b", 3),),
        )
        plan = Plan(
            one_call(2).calls,
            mapped.runs,
            order_at=77,
            zeroed=4,
            zeroing_refused=True,
            notes=(Note("c", "d"),),
        )
        row = office.row(office.plan(plan, mapped=mapped, feed="nord", mapping="m.yaml", mapping_sha256="9"))
        assert (row.state, row.status, row.rows, row.order_at) == (
            FileState.PLANNED,
            FileStatus.PENDING,
            2,
            77,
        )
        assert (row.feed, row.mapping, row.mapping_sha256) == ("nord", "m.yaml", "9")
        assert (row.how, row.headers, row.notes) == (
            how,
            ("SKU", "Größe"),
            (Note("a", "b", 3), Note("c", "d")),
        )
        assert (row.zeroed, row.zeroing_refused) == (4, True)

    def test_can_be_made_anew_while_nothing_of_it_was_sent(
        self, office: Any, one_call: Any, runs: Any
    ) -> None:
        file_id = office.plan(one_call(3))
        office.plan(Plan((), runs([Outcome.UNCHANGED] * 3)), file_id=file_id)
        with office.ledger.read() as connection:
            assert calls.calls_of(connection, file_id=file_id) == []
            assert outcomes_of(connection, file_id) == {Outcome.UNCHANGED: 3}

    def test_is_not_made_anew_once_something_was_sent(self, office: Any, one_call: Any) -> None:
        file_id = office.plan(one_call(3))
        office.deliver(file_id, CallState.PLANNED)
        with pytest.raises(ValueError, match="calls that were sent"):
            office.plan(one_call(3), file_id=file_id)
        with office.ledger.read() as connection:
            assert outcomes_of(connection, file_id) == {Outcome.PENDING: 3}

    def test_of_a_million_rows_takes_a_moment(self, office: Any) -> None:
        block = b"x" * 10_000
        numbers = np.arange(1_000_000, dtype=np.int32)
        by_record = RowRuns.of_rows(numbers + 2, np.full(1_000_000, BY_RECORD, np.int32), numbers)
        plan = Plan(tuple(PlannedCall(Action.UPDATE, 1000, 1000, block) for _ in range(1000)), by_record)
        file_id = office.claim()
        start = time.perf_counter()
        office.plan(plan, file_id=file_id)
        assert time.perf_counter() - start < 1.0  # measured 0.06
        with office.ledger.read() as connection:
            assert len(calls.planned(connection, file_id=file_id)) == 1000


class TestARefusal:
    def test_is_the_reason_of_a_file_that_was_not_read(self, office: Any) -> None:
        file_id = office.claim()
        with office.ledger.begin() as connection:
            status = plans.save_refusal(connection, file_id, "empty_file", "It has no rows.")
            assert plans.settle(connection, file_id, 5) is status is FileStatus.REJECTED
            assert outcomes_of(connection, file_id) == {}
        row = office.row(file_id)
        assert (row.state, row.code, row.message, row.settled_at) == (
            FileState.SETTLED,
            "empty_file",
            "It has no rows.",
            5,
        )


class TestSettling:
    def test_waits_while_a_row_is_in_a_passing_state(self, office: Any, one_call: Any) -> None:
        file_id = office.plan(one_call(3))
        office.settle(file_id)
        assert office.row(file_id).state is FileState.PLANNED
        office.deliver(file_id, CallState.UNCERTAIN)
        office.settle(file_id)
        row = office.row(file_id)
        assert (row.state, row.status, row.settled_at) == (FileState.PLANNED, FileStatus.PENDING, None)

    def test_writes_the_status_and_the_time_once_every_row_has_its_end(
        self, office: Any, one_call: Any
    ) -> None:
        file_id = office.plan(one_call(3))
        office.deliver(file_id)
        office.settle(file_id)
        row = office.row(file_id)
        assert (row.state, row.status, row.settled_at) == (FileState.SETTLED, FileStatus.ACCEPTED, office.now)

    def test_says_that_a_file_is_held_for_the_number_of_its_refusals(
        self, office: Any, one_call: Any
    ) -> None:
        file_id = office.plan(one_call(3))
        office.deliver(file_id, CallState.HELD, "Unknown sku")
        office.settle(file_id)
        row = office.row(file_id)
        assert (row.status, row.hold_code) == (FileStatus.HELD, "too_many_refusals")
        assert "3 rows could not be told apart: Unknown sku" in row.hold_message
        with office.ledger.begin() as connection:
            assert plans.retry(connection, file_id) == 1
        row = office.row(file_id)
        assert (row.state, row.hold_code, row.settled_at) == (FileState.PLANNED, "", None)
        office.deliver(file_id)
        office.settle(file_id)
        assert office.row(file_id).status is FileStatus.ACCEPTED

    def test_holds_a_file_without_rows_too(self, office: Any, runs: Any) -> None:
        file_id = office.plan(Plan((), runs([]), hold=Hold("guard", "The file is empty.")))
        office.settle(file_id)
        assert office.row(file_id).status is FileStatus.HELD
        with office.ledger.begin() as connection:
            assert (
                plans.discard(connection, file_id, message="Discarded by ann.", now=9) is FileStatus.REJECTED
            )


class TestDecisions:
    def held(self, office: Any, runs: Any) -> str:
        plan = Plan(
            (), runs([Outcome.HELD, Outcome.REJECTED, Outcome.HELD]), hold=Hold("guard", "Half is gone.")
        )
        file_id: str = office.plan(plan)
        office.settle(file_id)
        return file_id

    def test_a_held_file_that_is_let_go_is_planned_anew(self, office: Any, runs: Any, one_call: Any) -> None:
        file_id = self.held(office, runs)
        with office.ledger.begin() as connection:
            assert plans.reopen(connection, file_id, released=True)
        row = office.row(file_id)
        assert (row.state, row.released, row.forced) == (FileState.TAKEN, True, False)
        office.plan(one_call(3), file_id=file_id)
        row = office.row(file_id)
        assert (row.released, row.hold_code, row.status) == (True, "", FileStatus.PENDING)

    def test_a_file_of_which_something_was_sent_is_not_planned_anew(self, office: Any, one_call: Any) -> None:
        file_id = office.plan(one_call(3))
        office.deliver(file_id, CallState.REFUSED)
        office.settle(file_id)
        with office.ledger.begin() as connection:
            assert not plans.reopen(connection, file_id)
        assert office.row(file_id).state is FileState.SETTLED

    def test_a_file_that_is_at_work_is_not_planned_anew(self, office: Any, one_call: Any) -> None:
        file_id = office.plan(one_call(3))
        with office.ledger.begin() as connection:
            assert not plans.reopen(connection, file_id)

    def test_what_waits_of_a_discarded_file_is_rejected_as_discarded(self, office: Any, runs: Any) -> None:
        file_id = self.held(office, runs)
        with office.ledger.begin() as connection:
            assert (
                plans.discard(connection, file_id, message="Discarded by ann.", now=9) is FileStatus.REJECTED
            )
            rows = rows_of(connection, file_id)
        assert [row.outcome for row in rows] == [Outcome.REJECTED] * 3
        assert [(reason.code, reason.message) for reason in rows[0].reasons] == [
            ("discarded", "Discarded by ann.")
        ]
        assert (office.row(file_id).settled_at, office.row(file_id).hold_code) == (9, "")

    def test_what_was_delivered_of_a_discarded_file_stays_delivered(
        self, office: Any, two_calls: Any
    ) -> None:
        file_id = office.plan(two_calls(2, 3))
        with office.ledger.begin() as connection:
            first, _ = [row.id for row in calls.planned(connection, file_id=file_id)]
            calls.mark_sending(connection, [first], 1)
            calls.record_answers(connection, [calls.CallAnswer(first, CallState.CONFIRMED, 2)])
            status = plans.discard(connection, file_id, message="Discarded by ann.", now=9)
            assert outcomes_of(connection, file_id) == {Outcome.DELIVERED: 2, Outcome.REJECTED: 3}
        assert status is FileStatus.ACCEPTED_WITH_REJECTS

    def test_a_file_of_which_nothing_waits_stays_as_it_is(self, office: Any, one_call: Any) -> None:
        file_id = office.plan(one_call(3))
        office.deliver(file_id)
        office.settle(file_id)
        before = office.row(file_id)
        with office.ledger.begin() as connection:
            assert plans.discard(connection, file_id, message="no", now=9) is FileStatus.ACCEPTED
            assert plans.retry(connection, file_id) == 0
        assert office.row(file_id) == before
