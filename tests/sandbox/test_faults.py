"""Faults on demand."""

import gzip
import http.client
import json
import socket
import threading
import time

import pytest

from filebridge.sandbox import KINDS, Fault, FaultError, Faults
from filebridge.sandbox.play import _ANSWERS, _TIMED

LOST = (ConnectionError, http.client.HTTPException)


def test_every_kind_can_be_played():
    beside = {"page_change", "edit_po", "cancel_po", "class_change"}
    assert set(_ANSWERS) | set(_TIMED) | beside == set(KINDS)


@pytest.mark.parametrize(
    ("fault", "status", "text"),
    [
        ({"kind": "error", "text": "no", "code": "odd"}, 200, '{"ERROR":"no","ERRORCODE":"odd"}'),
        ({"kind": "success_0"}, 200, '{"success":0}'),
        ({"kind": "http_error"}, 500, "Internal error"),
        ({"kind": "http_error", "status": 503}, 503, "Internal error"),
        ({"kind": "html"}, 200, "Bad Gateway"),
        ({"kind": "html_502"}, 502, "Bad Gateway"),
        ({"kind": "too_many", "retry_after": 7}, 429, "too many"),
        ({"kind": "dispatcher_shutdown"}, 200, '"ERRORCODE":"dispatcher_shutdown"'),
        ({"kind": "authn"}, 200, '"ERRORCODE":"authn"'),
        ({"kind": "authz"}, 200, '"ERROR":"access denied","ERRORCODE":"authz"'),
        ({"kind": "redirect", "location": "http://127.0.0.1:9/x"}, 307, ""),
        ({"kind": "empty"}, 200, ""),
        ({"kind": "not_json"}, 200, '{"success":1,'),
        (
            {"kind": "raw", "status": 418, "text": '{"success":1,"success":0}'},
            418,
            '{"success":1,"success":0}',
        ),
    ],
)
def test_an_answer_in_place_of_the_call_applies_nothing_and_comes_once(sandbox, client, fault, status, text):
    sandbox.faults.add({"action": "update"} | fault)
    answer = client.update(("A", 1))
    assert (answer.status, text in answer.text) == (status, True)
    assert sandbox.state.effects == []
    assert sandbox.calls[0].fault == fault["kind"]
    assert sandbox.calls[0].answer.decode() == answer.text
    assert client.update(("A", 2)).json == {"success": 1}


def test_too_many_and_redirect_say_when_and_where(sandbox, client):
    sandbox.faults.add(
        [{"kind": "too_many", "retry_after": "7"}, {"kind": "redirect", "location": "http://x/y"}]
    )
    assert client.update(("A", 1)).headers["retry-after"] == "7"
    assert client.update(("A", 1)).headers["location"] == "http://x/y"


@pytest.mark.parametrize(
    ("fault", "status", "text"),
    [
        ({"kind": "http_error_after", "status": 504}, 504, "Internal error"),
        ({"kind": "http_error", "when": "after"}, 500, "Internal error"),
        ({"kind": "errorcode_null"}, 200, '{"success":1,"ERRORCODE":"null"}'),
        ({"kind": "html", "when": "after"}, 200, "Bad Gateway"),
        ({"kind": "empty", "when": "after"}, 200, ""),
        ({"kind": "wrong_types"}, 200, '{"success":[1],"records":"none"}'),
        ({"kind": "deep"}, 200, "[[[["),
        ({"kind": "huge", "bytes": 3_000_000}, 200, "xxxx"),
        ({"kind": "drip", "seconds": 0.001}, 200, '{"success":1}'),
        ({"kind": "drip", "seconds": 0.001, "whole": True}, 200, '{"success":1}'),
        ({"kind": "slow", "seconds": 0.05}, 200, '{"success":1}'),
        ({"kind": "timeout_after", "seconds": 0.05}, 200, '{"success":1}'),
    ],
)
def test_an_answer_after_the_call_was_applied(sandbox, client, fault, status, text):
    sandbox.faults.add(fault)
    answer = client.update(("A", 1))
    assert (answer.status, text in answer.text) == (status, True)
    assert sandbox.state.history("27", "A") == [1]
    assert sandbox.calls[0].took_effect


def test_a_gzip_bomb_is_small_until_it_is_opened(sandbox, client):
    sandbox.faults.add(kind="gzip_bomb", bytes=5_000_000)
    client.connection.request("POST", "/product/externalsku/update~2.json", b"{}", {})
    packed = client.connection.getresponse().read()
    assert len(packed) < 50_000
    assert len(gzip.decompress(packed)) > 5_000_000


@pytest.mark.parametrize(
    ("fault", "error", "is_applied"),
    [
        ({"kind": "drop_before"}, http.client.RemoteDisconnected, False),
        ({"kind": "drop_before", "reset": True}, ConnectionResetError, False),
        ({"kind": "drop_after"}, ConnectionResetError, True),
        ({"kind": "drop_after", "reset": False}, http.client.RemoteDisconnected, True),
        ({"kind": "short_body"}, http.client.IncompleteRead, True),
    ],
)
def test_a_connection_that_breaks(sandbox, client, fault, error, is_applied):
    sandbox.faults.add(fault)
    with pytest.raises(error):
        client.update(("A", 1))
    assert (sandbox.state.quantity("27", "A") == 1) is is_applied
    client.connection.close()
    assert client.update(("A", 2)).json == {"success": 1}


def test_a_slow_answer_is_applied_although_the_client_went_away(sandbox, connect):
    sandbox.faults.add(kind="slow_after", seconds=0.5)
    with pytest.raises(TimeoutError):
        connect(sandbox, timeout=0.1).update(("A", 1))
    assert sandbox.state.quantity("27", "A") == 1


def test_a_call_may_land_late_after_a_newer_one(sandbox, client):
    sandbox.faults.add(kind="apply_late", seconds=600)
    with pytest.raises(LOST):
        client.update(("A", 1))
    client.connection.close()
    client.update(("A", 2))
    assert sandbox.state.quantity("27", "A") == 2
    assert client.control("GET", "state").json["late"] == 1
    assert client.control("POST", "release", {"what": "late"}).json == {"released": 1}
    until = time.monotonic() + 5
    while sandbox.state.history("27", "A") != [2, 1] and time.monotonic() < until:
        time.sleep(0.005)
    assert sandbox.state.history("27", "A") == [2, 1]
    assert sandbox.calls[0].took_effect


def test_apply_late_needs_nobody_to_release_it(sandbox, client):
    sandbox.faults.add(kind="apply_late", seconds=0.05)
    with pytest.raises(LOST):
        client.update(("A", 1))
    time.sleep(0.3)
    assert sandbox.state.quantity("27", "A") == 1


def test_a_call_that_is_applied_twice_gets_the_second_answer(sandbox, client, record):
    sandbox.faults.add(action="mark_submitted", kind="apply_twice")
    assert "status: submitted" in client.mark(record("D1")).json["ERROR"]
    assert sandbox.state.po("D1")["status"] == "submitted"


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_held_answer_comes_when_it_is_released(sandbox, client, connect, when):
    sandbox.faults.add(kind="hold", when=when)
    answers = []
    thread = threading.Thread(target=lambda: answers.append(client.update(("A", 1)).json))
    thread.start()
    sandbox.wait_until_held()
    assert sandbox.state.quantity("27", "A") == (1 if when == "after" else None)
    assert not sandbox.calls[0].is_over
    assert connect(sandbox).control("POST", "release").json == {"released": 1}
    thread.join(5)
    assert answers == [{"success": 1}]
    assert sandbox.state.history("27", "A") == [1]


def test_stopping_ends_held_answers_and_applies_nothing_more(sandbox, client):
    sandbox.faults.add(kind="hold", when="before")
    errors = []

    def call():
        try:
            client.update(("A", 1))
        except LOST as error:
            errors.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    sandbox.wait_until_held()
    sandbox.stop()
    thread.join(5)
    assert len(errors) == 1
    assert sandbox.state.effects == []


def test_a_fault_counts_the_calls_that_match_it(sandbox, client):
    sandbox.faults.add(action="update", kind="error", on=2, times=2)
    sandbox.faults.add(action="fetch", kind="error", on=3)
    played = ["ERROR" in client.update(("A", 1)).json for _ in range(5)]
    assert played == [False, True, True, False, False]
    assert ["ERROR" in client.fetch().json for _ in range(4)] == [False, False, True, False]


def test_a_list_of_faults_is_a_script_of_one_a_call(sandbox, client):
    sandbox.faults.add([{"kind": "error"}, {"kind": "html_502"}, {"kind": "too_many"}])
    assert [client.update(("A", 1)).status for _ in range(4)] == [200, 502, 429, 200]


def test_times_0_is_for_ever_until_the_faults_are_cleared(sandbox, client):
    sandbox.faults.add(kind="error", times=0)
    assert all("ERROR" in client.fetch().json for _ in range(10))
    assert client.control("GET", "faults").json["faults"][0]["played"] == 10
    client.control("DELETE", "faults")
    assert client.fetch().json["success"] == 1


def test_pos_change_between_the_pages_of_a_fetch(sandbox, client, po):
    sandbox.faults.add(action="fetch", kind="page_change", remove=["D1"], insert=[po("D4")], reverse=True)
    assert [one["po"] for one in client.fetch(limit=2).json["records"]] == ["D1", "D2"]
    assert [one["po"] for one in client.fetch().json["records"]] == ["D4", "D3", "D2"]


def test_a_po_is_edited_between_fetch_and_mark(sandbox, client, record):
    items = [{"po_item_id": 456, "vpc": "MAR-1", "quantity": 5}]
    sandbox.faults.add(action="fetch", kind="edit_po", po="D1", set={"note": "changed"}, items=items)
    assert client.fetch().json["records"][0]["items"][0]["quantity"] == 2
    assert sandbox.state.po("D1")["note"] == "changed"
    assert "PO D1 items do not match" in client.mark(record("D1")).json["ERROR"]
    assert client.mark(record("D1", 5)).json == {"success": 1}


def test_a_po_is_canceled_before_it_is_marked_and_another_fault_goes_on(sandbox, client, record):
    sandbox.faults.add(action="Vendor.PO.MarkSubmitted", kind="cancel_po", po="D1", when="before")
    sandbox.faults.add(action="mark_submitted", kind="http_error_after")
    assert client.mark(record("D1")).status == 500
    assert sandbox.calls[0].faults == ("cancel_po", "http_error_after")
    assert sandbox.state.po("D1")["status"] == "canceled"
    assert sandbox.state.effects == []


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("drop", "must be an object"),
        ({}, "needs a kind"),
        ({"kind": "explode"}, "unknown kind explode; there are error"),
        ({"kind": "error", "after": 3}, "unknown key after"),
        ({"kind": "error", "action": "cancel"}, "unknown action cancel"),
        ({"kind": "error", "on": 0}, "on counts from 1"),
        ({"kind": "error", "times": "2"}, "times cannot be '2'"),
        ({"kind": "error", "on": True}, "on cannot be True"),
        ({"kind": "drop_after", "when": "before"}, "when of drop_after"),
        ({"kind": "error", "when": "never"}, "when of error"),
        ({"kind": "http_error", "status": 99}, "from 200 to 599"),
        ({"kind": "redirect"}, "needs a location"),
        ({"kind": "redirect", "location": "a\r\nb"}, "control character"),
        ({"kind": "edit_po"}, "needs a po"),
        ({"kind": "slow", "seconds": -1}, "not negative"),
    ],
)
def test_a_fault_that_cannot_be_played_is_refused_in_words(client, fault, words):
    with pytest.raises(FaultError, match=words):
        Faults().add([fault])
    answer = client.control("POST", "faults", [{"kind": "error"}, fault])
    assert answer.status == 400
    assert words in answer.json["error"]
    assert client.control("GET", "faults").json["faults"] == []


def test_a_fault_made_by_hand_knows_its_moment():
    assert Fault("drop_after").when == "after"
    assert Fault("error").when == "before"


def test_the_drip_is_a_drip(sandbox):
    sandbox.faults.add(kind="drip", seconds=0.02)
    body = json.dumps({"records": []}).encode()
    head = b"POST /product/externalsku/update~2.json HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body)
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=5) as connection:
        connection.sendall(head + body)
        parts = [connection.recv(65536) for _ in range(4)]
    assert parts[0].endswith(b"\r\n\r\n")
    assert [len(part) for part in parts[1:]] == [1, 1, 1]
