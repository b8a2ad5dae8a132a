"""A call that timed out may land late: the newest value is stated once more."""

import pytest

from filebridge.delivery import Delivery
from filebridge.ledger.schema import CallState


@pytest.fixture
def late(book, sandbox):
    """A call whose first sending was lost and will land late; its second was confirmed. The file's id."""
    file_id = book.plan_update([("A", 1), ("B", 1)])
    sandbox.faults.add(kind="apply_late", seconds=3600)
    assert book.deliver(file_id=file_id).confirmed == 1
    return file_id


def test_nothing_is_stated_again_before_the_quarantine_is_over(book, clock, sandbox, late):
    clock.advance(599)
    assert book.restate() == Delivery()
    assert len(sandbox.calls) == 2


def test_the_newest_value_ends_up_at_retailops_whatever_lands_late(wait_until, clock, book, sandbox, late):
    newer = book.plan_update([("A", 2)])
    book.deliver(file_id=newer)
    sandbox.apply_late_now()
    wait_until(lambda: book.quantities() == {"A": 1, "B": 1})
    clock.advance(601)
    assert book.restate().confirmed == 1
    assert book.quantities() == {"A": 2, "B": 1}


def test_values_are_stated_again_once_and_change_no_call_of_the_file(clock, book, sandbox, late):
    clock.advance(601)
    before = [one.state for one in book.calls(file_id=late)]
    assert book.restate().states == {CallState.CONFIRMED: 1}
    assert book.restate() == Delivery()
    assert [one.state for one in book.calls(file_id=late)] == before
    assert [one.restate_at for one in book.calls(file_id=late)] == [None]
    assert sandbox.calls[-1].body == sandbox.calls[0].body


def test_a_vpc_of_several_such_calls_is_stated_again_once(clock, book, sandbox, late):
    again = book.plan_update([("B", 2), ("C", 2)])
    sandbox.faults.add(kind="drop_after")
    book.deliver(file_id=again)
    clock.advance(601)
    assert book.restate().confirmed == 1
    assert sorted(book.sent()[-1]) == ["A", "B", "C"]


def test_a_restatement_that_fails_is_made_in_a_later_pass(book, clock, sandbox, late):
    clock.advance(601)
    sandbox.stop()
    assert book.restate().trouble is not None
    sandbox.start()
    sandbox.apply_late_now()
    assert book.restate().confirmed == 1
    assert book.restate() == Delivery()


def test_a_restatement_that_a_newer_file_overtook_says_nothing_old(clock, book, sandbox, late):
    clock.advance(601)
    sandbox.stop()
    book.restate()
    sandbox.start()
    newer = book.plan_update([("A", 5)])
    book.deliver(file_id=newer)
    assert book.restate().states == {
        CallState.CONFIRMED: 1,
        CallState.SUPERSEDED: 1,
    }
    assert book.quantities() == {"A": 5, "B": 1}


def test_a_call_that_is_still_open_is_not_stated_again_before_it_is_settled(clock, book, sandbox):
    file_id = book.plan_update([("A", 1)])
    sandbox.faults.add(kind="drop_before", times=0)
    book.deliver(file_id=file_id)
    clock.advance(1200)
    assert book.restate() == Delivery()
    sandbox.faults.clear()
    assert book.deliver(file_id=file_id).confirmed == 1
    assert book.restate().confirmed == 1
