"""The calls of the four documents about POs: lost, refused, repeated, and in order within a PO."""

import threading
from dataclasses import replace
from typing import NamedTuple

import pytest

from filebridge.delivery import Delivery, Trouble
from filebridge.ledger.schema import CallState
from filebridge.milestones import _observers, observe
from filebridge.planning.plan import Action

ACCEPT, DATES, COMPLETE = Action.MARK_ACCEPTED, Action.UPDATE_EST_SHIP_DATE, Action.COMPLETE


def statuses(sandbox):
    return {name: po["status"] for name, po in sandbox.state.pos.items()}


def dates(sandbox):
    """Day of the estimated ship date of each PO that has one, by what RetailOps holds now."""
    return {
        name: int(po["estimated_ship_date"][8:10])
        for name, po in sandbox.state.pos.items()
        if "estimated_ship_date" in po
    }


class Mark(NamedTuple):
    """A mark of a PO: what says it, the statuses before and after, and the sandbox's name of the call."""

    word: str
    before: str
    after: str
    action: str


MARKS = [
    Mark("submitted", "ready", "submitted", "mark_submitted"),
    Mark("accepted", "submitted", "accepted", "mark_accepted"),
    Mark("complete", "accepted", "complete", "complete"),
]
EACH_MARK = pytest.mark.parametrize("mark", MARKS, ids=[mark.word for mark in MARKS])


@EACH_MARK
@pytest.mark.parametrize("kind", ["drop_after", "http_error_after", "short_body"])
def test_a_mark_that_took_effect_is_found_out_and_not_sent_again(book, sandbox, mark, kind):
    book.add("D1", status=mark.before)
    file_id = book.plan_pos(getattr(book.said, mark.word)("D1"))
    sandbox.faults.add(kind=kind, action=mark.action)
    assert book.deliver(file_id=file_id) == Delivery(states={CallState.CONFIRMED: 1})
    assert book.sent() == [["D1"]]
    assert statuses(sandbox) == {"D1": mark.after}


@EACH_MARK
@pytest.mark.parametrize("kind", ["drop_before", "html", "dispatcher_shutdown"])
def test_a_mark_that_took_no_effect_is_sent_again(book, sandbox, mark, kind):
    book.add("D1", status=mark.before)
    file_id = book.plan_pos(getattr(book.said, mark.word)("D1"))
    sandbox.faults.add(kind=kind, action=mark.action)
    assert book.deliver(file_id=file_id).confirmed == 1
    assert book.sent() == [["D1"]] * 2
    assert statuses(sandbox) == {"D1": mark.after}


@EACH_MARK
def test_an_answer_that_says_already_is_believed_after_a_look(book, sandbox, mark):
    book.add("D1", status=mark.after)
    file_id = book.plan_pos(getattr(book.said, mark.word)("D1"))
    assert book.deliver(file_id=file_id).confirmed == 1
    assert [call.action for call in sandbox.calls][-1] == "Vendor.PO.fetch"
    assert book.sent() == [["D1"]]


@EACH_MARK
def test_an_answer_that_says_already_against_a_look_is_a_refusal(book, sandbox, mark):
    book.add("D1", status=mark.before)
    file_id = book.plan_pos(getattr(book.said, mark.word)("D1"))
    sandbox.faults.add(kind="error", action=mark.action, text=f"PO D1 status: {mark.after}")
    assert book.deliver(file_id=file_id).states == {CallState.REFUSED: 1}
    assert book.calls(file_id=file_id)[0].answer == f"PO D1 status: {mark.after} (general)"


@EACH_MARK
def test_a_mark_of_a_po_that_is_gone_is_dropped_and_says_so(book, sandbox, mark):
    book.add("D1", status="canceled")
    file_id = book.plan_pos(getattr(book.said, mark.word)("D1"))
    sandbox.faults.add(kind="drop_before", action=mark.action)
    assert book.deliver(file_id=file_id).states == {CallState.DROPPED: 1}
    assert book.calls(file_id=file_id)[0].answer == "RetailOps has PO D1 in status canceled."


@pytest.mark.parametrize("status", ["open", "ready", "submitted", "accepted", "receiving"])
def test_no_status_but_complete_says_that_a_po_was_completed(book, sandbox, status):
    book.add("D1", status=status)
    file_id = book.plan_pos(book.said.complete("D1"))
    sandbox.faults.add(kind="drop_before", action="complete")
    book.deliver(file_id=file_id)
    assert len(book.sent()) == 2


def test_a_complete_that_was_under_way_when_the_program_ended_is_looked_up_first(book, sandbox):
    book.add("D1", "D2")
    file_id = book.plan_pos(book.said.complete("D1"), book.said.complete("D2"))
    book.lose(file_id=file_id)
    sandbox.state.change_po("D1", fields={"status": "complete"})
    assert book.deliver(file_id=file_id).confirmed == 2
    assert book.sent() == [["D2"]]


def test_completes_whose_answers_were_lost_are_looked_up_together(book, sandbox):
    pos = [f"D{number}" for number in range(40)]
    book.add(*pos)
    file_id = book.plan_pos(*(book.said.complete(po) for po in pos))
    book.lose(file_id=file_id)
    assert book.deliver(file_id=file_id).confirmed == 40
    looks = [call for call in sandbox.calls if call.action == "Vendor.PO.fetch"]
    assert len(looks) == 1
    assert sorted(book.sent()) == sorted([po] for po in pos)


def test_while_nobody_can_be_asked_a_complete_stays_uncertain_and_the_others_wait(book, sandbox):
    pos = [f"D{number}" for number in range(100)]
    book.add(*pos)
    file_id = book.plan_pos(*(book.said.complete(po) for po in pos))
    sandbox.faults.add(kind="drop_after", action="complete")
    sandbox.faults.add(kind="html_502", action="fetch", times=0)
    delivery = book.deliver(file_id=file_id)
    assert delivery.trouble is Trouble.UNREACHABLE
    assert delivery.states[CallState.UNCERTAIN] == 1
    assert delivery.confirmed + delivery.left == 100
    sandbox.faults.clear()
    assert book.deliver(file_id=file_id).left == 0
    assert sorted(book.sent()) == sorted([po] for po in pos)


def test_a_complete_that_lands_late_is_not_repeated(book, sandbox):
    book.add("D1")
    file_id = book.plan_pos(book.said.complete("D1"))
    sandbox.faults.add(kind="drop_after", action="complete")
    sandbox.faults.add(kind="error", action="complete", text="PO D1 status: complete", on=2)
    assert book.deliver(file_id=file_id).confirmed == 1
    assert len(book.sent()) == 1


def test_many_completes_go_at_once(book, sandbox):
    pos = [f"D{number}" for number in range(8)]
    book.add(*pos)
    file_id = book.plan_pos(*(book.said.complete(po) for po in pos))
    sandbox.faults.add(kind="hold", when="before", action="complete", times=4)
    thread = threading.Thread(target=book.deliver, kwargs={"file_id": file_id})
    thread.start()
    sandbox.wait_until_held(4)
    sandbox.release()
    thread.join(10)
    assert book.states(file_id=file_id) == ["confirmed"] * 8


def test_a_refused_complete_is_refused_in_retailops_own_words(book, sandbox):
    book.add("D1")
    sandbox.state.remove_ship_classes([60])
    file_id = book.plan_pos(book.said.complete("D1"))
    assert book.deliver(file_id=file_id).states == {CallState.REFUSED: 1}
    assert book.calls(file_id=file_id)[0].answer == "PO D1 package idx 1: invalid ship_class_id 60 (general)"


# An acceptance with a date


def test_a_date_goes_after_the_acceptances_of_its_file(book, sandbox):
    book.add("D1", "D2", "D3")
    file_id = book.plan_pos(
        book.said.ship_dates("D1", "D3"), book.said.accepted("D1", "D2"), book.said.accepted("D3")
    )
    sandbox.faults.add(kind="too_many", action="mark_accepted", retry_after="0")
    assert book.deliver(file_id=file_id).confirmed == 3
    assert book.sent_by_action()[-1] == ("UpdateEstShipDate", ["D1", "D3"])
    assert {name for name, _ in book.sent_by_action()[:-1]} == {"MarkAccepted"}
    assert dates(sandbox) == {"D1": 1, "D3": 1}


def test_a_date_whose_acceptance_is_refused_is_not_sent(book, sandbox):
    book.add("D1", "D3")
    book.add("D2", status="canceled")
    file_id = book.plan_pos(
        book.said.accepted("D1", "D2", "D3"), book.said.ship_dates("D1", "D2", "D3"), rows_per_po=2
    )
    delivery = book.deliver(file_id=file_id)
    assert book.states_by_po(file_id, ACCEPT) == {"D1": "confirmed", "D2": "refused", "D3": "confirmed"}
    assert book.states_by_po(file_id, DATES) == {"D1": "confirmed", "D2": "superseded", "D3": "confirmed"}
    assert delivery.states[CallState.SUPERSEDED] == 1
    assert ("UpdateEstShipDate", ["D1", "D3"]) in book.sent_by_action()
    assert book.is_whole(file_id)


def test_a_date_whose_acceptance_is_dropped_is_not_sent(book, sandbox):
    book.add("D1", status="canceled")
    file_id = book.plan_pos(book.said.accepted("D1"), book.said.ship_dates("D1"))
    sandbox.faults.add(kind="drop_before", action="mark_accepted")
    assert book.deliver(file_id=file_id).states == {CallState.DROPPED: 1, CallState.SUPERSEDED: 1}
    assert len(book.sent()) == 1


def test_a_date_whose_acceptance_is_held_is_held(book, sandbox):
    book.add("D1", "D2", "D3", status="canceled")
    file_id = book.plan_pos(book.said.accepted("D1", "D2", "D3"), book.said.ship_dates("D1", "D2"))
    delivery = book.deliver(channel=replace(book.channel, extra_calls=1), file_id=file_id)
    assert set(book.states_by_po(file_id).values()) == {"held"}
    assert set(delivery.states) == {CallState.HELD}
    assert len({one.answer for one in book.calls(file_id=file_id) if one.state == "held"}) == 1


def test_a_date_whose_acceptance_has_no_end_waits_for_the_next_pass(book, sandbox):
    book.add("D1", "D2")
    file_id = book.plan_pos(
        book.said.accepted("D1"), book.said.accepted("D2"), book.said.ship_dates("D1", "D2", "D3")
    )
    book.add("D3", status="accepted")
    sandbox.faults.add(kind="too_many", action="mark_accepted", on=2, retry_after="0")
    delivery = book.deliver(channel=replace(book.channel, attempts=1, concurrency=1), file_id=file_id)
    assert delivery.states == {CallState.PLANNED: 2, CallState.CONFIRMED: 2}
    assert book.states_by_po(file_id, DATES) == {"D1": "confirmed", "D2": "planned", "D3": "confirmed"}
    assert book.is_whole(file_id)
    assert book.deliver(file_id=file_id).confirmed == 2
    assert dates(sandbox) == {"D1": 1, "D2": 1, "D3": 1}


def test_two_dates_of_one_po_are_one_call_and_never_under_way_together(book, sandbox):
    book.add("D1", "D2")
    action, first = book.said.ship_dates("D1", "D2", day=1, items=[(456, 1)])
    _, second = book.said.ship_dates("D1", "D2", day=2, items=[(456, 1)])
    mixed = [first[0], second[0], first[1], second[1]]
    file_id = book.plan_pos((action, mixed), rows_per_po=3)
    sandbox.faults.add(kind="error", action="update_est_ship_date", text="something of it is wrong")
    sandbox.faults.add(kind="error", action="update_est_ship_date", text="still", on=2, times=2)
    assert book.deliver(file_id=file_id).confirmed == 4
    assert book.is_whole(file_id)
    assert sorted(book.sent()[-4:]) == [["D1"], ["D1"], ["D2"], ["D2"]]
    leaves = [one for one in book.calls(file_id=file_id) if one.state != "split"]
    assert sorted(one.rows for one in leaves) == [0, 0, 3, 3]
    assert {call_id for call_id, _ in book.pos_named(file_id)} == {one.id for one in leaves}


def test_the_dates_of_one_po_are_sent_one_after_the_other(book, sandbox):
    book.add("D1", "D2")
    file_id = book.plan_pos(
        book.said.ship_dates("D1", day=1, items=[(456, 1)]),
        book.said.ship_dates("D1", day=2, items=[(456, 1)]),
        book.said.ship_dates("D2", day=1),
    )
    sandbox.faults.add(kind="hold", when="before", action="update_est_ship_date", times=2)
    thread = threading.Thread(target=book.deliver, kwargs={"file_id": file_id})
    thread.start()
    sandbox.wait_until_held(2)
    assert sorted(book.states(file_id=file_id)) == ["planned", "sending", "sending"]
    sandbox.release()
    thread.join(10)
    assert book.states(file_id=file_id) == ["confirmed"] * 3


@pytest.mark.parametrize("per_record", [False, True], ids=["whole call", "per record"])
def test_refused_dates_stand_alone_in_the_end(book, sandbox, per_record):
    book.add("D1", "D2", "D3", "D4", "D5")
    sandbox.settings = sandbox.settings.changed({"per_record": per_record})
    sandbox.state.change_po("D4", fields={"status": "complete"})
    file_id = book.plan_pos(book.said.ship_dates("D1", "D2", "D3", "D4", "D5"))
    book.deliver(file_id=file_id)
    assert (book.keys("refused"), book.keys("confirmed")) == (["D4"], ["D1", "D2", "D3", "D5"])


# Across files


def test_calls_about_one_po_do_not_overtake_each_other(book, sandbox):
    book.add("D1", "D2")
    first = book.plan_pos(book.said.accepted("D1"))
    sandbox.faults.add(kind="html_502", times=0)
    book.deliver(file_id=first)
    assert book.states(file_id=first) == ["uncertain"]
    sandbox.faults.clear()
    second = book.plan_pos(book.said.complete("D1"), book.said.complete("D2"))
    assert book.deliver(file_id=second).states == {CallState.PLANNED: 1, CallState.CONFIRMED: 1}
    assert statuses(sandbox) == {"D1": "submitted", "D2": "complete"}
    assert book.deliver(file_id=first).confirmed == 1
    assert book.deliver(file_id=second).confirmed == 1
    assert statuses(sandbox) == {"D1": "complete", "D2": "complete"}


def test_of_a_call_of_many_pos_only_those_stay_that_wait(book, sandbox):
    book.add("D1", "D2", "D3")
    first = book.plan_pos(book.said.submitted("D2"))
    second = book.plan_pos(book.said.accepted("D1", "D2", "D3"), rows_per_po=2)
    assert book.deliver(file_id=second).states == {CallState.CONFIRMED: 1, CallState.PLANNED: 1}
    assert book.states_by_po(second) == {"D1": "confirmed", "D2": "planned", "D3": "confirmed"}
    assert book.is_whole(second)
    calls_before = book.calls(file_id=second)
    assert book.deliver(file_id=second).states == {CallState.PLANNED: 1}
    assert book.calls(file_id=second) == calls_before
    assert book.deliver(file_id=first).confirmed == 1
    assert book.deliver(file_id=second).confirmed == 1


def test_a_part_of_a_call_stands_in_line_where_the_whole_call_stood(book, sandbox):
    book.add("D1", "D2")
    blocker = book.plan_pos(book.said.accepted("D1"))
    first = book.plan_pos(book.said.ship_dates("D1", "D2", day=1))
    second = book.plan_pos(book.said.ship_dates("D1", day=2))
    assert book.deliver(file_id=first).states == {CallState.PLANNED: 1, CallState.CONFIRMED: 1}
    assert book.deliver(file_id=second).states == {CallState.PLANNED: 1}
    assert book.deliver(file_id=blocker).confirmed == 1
    assert book.deliver(file_id=second).states == {CallState.PLANNED: 1}
    assert book.deliver(file_id=first).confirmed == 1
    assert book.deliver(file_id=second).confirmed == 1
    assert dates(sandbox) == {"D1": 2, "D2": 1}


def test_an_acceptance_waits_for_the_mark_of_its_po_file(book, sandbox):
    book.add("D1", status="ready")
    order_file_id = book.plan_marks(sandbox.state.pos["D1"])
    file_id = book.plan_pos(book.said.accepted("D1"))
    assert book.deliver(file_id=file_id).states == {CallState.PLANNED: 1}
    assert book.deliver(order_file_id=order_file_id).confirmed == 1
    assert book.deliver(file_id=file_id).confirmed == 1
    assert statuses(sandbox) == {"D1": "accepted"}


def test_a_later_call_holds_nobody_up(book, sandbox):
    book.add("D1")
    first = book.plan_pos(book.said.accepted("D1"))
    book.plan_pos(book.said.complete("D1"))
    assert book.deliver(file_id=first).confirmed == 1


def test_what_waits_for_other_rows_is_neither_sent_nor_counted(book, sandbox):
    book.add("D1", "D2")
    file_id = book.plan_pos(book.said.complete("D1"), book.said.complete("D2"))
    with book.ledger.begin() as connection:
        connection.exec_driver_sql("UPDATE call SET state = 'waiting' WHERE id = 1")
    assert book.deliver(file_id=file_id).states == {CallState.CONFIRMED: 1}
    assert book.deliver(file_id=file_id) == Delivery()
    assert book.states_by_po(file_id) == {"D1": "waiting", "D2": "confirmed"}
    assert book.sent() == [["D2"]]


# Ship dates state absolute values


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "http_error"])
def test_a_date_without_a_reliable_answer_is_sent_again_and_stated_once_more(clock, book, sandbox, kind):
    book.add("D1", "D2")
    file_id = book.plan_pos(book.said.ship_dates("D1", "D2", day=3))
    sandbox.faults.add(kind=kind, action="update_est_ship_date")
    assert book.deliver(file_id=file_id).confirmed == 1
    assert book.sent() == [["D1", "D2"]] * 2
    assert book.restate() == Delivery()
    clock.advance(601)
    assert book.restate() == Delivery(states={CallState.CONFIRMED: 1})
    assert book.restate() == Delivery()
    assert book.sent() == [["D1", "D2"]] * 3
    assert sandbox.calls[-1].body == sandbox.calls[0].body


def test_a_date_that_was_under_way_when_the_program_ended_is_sent_again_and_stated_once_more(
    clock, book, sandbox
):
    book.add("D1")
    file_id = book.plan_pos(book.said.ship_dates("D1"))
    book.lose(file_id=file_id)
    assert book.deliver(file_id=file_id).confirmed == 1
    clock.advance(601)
    assert book.restate().confirmed == 1


def test_the_newest_date_ends_up_at_retailops_whatever_lands_late(wait_until, clock, book, sandbox):
    book.add("D1", "D2")
    first = book.plan_pos(book.said.ship_dates("D1", "D2", day=1))
    sandbox.faults.add(kind="apply_late", action="update_est_ship_date", seconds=3600)
    book.deliver(file_id=first)
    second = book.plan_pos(book.said.ship_dates("D1", day=2))
    book.deliver(file_id=second)
    sandbox.apply_late_now()
    wait_until(lambda: dates(sandbox) == {"D1": 1, "D2": 1})
    clock.advance(601)
    assert book.restate().confirmed == 1
    assert dates(sandbox) == {"D1": 2, "D2": 1}


def test_a_restated_date_that_newer_ones_overtook_is_planned_anew(clock, book, sandbox):
    book.add("D1", "D2")
    first = book.plan_pos(book.said.ship_dates("D1", "D2", day=1))
    sandbox.faults.add(kind="drop_after", action="update_est_ship_date")
    book.deliver(file_id=first)
    clock.advance(601)
    sandbox.stop()
    assert book.restate().trouble is Trouble.UNREACHABLE
    assert book.restate().trouble is Trouble.UNREACHABLE
    sandbox.start()
    second = book.plan_pos(book.said.ship_dates("D1", day=2))
    book.deliver(file_id=second)
    assert book.restate() == Delivery(states={CallState.CONFIRMED: 1})
    assert dates(sandbox) == {"D1": 2, "D2": 1}


def test_a_po_that_is_complete_needs_no_date_any_more(clock, book, sandbox):
    book.add("D1")
    file_id = book.plan_pos(book.said.ship_dates("D1"))
    sandbox.faults.add(kind="drop_after", action="update_est_ship_date")
    book.deliver(file_id=file_id)
    book.deliver(file_id=book.plan_pos(book.said.complete("D1")))
    clock.advance(601)
    assert book.restate() == Delivery()


def test_an_old_date_does_not_overwrite_a_newer_one(clock, book, sandbox):
    book.add("D1", "D2")
    old = book.plan_pos(book.said.ship_dates("D1", "D2", day=1), planned_ago=120_000_000)
    with book.ledger.begin() as connection:
        connection.exec_driver_sql("UPDATE call SET state = 'held'")
    book.deliver(file_id=book.plan_pos(book.said.ship_dates("D1", day=2)))
    with book.ledger.begin() as connection:
        connection.exec_driver_sql("UPDATE call SET state = 'planned' WHERE state = 'held'")
    delivery = book.deliver(file_id=old)
    assert delivery.states == {CallState.SUPERSEDED: 1, CallState.CONFIRMED: 1}
    assert book.states_by_po(old) == {"D1": "superseded", "D2": "confirmed"}
    assert dates(sandbox) == {"D1": 2, "D2": 1}


def test_a_record_that_is_only_partly_overtaken_goes_and_the_newer_dates_are_stated_once_more(
    clock, book, sandbox
):
    book.add("D1")
    old = book.plan_pos(book.said.ship_dates("D1", day=1), planned_ago=120_000_000)
    with book.ledger.begin() as connection:
        connection.exec_driver_sql("UPDATE call SET state = 'held'")
    book.deliver(file_id=book.plan_pos(book.said.ship_dates("D1", day=2, items=[(456, 2)])))
    with book.ledger.begin() as connection:
        connection.exec_driver_sql("UPDATE call SET state = 'planned' WHERE state = 'held'")
    assert book.deliver(file_id=old).confirmed == 1
    assert book.restate().confirmed == 1
    days = {
        item["po_item_id"]: item["estimated_ship_date"][8:10] for item in sandbox.state.pos["D1"]["items"]
    }
    assert days == {456: "02", 457: "01"}


# Kills


class Killed(BaseException):
    """The process ends here."""


def deliver_with_kill(book, file_id, step, nth):
    """Deliver, with the process ending at the nth such step; then start again, as often as needed."""
    left = [nth]

    def kill(reached):
        left[0] -= reached == step
        if reached == step and left[0] == 0:
            raise Killed

    observe(kill)
    try:
        book.deliver(file_id=file_id)
    except Killed:
        for thread in threading.enumerate():
            if thread.name == "filebridge-sender":
                thread.join(5)
        book.lose()
    finally:
        _observers.remove(kill)
    while book.deliver(file_id=file_id).left:
        pass


EACH_STEP = pytest.mark.parametrize(
    "step", ["calls.journalled", "call.answered", "call.split", "calls.recorded", "call.looked_up"]
)


@EACH_STEP
@pytest.mark.parametrize("nth", [1, 2])
def test_a_kill_at_any_step_completes_no_po_twice(book, sandbox, step, nth):
    pos = [f"D{number}" for number in range(70)]
    book.add(*pos)
    sandbox.state.change_po("D5", fields={"status": "canceled"})
    file_id = book.plan_pos(*(book.said.complete(po) for po in pos))
    sandbox.faults.add(kind="drop_after", action="complete", on=9)
    sandbox.faults.add(kind="html_502", action="complete", on=40)
    deliver_with_kill(book, file_id, step, nth)
    ends = dict.fromkeys(pos, "confirmed")
    found = book.states_by_po(file_id)
    assert found.pop("D5") in ("refused", "dropped")
    assert found == {po: end for po, end in ends.items() if po != "D5"}
    completed = [po for keys in book.sent() for po in keys]
    assert max(completed.count(po) for po in pos) <= 2  # the one that was not applied
    assert sum(completed.count(po) > 1 for po in pos) <= 1


@EACH_STEP
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_kill_at_any_step_costs_no_acceptance_and_no_date(book, sandbox, step, nth):
    pos = [f"D{number}" for number in range(12)]
    book.add(*pos, status="submitted")
    sandbox.state.change_po("D5", fields={"status": "canceled"})
    file_id = book.plan_pos(
        book.said.accepted(*pos[:8]), book.said.accepted(*pos[8:]), book.said.ship_dates(*pos), rows_per_po=2
    )
    sandbox.faults.add(kind="drop_after", action="mark_accepted", on=2)
    deliver_with_kill(book, file_id, step, nth)
    assert book.states_by_po(file_id, DATES) == dict.fromkeys(pos, "confirmed") | {"D5": "superseded"}
    assert dates(sandbox) == dict.fromkeys(set(pos) - {"D5"}, 1)
    assert book.is_whole(file_id)
