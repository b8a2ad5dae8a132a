"""Inventory calls: journalled, sent, answered; refused, lost, tried again."""

import json
import threading
from dataclasses import replace

import pytest

from filebridge.delivery import Delivery, Trouble, backoff_seconds
from filebridge.ledger.schema import CallState
from filebridge.milestones import _observers, observe
from filebridge.retailops.client import RetailOps


def batch(name, count, quantity=1):
    return [(f"{name}{number:03d}", quantity) for number in range(count)]


def test_every_call_of_a_file_is_sent_once_and_confirmed(book, sandbox):
    file_id = book.plan_update(*(batch(f"V{number}-", 3, number) for number in range(100)))
    told = []
    delivery = book.deliver(file_id=file_id, on_progress=lambda done, total: told.append((done, total)))
    assert delivery == Delivery(states={CallState.CONFIRMED: 100})
    assert (delivery.confirmed, delivery.left) == (100, 0)
    assert len(sandbox.calls) == 100
    first = next(call for call in sandbox.calls if b'"V7-' in call.body)
    assert json.loads(first.body)["records"][0] == {"vendor_id": "27", "vpc": "V7-000", "quantity": 7}
    assert len(book.quantities()) == 300
    assert told[-1] == (100, 100)
    assert [done for done, _ in told] == list(range(1, 101))
    assert {one.attempts for one in book.calls(file_id=file_id)} == {1}


def test_delivering_again_sends_nothing(book, sandbox):
    file_id = book.plan_update(batch("A", 2))
    book.deliver(file_id=file_id)
    assert book.deliver(file_id=file_id) == Delivery()
    assert len(sandbox.calls) == 1


def test_a_call_is_in_the_journal_before_its_first_byte_leaves(ledger, channel, clock, book, sandbox):
    file_id = book.plan_update(batch("A", 2))
    sandbox.faults.add(kind="hold", when="before")
    sender = threading.Thread(target=book.deliver, kwargs={"file_id": file_id})
    sender.start()
    sandbox.wait_until_held()
    assert book.states(file_id=file_id) == ["sending"]
    sandbox.release()
    sender.join()
    assert book.states(file_id=file_id) == ["confirmed"]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "too_many", "retry_after": "0"},
        {"kind": "dispatcher_shutdown"},
        {"kind": "drop_before"},
        {"kind": "drop_after"},
        {"kind": "http_error"},
        {"kind": "http_error_after"},
        {"kind": "html"},
        {"kind": "slow_after", "seconds": 3},
    ],
    ids=lambda fault: fault["kind"],
)
def test_a_call_without_a_reliable_answer_is_sent_again(book, sandbox, fault):
    file_id = book.plan_update(batch("A", 2, 7))
    sandbox.faults.add(fault)
    assert book.deliver(file_id=file_id).confirmed == 1
    assert len(sandbox.calls) == 2
    assert book.quantities() == {"A000": 7, "A001": 7}


def test_only_a_call_whose_answer_was_lost_is_to_be_stated_once_more(clock, book, sandbox):
    file_id = book.plan_update(batch("A", 1), batch("B", 1), batch("C", 1))
    sandbox.faults.add([{"kind": "dispatcher_shutdown"}])
    book.deliver(file_id=file_id)
    assert [one.restate_at for one in book.calls(file_id=file_id)] == [None, None, None]
    file_id = book.plan_update(batch("D", 1))
    sandbox.faults.add(kind="drop_after")
    before = clock.now()
    book.deliver(file_id=file_id)
    (one,) = book.calls(file_id=file_id)
    assert 600e6 <= one.restate_at - before < 605e6
    assert one.state is CallState.CONFIRMED


def test_a_call_that_never_gets_an_answer_waits_uncertain_for_the_next_pass(book, sandbox):
    file_id = book.plan_update(batch("A", 2))
    sandbox.faults.add(kind="html_502", times=0)
    delivery = book.deliver(file_id=file_id)
    assert delivery.trouble is Trouble.UNREACHABLE
    assert delivery.message == "HTTP status 502 and a web page in place of an answer"
    assert (book.states(file_id=file_id), delivery.left, len(sandbox.calls)) == (["uncertain"], 1, 3)
    sandbox.faults.clear()
    assert book.deliver(file_id=file_id).confirmed == 1


def test_without_a_network_nothing_is_lost_and_it_is_given_up_soon(book, sandbox):
    file_id = book.plan_update(*(batch(f"V{number}-", 1) for number in range(200)))
    sandbox.stop()
    delivery = book.deliver(file_id=file_id)
    assert delivery.trouble is Trouble.UNREACHABLE
    assert delivery.states == {CallState.PLANNED: 200}
    assert set(book.states(file_id=file_id)) == {"planned"}
    assert sum(one.attempts for one in book.calls(file_id=file_id)) <= 64 * 3
    sandbox.start()
    assert book.deliver(file_id=file_id).confirmed == 200


def test_one_call_without_an_answer_does_not_hold_the_others_back(book, sandbox):
    file_id = book.plan_update(*(batch(f"V{number}-", 1) for number in range(60)))
    sandbox.faults.add(kind="html_502", on=1, times=3)
    delivery = book.deliver(channel=replace(book.channel, attempts=1), file_id=file_id)
    assert delivery.trouble is Trouble.UNREACHABLE
    assert delivery.left >= 1
    assert book.deliver(file_id=file_id).left == 0
    assert set(book.states(file_id=file_id)) == {"confirmed"}


def test_a_refused_key_stops_at_once_and_rejects_nothing(ledger, channel, clock, book, sandbox):
    file_id = book.plan_update(*(batch(f"V{number}-", 1) for number in range(100)))
    wrong = RetailOps(sandbox.url, "another-key")
    delivery = book.deliver(channel=replace(book.channel, client=wrong), file_id=file_id)
    wrong.close()
    assert delivery.trouble is Trouble.KEY_REFUSED
    assert "not logged in" in delivery.message
    assert set(book.states(file_id=file_id)) == {"planned"}
    assert delivery.left == 100
    assert len(sandbox.calls) <= 40


def test_a_redirect_stops_the_channel(book, sandbox):
    file_id = book.plan_update(batch("A", 1))
    sandbox.faults.add(kind="redirect", location="https://example.com/", times=0)
    delivery = book.deliver(file_id=file_id)
    assert (delivery.trouble, len(sandbox.calls)) == (Trouble.UNREACHABLE, 1)
    assert "example.com" in delivery.message


def test_a_wait_that_is_too_long_for_a_pass_is_left_to_the_next_one(book, sandbox):
    file_id = book.plan_update(batch("A", 1))
    sandbox.faults.add(kind="too_many", retry_after="900")
    delivery = book.deliver(file_id=file_id)
    assert (delivery.trouble, len(sandbox.calls)) == (Trouble.UNREACHABLE, 1)
    assert book.states(file_id=file_id) == ["planned"]


def test_a_refused_record_is_refused_in_retailops_own_words(book, sandbox):
    file_id = book.plan_update([("BAD", 1)])
    sandbox.settings = sandbox.settings.changed({"refuse_vpcs": ["BAD"]})
    delivery = book.deliver(file_id=file_id)
    assert (delivery.trouble, delivery.refused) == (None, 1)
    (one,) = book.calls(file_id=file_id)
    assert (one.state, one.answer) == (CallState.REFUSED, "for field idx 0: invalid vpc (general)")


BAD = {"A007", "A100", "A101", "A255"}


@pytest.mark.parametrize("per_record", [False, True], ids=["whole call", "per record"])
def test_bad_records_of_a_refused_call_stand_alone_in_the_end(book, sandbox, per_record):
    file_id = book.plan_update(batch("A", 256), batch("B", 10))
    sandbox.settings = sandbox.settings.changed({"refuse_vpcs": sorted(BAD), "per_record": per_record})
    delivery = book.deliver(file_id=file_id)
    assert delivery.trouble is None
    assert set(book.keys("refused")) == BAD
    assert len(book.keys("confirmed")) == 262
    assert len(book.quantities()) == 262
    assert set(book.states(file_id=file_id)) == {"confirmed", "refused"}
    assert book.is_whole(file_id)
    assert len(sandbox.calls) == 2 if per_record else len(sandbox.calls) <= 2 + 3 * len(BAD)


def test_a_refusal_that_names_no_record_is_cut_in_halves(book, sandbox, monkeypatch):
    refuse_without_a_place(sandbox, monkeypatch)
    file_id = book.plan_update(batch("A", 256))
    sandbox.settings = sandbox.settings.changed({"refuse_vpcs": sorted(BAD)})
    book.deliver(file_id=file_id)
    assert set(book.keys("refused")) == BAD
    assert len(book.keys("confirmed")) == 252
    assert len(sandbox.calls) <= len(BAD) * (8 + 2) * 2


def test_beyond_the_extra_calls_the_rest_is_held(book, sandbox, monkeypatch):
    refuse_without_a_place(sandbox, monkeypatch)
    file_id = book.plan_update(batch("A", 256), batch("B", 5))
    sandbox.settings = sandbox.settings.changed({"refuse_vpcs": [vpc for vpc, _ in batch("A", 256)]})
    delivery = book.deliver(channel=replace(book.channel, extra_calls=20), file_id=file_id)
    assert delivery.trouble is None
    assert len(sandbox.calls) <= 22
    assert set(book.states(file_id=file_id)) >= {"held", "confirmed"}
    assert len(book.keys("held")) > 200
    assert book.is_whole(file_id)
    assert next(one.answer for one in book.calls(file_id=file_id) if one.state == "held").startswith(
        "invalid vpc"
    )


def refuse_without_a_place(sandbox, monkeypatch):
    """Have the sandbox refuse without saying which record it is about."""
    perform = sandbox._perform

    def refused(*given):
        try:
            return perform(*given)
        except Exception as refusal:
            refusal.text = refusal.text.rpartition(": ")[2]
            raise

    monkeypatch.setattr(sandbox, "_perform", refused)


def test_a_call_that_was_under_way_when_the_program_ended_is_sent_again(ledger, clock, book, sandbox):
    file_id = book.plan_update(batch("A", 1, 5))
    book.lose(file_id=file_id)
    assert book.deliver(file_id=file_id).confirmed == 1
    assert book.quantities() == {"A000": 5}
    assert book.calls(file_id=file_id)[0].restate_at is not None


def test_a_value_that_a_newer_file_overtook_is_not_sent_any_more(book, sandbox):
    old = book.plan_update([("A", 1), ("B", 1)], [("C", 1)], [("D", 1)], planned_ago=120_000_000)
    new = book.plan_update([("A", 2), ("C", 2)])
    book.deliver(file_id=new)
    delivery = book.deliver(file_id=old)
    assert delivery.states == {CallState.CONFIRMED: 2, CallState.SUPERSEDED: 2}
    assert book.quantities() == {"A": 2, "C": 2, "B": 1, "D": 1}
    assert book.keys("superseded") == ["A", "C"]
    assert book.is_whole(old)


def test_a_stop_lets_the_calls_under_way_end_and_leaves_the_others(book, sandbox):
    file_id = book.plan_update(*(batch(f"V{number}-", 1) for number in range(50)))
    sandbox.faults.add(kind="hold", times=2)
    stop, results = threading.Event(), []
    sender = threading.Thread(
        target=lambda: results.append(
            book.deliver(channel=replace(book.channel, concurrency=2), file_id=file_id, stop=stop)
        )
    )
    sender.start()
    sandbox.wait_until_held(2)
    stop.set()
    threading.Timer(0.25, sandbox.release).start()
    sender.join(10)
    (delivery,) = results
    assert (delivery.stopped, delivery.trouble) == (True, None)
    assert delivery.states == {CallState.CONFIRMED: 2, CallState.PLANNED: 48}
    assert sorted(set(book.states(file_id=file_id))) == ["confirmed", "planned"]
    assert len(sandbox.calls) == 2


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("step", ["calls.journalled", "call.answered", "call.split", "calls.recorded"])
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_kill_at_any_step_costs_nothing(book, sandbox, step, nth):
    file_id = book.plan_update(batch("A", 40, 3), *(batch(f"V{number}-", 2, 3) for number in range(70)))
    sandbox.settings = sandbox.settings.changed({"refuse_vpcs": ["A005", "A033", "V60-001"]})
    left = [nth]

    def kill(reached):
        if reached == step:
            left[0] -= 1
            if left[0] == 0:
                raise Killed

    observe(kill)
    try:
        book.deliver(file_id=file_id)
    except Killed:
        book.lose()
    finally:
        _observers.remove(kill)
    book.deliver(file_id=file_id)
    assert set(book.states(file_id=file_id)) == {"confirmed", "refused"}
    assert book.keys("refused") == ["A005", "A033", "V60-001"]
    assert len(book.quantities()) == 177
    assert book.is_whole(file_id)


@pytest.mark.parametrize(("tries", "least", "most"), [(1, 0.5, 1), (2, 1, 2), (3, 2, 4), (50, 15, 30)])
def test_waits_double_up_to_a_limit_with_half_of_them_left_to_chance(tries, least, most):
    assert backoff_seconds(tries, first=1.0, chance=0.0) == least
    assert backoff_seconds(tries, first=1.0, chance=1.0) == most
