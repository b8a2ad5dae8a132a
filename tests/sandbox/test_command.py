"""`python -m filebridge.sandbox`."""

import json
import signal

import pytest

from filebridge.sandbox import main


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_is_and_ends_cleanly_with_its_state_saved(running, tmp_path, make_client, number):
    state = tmp_path / "state.json"
    with running("--orders", "3", "--vendor", "27", "--state", str(state)) as (process, port):
        client = make_client(port)
        assert len(client.fetch().json["records"]) == 3
        client.update(("A", 4))
        process.send_signal(number)
        out, err = process.communicate(timeout=5)
    assert (process.returncode, err) == (0, "")
    assert out == (
        f"RetailOps sandbox: http://127.0.0.1:{port}  apikey: sandbox-key-not-secret  "
        f"page: http://127.0.0.1:{port}/_sandbox/\n"
    )
    with running("--orders", "3", "--state", str(state), "--quiet") as (process, port):
        assert make_client(port).control("GET", "state").json["quantities"][0]["quantity"] == 4
        process.terminate()
        assert process.communicate(timeout=5) == ("", "")


def test_its_options_reach_the_sandbox(running, tmp_path, make_client, po):
    (tmp_path / "seed.json").write_text(json.dumps({"pos": [po("D7")]}))
    options = ["--seed", str(tmp_path / "seed.json"), "--key", "mine=27,28", "--stringly", "--http-errors"]
    more = ["--set", "short_complete=refuse", "--set", "max_limit=50"]
    fault = json.dumps([{"action": "fetch", "kind": "html_502"}])
    with running(*options, "--per-record", "--fault", fault, "--quiet", *more) as (_, port):
        client = make_client(port)
        settings = client.control("GET", "settings").json
        assert (settings["stringly"], settings["http_errors"], settings["per_record"]) == (True, True, True)
        assert (settings["short_complete"], settings["max_limit"]) == ("refuse", 50)
        body = {"vendor_id": 27, "with_items": 1}
        assert client.post("/vendor/po/fetch.json", body, key="mine").status == 502
        assert client.post("/vendor/po/fetch.json", body, key="mine").json["records"][0]["po"] == "D7"
        assert client.post("/vendor/po/fetch.json", {"vendor_id": 29}, key="mine").status == 403


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--host", "0.0.0.0"], "loopback only"),
        (["--fault", "{"], "--fault is not JSON"),
        (["--fault", '{"kind": "explode"}'], "unknown kind explode"),
        (["--seed", "no-such-file.json"], "no-such-file.json"),
        (["--port", "99999"], "port"),
        (["--orders", "-1"], "--orders cannot be negative"),
        (["--set", "colour=red"], "unknown setting colour"),
        (["--set", "short_complete=maybe"], "short_complete cannot be 'maybe'"),
        (["--set", "max_limit"], "NAME=VALUE"),
        (["--set", "key=secret"], "that is --key"),
    ],
)
def test_what_keeps_it_from_starting_is_said_in_one_line(capsys, options, words):
    assert main(options) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert words in shown.err
