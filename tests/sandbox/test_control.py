"""The control routes and the page."""

import pytest

from filebridge.sandbox import ASSUMPTIONS, Sandbox, State


def test_every_call_is_recorded_with_its_bytes(sandbox, client):
    body = b'{ "vendor_id" : "27",\n "status": "\xc3\xa9" }'
    client.post("/Vendor/PO/Fetch.json", body)
    client.update(("A", 1))
    first, second = client.control("GET", "calls").json["calls"]
    assert sandbox.calls[0].body == body
    assert first["body"] == body.decode()
    assert (first["seq"], first["action"], first["version"], first["method"]) == (
        1,
        "Vendor.PO.fetch",
        1,
        "POST",
    )
    assert (first["path"], first["key_ok"], first["took_effect"]) == ("/Vendor/PO/Fetch.json", True, False)
    assert (first["status"], first["answer"]) == (200, '{"success":1,"records":[]}')
    assert (second["took_effect"], second["effect_count"], second["is_over"]) == (True, 1, True)
    assert [call["seq"] for call in client.control("GET", "calls?since=1").json["calls"]] == [2]
    assert client.control("GET", "calls?since=x").status == 400


def test_the_state_shows_pos_quantities_and_effects(client, record):
    client.update(("A", "3"))
    client.mark(record("D1"))
    state = client.control("GET", "state").json
    assert [po["status"] for po in state["pos"]] == ["submitted", "ready", "ready"]
    assert state["quantities"] == [{"vendor_id": "27", "vpc": "A", "quantity": "3"}]
    assert [effect["key"] for effect in state["effects"]] == ["A", "D1"]
    assert (state["held"], state["late"]) == (0, 0)


def test_the_page_shows_the_retailers_side(client, record):
    client.update(("MAR-1", 7))
    client.mark(record("D2"))
    answer = client.control("GET", "")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert "PURCHASE ORDERS: 2 ready, 1 submitted" in answer.text
    assert "'MAR-1'" in answer.text
    assert "Vendor.PO.MarkSubmitted 200, 1 changes" in answer.text
    assert client.send("GET", "/_sandbox").text.startswith("RetailOps sandbox")


def test_pos_are_added_or_merged_by_number(sandbox, client, po):
    assert client.control("POST", "pos", [po("D9"), {"po": "D1", "note": "soon"}]).json == {"added": 2}
    assert client.control("POST", "pos", po("D10")).json == {"added": 1}
    assert client.control("POST", "pos", {"pos": [po("D11")]}).json == {"added": 1}
    assert list(sandbox.state.pos) == ["D1", "D2", "D3", "D9", "D10", "D11"]
    assert (sandbox.state.po("D1")["note"], sandbox.state.po("D1")["status"]) == ("soon", "ready")


def test_a_po_is_changed_field_by_field(sandbox, client):
    items = [{"po_item_id": 1, "vpc": "X", "quantity": 1}]
    answer = client.control("POST", "pos/change", {"po": "D1", "set": {"status": "canceled"}, "items": items})
    assert (answer.json["status"], answer.json["items"]) == ("canceled", items)
    assert sandbox.state.po("D1")["items"] == items


@pytest.mark.parametrize(
    ("route", "body", "words"),
    [
        ("pos", [{"vendor_id": 1}], 'object with "po"'),
        ("pos", [{"po": "N1"}], "no vendor_id"),
        ("pos", [{"po": "N1", "vendor_id": 1, "items": "x"}], "items of PO N1"),
        ("pos", "text", "must be a PO"),
        ("pos/change", {"po": "D99"}, "there is no PO D99"),
        ("pos/change", {"po": "D1", "set": {"po": "D5"}}, "cannot change"),
        ("pos/change", {"po": "D1", "set": []}, "set must be an object"),
        ("release", {"what": "prisoners"}, "what is held"),
        ("settings", {"colour": "red"}, "unknown setting colour; there are key"),
        ("settings", {"stringly": "yes"}, "stringly cannot be 'yes'"),
        ("settings", {"max_limit": 0}, "max_limit cannot be 0"),
        ("settings", ["x"], "must be an object"),
    ],
)
def test_what_is_wrong_with_a_control_request_is_said_in_words(sandbox, client, route, body, words):
    answer = client.control("POST", route, body)
    assert (answer.status, words in answer.json["error"]) == (400, True)
    assert list(sandbox.state.pos) == ["D1", "D2", "D3"]


def test_routes_and_methods_that_do_not_exist_are_named(client):
    assert client.control("GET", "nothing").status == 404
    assert client.control("GET", "reset").status == 405
    assert client.send("POST", "/_sandbox/faults", b"{").status == 400


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Host": "127.0.0.1.evil.example:80"}, {"Origin": "https://evil.example"}],
)
def test_only_loopback_reaches_the_control_routes(client, headers):
    assert client.send("GET", "/_sandbox/state", None, headers).status == 403


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "[::1]:80"])
def test_loopback_has_several_names(client, host):
    assert client.send("GET", "/_sandbox/state", None, {"Host": host}).status == 200


def test_settings_change_at_once_and_keys_are_never_shown(client):
    shown = client.control("POST", "settings", {"key": "another", "stringly": True}).json
    assert (shown["keys"], shown["stringly"]) == (1, True)
    assert client.fetch().json["ERRORCODE"] == "authn"
    client.control("POST", "settings", {"keys": {"another": [27]}, "stringly": False})
    assert client.post("/Vendor/PO/Fetch.json", {"vendor_id": 27}, key="another").json["success"] == 1


def test_reset_goes_back_to_the_start(sandbox, client, record):
    client.mark(record("D1"))
    client.update(("A", 1))
    client.control("POST", "pos", [{"po": "D9", "vendor_id": 27}])
    sandbox.faults.add(kind="error", on=100)
    assert client.control("POST", "reset").json == {"pos": 3}
    assert (sandbox.calls, sandbox.state.effects, sandbox.state.advice) == ([], [], {})
    assert sandbox.state.po("D1")["status"] == "ready"
    assert sandbox.faults.as_json() == []
    assert client.control("POST", "reset", {"to_empty": True}).json == {"pos": 0}


def test_the_assumptions_are_served_and_each_says_how_sure_it_is(client):
    served = client.control("GET", "assumptions").json["assumptions"]
    assert served == [{"text": a.text, "certainty": a.certainty, "section": a.section} for a in ASSUMPTIONS]
    assert {one.certainty for one in ASSUMPTIONS} == {"documented", "seen", "inferred", "assumed"}
    assert len({one.text for one in ASSUMPTIONS}) == len(ASSUMPTIONS)


def test_one_waits_for_calls_to_arrive(sandbox, client):
    client.fetch()
    assert len(sandbox.wait_for_calls(1, action="Vendor.PO.fetch")) == 1
    with pytest.raises(TimeoutError, match="1 of 2 calls"):
        sandbox.wait_for_calls(2, timeout=0.05)


def test_a_mistake_of_the_sandbox_does_not_look_like_one_of_retailops(connect, capfd):
    class Broken(State):
        def find_pos(self, vendor_id, statuses):
            raise RuntimeError("oops")

    with Sandbox(Broken()) as sandbox:
        answer = connect(sandbox).fetch()
    assert (answer.status, answer.json["ERRORCODE"]) == (500, "sandbox")
    assert capfd.readouterr() == ("", "")
