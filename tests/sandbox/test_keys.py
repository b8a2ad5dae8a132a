"""Who may call, and what the record tells of it."""

import pytest

from filebridge.sandbox import DEFAULT_KEY, Sandbox, Settings, State

FETCH = "/Vendor/PO/Fetch.json"


@pytest.mark.parametrize("key", [None, "", "wrong", DEFAULT_KEY + "x", "schlüssel"])
def test_a_missing_or_wrong_key_is_authn_with_status_200(sandbox, client, key):
    answer = client.post(FETCH, {"vendor_id": 27}, key=key)
    assert answer.status == 200
    assert answer.json["ERRORCODE"] == "authn"
    assert not sandbox.calls[0].key_ok


def test_the_key_stands_nowhere_in_the_record(sandbox, client):
    client.post(FETCH + f"?apikey={DEFAULT_KEY}&x=1", {"vendor_id": 27})
    client.send("POST", FETCH + f"?APIKEY={DEFAULT_KEY}", b"{}", {"Authorization": DEFAULT_KEY})
    assert [call.key_ok for call in sandbox.calls] == [True, False]
    assert DEFAULT_KEY not in repr(sandbox.calls)
    assert sandbox.calls[0].path == FETCH + "?apikey=[removed]&x=1"
    for route in ("calls", "settings", "state", ""):
        assert DEFAULT_KEY not in client.control("GET", route).text


def test_a_key_acts_for_its_own_vendors_only(connect, po, record):
    state = State([po("D1"), po("E1", vendor_id=28)])
    with Sandbox(state, keys={"k27": {27}, "k-all": None}) as sandbox:
        client = connect(sandbox)
        for path, body in [
            (FETCH, {"vendor_id": "28"}),
            (
                "/product/externalsku/update~2.json",
                {"records": [{"vendor_id": 28, "vpc": "A", "quantity": 1}]},
            ),
            ("/Vendor/PO/MarkSubmitted.json", {"records": [record("D1"), record("E1")]}),
        ]:
            answer = client.post(path, body, key="k27").json
            assert answer["ERRORCODE"] == "authz"
            assert answer["ERROR"].startswith("access denied")
        assert state.effects == []
        assert client.post(FETCH, {"vendor_id": "27"}, key="k27").json["success"] == 1
        assert client.post(FETCH, {"vendor_id": "28"}, key="k-all").json["success"] == 1


def test_http_errors_gives_errors_a_status_of_their_own(connect):
    with Sandbox(keys={"k": ["27"]}, settings=Settings(http_errors=True)) as sandbox:
        client = connect(sandbox)
        assert client.post(FETCH, {"vendor_id": 27}, key="wrong").status == 401
        assert client.post(FETCH, {"vendor_id": 28}, key="k").status == 403
        assert client.post("/vendor/po/cancel.json", {}, key="k").status == 404
        assert client.post(FETCH, b"{", key="k").status == 400
        assert client.send("GET", FETCH, None, {"apikey": "k"}).status == 405
        assert client.post(FETCH, {}, key="k").status == 200
