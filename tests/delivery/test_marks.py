"""Marking POs submitted: an answer that was lost is settled by asking."""

import pytest

from filebridge.delivery import Trouble
from filebridge.ledger.schema import CallState


@pytest.fixture
def three(sandbox, make_po):
    pos = [make_po("D1"), make_po("D2"), make_po("D3")]
    sandbox.state.add_pos(pos)
    return pos


def statuses(sandbox):
    return {name: po["status"] for name, po in sandbox.state.pos.items()}


def test_pos_are_marked_with_exactly_what_the_call_holds(book, sandbox, three):
    order_file_id = book.plan_marks(*three[:1])
    assert book.deliver(order_file_id=order_file_id).confirmed == 1
    assert sandbox.calls[0].path == "/Vendor/PO/MarkSubmitted.json"
    assert sandbox.calls[0].body == (
        b'{"records":[{"po":"D1","items":[{"po_item_id":456,"quantity":2},{"po_item_id":457,"quantity":1}]}]}'
    )
    assert statuses(sandbox) == {"D1": "submitted", "D2": "ready", "D3": "ready"}


@pytest.mark.parametrize("kind", ["drop_after", "http_error_after", "short_body", "deep"])
def test_a_mark_that_took_effect_is_found_out_and_not_sent_again(book, sandbox, three, kind):
    order_file_id = book.plan_marks(*three)
    sandbox.faults.add(kind=kind, action="mark_submitted")
    assert book.deliver(order_file_id=order_file_id).confirmed == 1
    assert book.sent() == [["D1", "D2", "D3"]]
    assert set(statuses(sandbox).values()) == {"submitted"}


@pytest.mark.parametrize("kind", ["drop_before", "http_error", "html"])
def test_a_mark_that_took_no_effect_is_sent_again(book, sandbox, three, kind):
    order_file_id = book.plan_marks(*three)
    sandbox.faults.add(kind=kind, action="mark_submitted")
    assert book.deliver(order_file_id=order_file_id).confirmed == 1
    assert book.sent() == [["D1", "D2", "D3"]] * 2
    assert book.states(order_file_id=order_file_id) == ["confirmed"]


def test_only_what_is_not_submitted_yet_is_sent_again_and_what_is_gone_is_dropped(book, sandbox, three):
    order_file_id = book.plan_marks(*three)
    sandbox.faults.add(kind="drop_before", action="mark_submitted")
    sandbox.state.change_po("D1", fields={"status": "accepted"})
    sandbox.state.change_po("D2", fields={"status": "canceled"})
    delivery = book.deliver(order_file_id=order_file_id)
    assert delivery.states == {CallState.CONFIRMED: 2, CallState.DROPPED: 1}
    assert book.sent() == [["D1", "D2", "D3"], ["D3"]]
    dropped = [one for one in book.calls(order_file_id=order_file_id) if one.state == "dropped"]
    assert [one.answer for one in dropped] == ["RetailOps has PO D2 in status canceled."]


def test_a_po_that_is_nowhere_is_gone(book, sandbox, three):
    order_file_id = book.plan_marks(*three[:2])
    sandbox.faults.add(kind="drop_before", action="mark_submitted")
    sandbox.state.remove_pos(["D2"])
    book.deliver(order_file_id=order_file_id)
    assert (book.keys("confirmed"), book.keys("dropped")) == (["D1"], ["D2"])


def test_an_answer_that_says_already_is_believed_after_a_look(book, sandbox, three):
    order_file_id = book.plan_marks(*three)
    sandbox.state.change_po("D2", fields={"status": "submitted"})
    delivery = book.deliver(order_file_id=order_file_id)
    assert (delivery.trouble, delivery.states) == (None, {CallState.CONFIRMED: 2})
    assert book.sent() == [["D1", "D2", "D3"], ["D1", "D3"]]
    assert set(statuses(sandbox).values()) == {"submitted"}


def test_an_answer_that_says_already_against_what_a_look_shows_is_a_refusal(book, sandbox, three):
    order_file_id = book.plan_marks(three[0])
    sandbox.faults.add(kind="error", action="mark_submitted", text="PO D1 status: submitted")
    delivery = book.deliver(order_file_id=order_file_id)
    assert delivery.states == {CallState.REFUSED: 1}
    (one,) = book.calls(order_file_id=order_file_id)
    assert (one.state, one.answer) == (CallState.REFUSED, "PO D1 status: submitted (general)")


@pytest.mark.parametrize("per_record", [False, True], ids=["whole call", "per record"])
def test_a_po_that_changed_is_refused_alone(book, sandbox, three, per_record):
    order_file_id = book.plan_marks(*three)
    sandbox.settings = sandbox.settings.changed({"per_record": per_record})
    sandbox.state.change_po("D2", items=[{"po_item_id": 456, "vpc": "MAR-1", "quantity": 9}])
    delivery = book.deliver(order_file_id=order_file_id)
    assert delivery.refused == 1
    assert (book.keys("confirmed"), book.keys("refused")) == (["D1", "D3"], ["D2"])
    assert statuses(sandbox) == {"D1": "submitted", "D2": "ready", "D3": "submitted"}


def test_a_mark_that_was_under_way_when_the_program_ended_is_looked_up_first(
    ledger, clock, book, sandbox, three
):
    order_file_id = book.plan_marks(*three)
    book.lose(order_file_id=order_file_id)
    for po in ("D1", "D2"):
        sandbox.state.change_po(po, fields={"status": "submitted"})
    assert book.deliver(order_file_id=order_file_id).confirmed == 2
    assert book.sent() == [["D3"]]


def test_while_nobody_can_be_asked_a_mark_stays_uncertain(book, sandbox, three):
    order_file_id = book.plan_marks(*three)
    sandbox.faults.add([{"kind": "drop_after", "action": "mark_submitted"}])
    sandbox.faults.add(kind="html_502", action="fetch", times=0)
    delivery = book.deliver(order_file_id=order_file_id)
    assert delivery.trouble is Trouble.UNREACHABLE
    assert book.states(order_file_id=order_file_id) == ["uncertain"]
    sandbox.faults.clear()
    assert book.deliver(order_file_id=order_file_id).confirmed == 1
    assert len(book.sent()) == 1


def test_a_mark_that_is_never_applied_and_never_answered_is_left_for_the_next_pass(book, sandbox, three):
    order_file_id = book.plan_marks(*three)
    sandbox.faults.add(kind="drop_before", action="mark_submitted", times=0)
    delivery = book.deliver(order_file_id=order_file_id)
    assert (delivery.trouble, len(book.sent())) == (Trouble.UNREACHABLE, 3)
    assert book.states(order_file_id=order_file_id) == ["planned"]
