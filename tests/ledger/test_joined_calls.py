"""What the journal holds about POs: what is told of the past, and what rows share that another call carries."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from filebridge.columns import int_array, pack, text_column
from filebridge.ledger import calls, plans, po_calls
from filebridge.ledger.rows import outcomes_of, rows_of
from filebridge.ledger.schema import CallState, FileState
from filebridge.outcomes import FileStatus, Outcome
from filebridge.planning.plan import Action, Hold, Plan, PlannedCall

PARTIAL = Hold("partial_shipment", "PO D1 waits for its other rows.")
ACCEPT, DATES, COMPLETE = Action.MARK_ACCEPTED, Action.UPDATE_EST_SHIP_DATE, Action.COMPLETE


def po_call(action: Action, *pos: str, numbers: Sequence[int] | None = None, **more: Any) -> PlannedCall:
    """A call about these POs; the record of the n-th is that of the file's n-th PO, if nothing else is said."""
    records = [json.dumps({"po": po, "of": action.value}) for po in pos]
    places = np.array(range(len(pos)) if numbers is None else numbers, dtype=np.int32)
    batch = pa.RecordBatch.from_arrays([text_column(records), int_array(places)], names=["records", "record"])
    return PlannedCall(action, len(pos), len(pos), pack(batch), pos=pos, **more)


class Desk:
    """An office with short ways to plan files about POs."""

    def __init__(self, office: Any, by_record: Any) -> None:
        self.office, self._by_record, self.ledger = office, by_record, office.ledger

    def plan(self, *planned: PlannedCall, rows: int = 1, replaces: tuple[int, ...] = ()) -> str:
        plan = Plan(tuple(planned), self._by_record(rows), replaces=replaces)
        return str(self.office.plan(plan, feed="shipments"))

    def settled(self, *planned: PlannedCall, **how: Any) -> str:
        """A file that is planned, and at its end for now."""
        file_id = self.plan(*planned, **how)
        self.office.settle(file_id)
        return file_id

    def ids(self, file_id: str) -> list[int]:
        with self.ledger.read() as connection:
            return [row.id for row in calls.calls_of(connection, file_id=file_id)]

    def ends(self, file_id: str) -> dict[Outcome, int]:
        with self.ledger.read() as connection:
            return outcomes_of(connection, file_id)

    def reasons(self, file_id: str) -> list[list[str]]:
        with self.ledger.read() as connection:
            found = rows_of(connection, file_id)
        return [[reason.code for reason in row.reasons] for row in found]

    def about(self, *pos: str, but_of: str = "", vendor: str = "acme") -> list[po_calls.PoCall]:
        with self.ledger.read() as connection:
            return po_calls.calls_about(connection, vendor, pos, but_of=but_of)

    def discard(self, file_id: str) -> FileStatus:
        with self.ledger.begin() as connection:
            return plans.discard(connection, file_id, message="Discarded by jo.", now=self.office.now)

    def state(self, file_id: str) -> FileState:
        state: FileState = self.office.row(file_id).state
        return state


@pytest.fixture
def desk(office: Any, by_record: Any) -> Desk:
    return Desk(office, by_record)


class TestWhatIsTold:
    def test_is_what_was_confirmed_is_owed_or_waits_in_the_order_of_the_calls(self, desk: Desk) -> None:
        done = desk.plan(po_call(ACCEPT, "D1", "D2"), rows=2)
        desk.office.deliver(done)
        waits = desk.plan(po_call(COMPLETE, "D1", waits=PARTIAL))
        owed = desk.plan(po_call(DATES, "D1"))
        refused = desk.plan(po_call(COMPLETE, "D1"))
        desk.office.deliver(refused, CallState.REFUSED)
        found = desk.about("D1")
        assert [(one.file_id, one.action, one.is_open, one.waits) for one in found] == [
            (done, ACCEPT, False, False),
            (waits, COMPLETE, False, True),
            (owed, DATES, True, False),
        ]
        assert (found[1].code, found[1].message) == (PARTIAL.code, PARTIAL.message)
        assert [one.po for one in desk.about("D2", "D9")] == ["D2"]

    def test_is_the_records_of_that_po_alone(self, desk: Desk) -> None:
        desk.plan(po_call(DATES, "D1", "D2", "D1", numbers=[0, 1, 0]), rows=2)
        first, second = sorted(desk.about("D1", "D2"), key=lambda one: one.po)
        assert (len(first.records), len(second.records)) == (2, 1)
        assert {record["po"] for record in first.records} == {"D1"}

    def test_leaves_out_the_file_itself_and_other_vendors(self, desk: Desk) -> None:
        file_id = desk.plan(po_call(COMPLETE, "D1", waits=PARTIAL))
        assert desk.about("D1", but_of=file_id) == []
        assert desk.about("D1", vendor="zenith") == []

    def test_of_a_call_in_parts_is_told_by_the_part(self, desk: Desk) -> None:
        file_id = desk.plan(po_call(ACCEPT, "D1", "D2"), rows=2)
        (whole,) = desk.office.deliver(file_id, CallState.REFUSED)
        parts = [
            calls.CallPart(po_call(ACCEPT, po, numbers=[place]).block, 1, 1, (po,))
            for place, po in enumerate(("D1", "D2"))
        ]
        with desk.ledger.begin() as connection:
            first, second = calls.split(connection, whole, parts, now=2_000)
        assert [(one.id, one.po) for one in desk.about("D1", "D2")] == [(first, "D1"), (second, "D2")]


class TestWhatWaits:
    def test_is_held_and_settles_its_file(self, desk: Desk) -> None:
        file_id = desk.settled(po_call(COMPLETE, "D1", waits=PARTIAL))
        assert desk.ends(file_id) == {Outcome.HELD: 1}
        assert desk.reasons(file_id) == [["partial_shipment"]]
        assert desk.office.row(file_id).status is FileStatus.HELD
        assert desk.state(file_id) is FileState.SETTLED

    def test_that_is_said_anew_is_superseded_and_its_file_answered_anew(self, desk: Desk) -> None:
        first = desk.settled(po_call(COMPLETE, "D1", waits=PARTIAL))
        desk.settled(po_call(COMPLETE, "D1", waits=PARTIAL), replaces=tuple(desk.ids(first)))
        assert desk.ends(first) == {Outcome.SUPERSEDED: 1}
        assert desk.state(first) is FileState.PLANNED

    @pytest.mark.parametrize(
        ("state", "outcome"),
        [
            (CallState.CONFIRMED, Outcome.DELIVERED),
            (CallState.REFUSED, Outcome.REJECTED),
            (CallState.UNCERTAIN, Outcome.UNCERTAIN),
        ],
    )
    def test_shares_the_end_of_the_call_that_carries_it(
        self, desk: Desk, state: CallState, outcome: Outcome
    ) -> None:
        first = desk.settled(po_call(COMPLETE, "D1", waits=PARTIAL))
        second = desk.settled(po_call(COMPLETE, "D1", waits=PARTIAL))
        joins = (*desk.ids(first), *desk.ids(second))
        last = desk.plan(po_call(COMPLETE, "D1", joins=joins))
        for file_id in (first, second):
            assert desk.ends(file_id) == {Outcome.PENDING: 1}
            assert desk.state(file_id) is FileState.PLANNED
        desk.office.deliver(last, state, answer="words")
        for file_id in (first, second, last):
            assert desk.ends(file_id) == {outcome: 1}
        assert [one.file_id for one in desk.about("D1")] == ([] if state is CallState.REFUSED else [last])

    def test_is_not_delivered_before_the_date_beside_its_acceptance_is(self, desk: Desk) -> None:
        first = desk.settled(po_call(ACCEPT, "D1", waits=PARTIAL))
        last = desk.plan(po_call(ACCEPT, "D1", joins=tuple(desk.ids(first))), po_call(DATES, "D1"))
        with desk.ledger.begin() as connection:
            accept, date = (row.id for row in calls.planned(connection, file_id=last))
            calls.mark_sending(connection, [accept, date], 1_000)
            answers = [
                calls.CallAnswer(accept, CallState.CONFIRMED, 1_000),
                calls.CallAnswer(date, CallState.REFUSED, 1_000, answer="a holiday"),
            ]
            calls.record_answers(connection, answers)
        for file_id in (first, last):
            assert desk.ends(file_id) == {Outcome.REJECTED: 1}
            with desk.ledger.read() as connection:
                (row,) = rows_of(connection, file_id)
            (reason,) = row.reasons
            assert reason.code == "refused_by_retailops"
            assert "accepted" in reason.message and "a holiday" in reason.message

    def test_that_is_given_up_is_told_no_more(self, desk: Desk) -> None:
        first = desk.settled(po_call(COMPLETE, "D1", waits=PARTIAL))
        assert desk.discard(first) is FileStatus.REJECTED
        assert desk.reasons(first) == [["discarded"]]
        assert desk.about("D1") == []

    def test_waits_again_where_the_file_that_carried_it_is_given_up(self, desk: Desk) -> None:
        first = desk.settled(po_call(COMPLETE, "D1", waits=PARTIAL))
        last = desk.plan(po_call(COMPLETE, "D1", joins=tuple(desk.ids(first))))
        desk.discard(last)
        assert desk.ends(first) == {Outcome.HELD: 1}
        assert desk.reasons(first) == [["partial_shipment"]]
        assert [(one.file_id, one.waits) for one in desk.about("D1")] == [(first, True)]

    def test_is_listed_by_vendor_file_and_po(self, desk: Desk) -> None:
        first = desk.settled(po_call(COMPLETE, "D1", waits=PARTIAL))
        desk.settled(po_call(COMPLETE, "D2", waits=PARTIAL))
        desk.settled(po_call(COMPLETE, "D3"))
        with desk.ledger.read() as connection:
            pos = [one.po for one in po_calls.waiting_calls(connection, "acme")]
            of_first = [one.po for one in po_calls.waiting_calls(connection, file_id=first)]
            of_second = [one.po for one in po_calls.waiting_calls(connection, po="D2")]
            of_others = po_calls.waiting_calls(connection, "zenith")
        assert (pos, of_first, of_second, of_others) == (["D1", "D2"], ["D1"], ["D2"], [])


class TestRowsThatFollow:
    def test_have_the_end_of_what_they_say_again(self, desk: Desk) -> None:
        first = desk.plan(po_call(COMPLETE, "D1"))
        second = desk.plan(po_call(COMPLETE, "D1", follows=desk.ids(first)[0]))
        assert desk.ends(second) == {Outcome.PENDING: 1}
        assert [one.file_id for one in desk.about("D1")] == [first]
        desk.office.deliver(first, CallState.REFUSED, answer="no")
        assert desk.ends(second) == {Outcome.REJECTED: 1}
        assert desk.reasons(second) == [["refused_by_retailops"]]

    def test_wait_with_what_waits_go_with_it_and_can_be_given_up_alone(self, desk: Desk) -> None:
        first = desk.settled(po_call(COMPLETE, "D1", waits=PARTIAL))
        (kept,) = desk.ids(first)
        second, third = (desk.settled(po_call(COMPLETE, "D1", follows=kept, waits=PARTIAL)) for _ in range(2))
        assert desk.ends(second) == desk.ends(third) == {Outcome.HELD: 1}
        assert desk.discard(third) is FileStatus.REJECTED
        last = desk.plan(po_call(COMPLETE, "D1", joins=(kept,)))
        with desk.ledger.read() as connection:
            assert po_calls.carried_files(connection, "acme") >= {first, second}
        desk.office.deliver(last)
        assert [desk.ends(one) for one in (first, second, third)] == [
            {Outcome.DELIVERED: 1},
            {Outcome.DELIVERED: 1},
            {Outcome.REJECTED: 1},
        ]


def test_a_file_with_rows_that_are_carried_is_not_planned_anew(desk: Desk) -> None:
    first = desk.settled(po_call(COMPLETE, "D1", waits=PARTIAL))
    desk.plan(po_call(COMPLETE, "D1", joins=tuple(desk.ids(first))))
    with desk.ledger.begin() as connection:
        assert plans.reopen(connection, first) is False
    with pytest.raises(ValueError, match="cannot be planned anew"):
        desk.office.plan(Plan((), desk._by_record(1)), file_id=first)


def test_the_pos_that_a_file_has_confirmed(desk: Desk) -> None:
    file_id = desk.plan(po_call(ACCEPT, "D1", "D2"), po_call(COMPLETE, "D3", numbers=[2]), rows=3)
    desk.office.deliver(file_id)
    with desk.ledger.read() as connection:
        assert sorted(po_calls.pos_of_file(connection, file_id, ACCEPT)) == ["D1", "D2"]
        assert po_calls.pos_of_file(connection, file_id, COMPLETE) == ["D3"]
