"""The faults on the calls that move POs on: each works for all of them."""

import http.client
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from filebridge.sandbox import DEFAULT_KEY, Sandbox, Settings, State

LOST = (ConnectionError, http.client.HTTPException)


class Call(NamedTuple):
    """A call on D1: its short name, and how a client sends it."""

    action: str
    send: Callable[[Any], Any]


@pytest.fixture(params=["mark_accepted", "complete", "update_est_ship_date"])
def call(request, record, package):
    ways = {
        "mark_accepted": lambda client: client.accept(record("D1")),
        "complete": lambda client: client.complete("D1", package()),
        "update_est_ship_date": lambda client: client.date(
            record("D1") | {"estimated_ship_date": "2026-12-01T17:00:00Z"}
        ),
    }
    return Call(request.param, ways[request.param])


@pytest.fixture
def submitted(sandbox):
    """The sandbox with D1 submitted."""
    sandbox.state.change_po("D1", fields={"status": "submitted"})
    return sandbox


@pytest.mark.parametrize(
    ("fault", "answered"),
    [
        ({"kind": "error", "text": "no", "code": "odd"}, (200, '{"ERROR":"no","ERRORCODE":"odd"}')),
        ({"kind": "success_0"}, (200, '{"success":0}')),
        ({"kind": "html_502"}, (502, "Bad Gateway")),
        ({"kind": "too_many", "retry_after": 7}, (429, "too many")),
        ({"kind": "dispatcher_shutdown"}, (200, '"ERRORCODE":"dispatcher_shutdown"')),
        ({"kind": "authz"}, (200, "access denied")),
        ({"kind": "not_json"}, (200, '{"success":1,')),
    ],
)
def test_an_answer_in_place_of_the_call_applies_nothing(submitted, client, call, fault, answered):
    submitted.faults.add({"action": call.action} | fault)
    answer = call.send(client)
    assert (answer.status, answered[1] in answer.text) == (answered[0], True)
    assert submitted.state.effects == []
    assert call.send(client).json == {"success": 1}


@pytest.mark.parametrize(
    ("fault", "answered"),
    [
        ({"kind": "http_error_after", "status": 504}, (504, "Internal error")),
        ({"kind": "errorcode_null"}, (200, '{"success":1,"ERRORCODE":"null"}')),
        ({"kind": "html_502", "when": "after"}, (502, "Bad Gateway")),
        ({"kind": "timeout_after", "seconds": 0.05}, (200, '{"success":1}')),
    ],
)
def test_an_answer_after_the_call_was_applied(submitted, client, call, fault, answered):
    submitted.faults.add({"action": call.action} | fault)
    answer = call.send(client)
    assert (answer.status, answered[1] in answer.text) == (answered[0], True)
    assert [effect.key for effect in submitted.state.effects] == ["D1"]


@pytest.mark.parametrize(
    ("fault", "is_applied"),
    [
        ({"kind": "drop_before"}, False),
        ({"kind": "drop_before", "reset": True}, False),
        ({"kind": "drop_after"}, True),
        ({"kind": "short_body"}, True),
    ],
)
def test_a_connection_that_breaks(submitted, client, call, fault, is_applied):
    submitted.faults.add({"action": call.action} | fault)
    with pytest.raises(LOST):
        call.send(client)
    assert bool(submitted.state.effects) is is_applied


def test_a_shipment_whose_answer_came_too_late_has_happened(submitted, connect, package):
    submitted.faults.add(action="complete", kind="timeout_after", seconds=0.5)
    with pytest.raises(TimeoutError):
        connect(submitted, timeout=0.1).complete("D1", package())
    client = connect(submitted)
    assert [po["po"] for po in client.fetch(status="complete").json["records"]] == ["D1"]
    assert "status: complete, ineligible" in client.complete("D1", package()).json["ERROR"]


def test_a_shipment_may_land_late_after_a_look_that_did_not_see_it(submitted, client, package):
    submitted.faults.add(action="complete", kind="apply_late", seconds=600)
    with pytest.raises(LOST):
        client.complete("D1", package())
    client.connection.close()
    assert client.fetch(status="complete").json["records"] == []
    assert submitted.apply_late_now() == 1
    until = time.monotonic() + 5
    while submitted.state.po("D1")["status"] != "complete" and time.monotonic() < until:
        time.sleep(0.005)
    assert client.fetch(status="complete").json["records"][0]["po"] == "D1"


def test_a_repeat_is_answered_with_the_status(submitted, client, package):
    submitted.faults.add(action="complete", kind="apply_twice")
    error = client.complete("D1", package()).json["ERROR"]
    assert error == "PO D1 status: complete, ineligible for this action"
    assert len(submitted.state.effects) == 1


def test_a_po_is_canceled_between_fetch_and_complete(submitted, client, package):
    submitted.faults.add(action="fetch", kind="cancel_po", po="D1")
    assert client.fetch(status="submitted").json["records"][0]["po"] == "D1"
    error = client.complete("D1", package()).json["ERROR"]
    assert error == "PO D1 status: canceled, ineligible for this action"
    assert submitted.state.effects == []


def test_a_po_is_edited_just_before_it_is_completed(submitted, client, package):
    items = [{"po_item_id": 456, "vpc": "MAR-1", "quantity": 1}]
    submitted.faults.add(action="complete", kind="edit_po", po="D1", items=items, when="before")
    assert "invalid vpc 00120: not on the PO" in client.complete("D1", package()).json["ERROR"]
    assert "MAR-1: 2 units, the PO has 1" in client.complete("D1", package({"MAR-1": 2})).json["ERROR"]
    assert client.complete("D1", package({"MAR-1": 1})).json == {"success": 1}


def test_stringly_answers_of_all_calls_are_text(submitted, client, record, package):
    client.control("POST", "settings", {"stringly": True, "per_record": True})
    dated = client.date(record("D1") | {"estimated_ship_date": "2026-12-01T17:00:00Z"}).json
    assert dated == {"success": "1", "records": [{"po": "D1", "success": "1"}]}
    assert client.accept(record("D1")).json["success"] == "1"
    assert client.complete("D1", package()).json == {"success": "1"}
    assert client.fetch(status="complete").json["records"][0]["items"][0]["po_item_id"] == "456"


def test_a_key_acts_for_its_own_vendors_only(connect, po, call):
    state = State([po("D1", vendor_id=28, status="submitted")])
    with Sandbox(state, keys={DEFAULT_KEY: {27}}, settings=Settings(http_errors=True)) as sandbox:
        answer = call.send(connect(sandbox))
    assert (answer.status, answer.json) == (
        403,
        {"ERROR": "access denied: vendor 28", "ERRORCODE": "authz"},
    )
    assert state.effects == []


def test_calls_are_recorded_with_their_bytes(submitted, client, package):
    body = b'{"po":"D1", "packages" : [] }'
    client.post("/Vendor/PO/Complete~1.json", body)
    client.complete("D1", package())
    client.classes()
    first, second, third = client.control("GET", "calls").json["calls"]
    assert (first["action"], first["body"], first["took_effect"]) == (
        "Vendor.PO.Complete",
        body.decode(),
        False,
    )
    assert (second["took_effect"], second["effect_count"]) == (True, 1)
    assert third["action"] == "Constant.Ship.CarrierClass.fetch"
    [effect] = client.control("GET", "state").json["effects"]
    assert effect["value"] == {"po": "D1", "packages": [package()]}
