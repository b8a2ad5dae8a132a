"""`python -m filebridge.sandbox`."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

import filebridge
from filebridge.sandbox import main


@contextmanager
def running(folder, *options):
    """The command in a process of its own, once it listens: the process and its port."""
    root = str(Path(filebridge.__file__).parent.parent)
    port_file = folder / "port"
    port_file.unlink(missing_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "filebridge.sandbox", "--port-file", str(port_file), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": root},
    )
    try:
        until = time.monotonic() + 10
        while not port_file.exists():
            assert process.poll() is None and time.monotonic() < until
            time.sleep(0.01)
        yield process, int(port_file.read_text())
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_is_and_ends_cleanly_with_its_state_saved(tmp_path, make_client, number):
    state = tmp_path / "state.json"
    with running(tmp_path, "--orders", "3", "--vendor", "27", "--state", str(state)) as (process, port):
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
    with running(tmp_path, "--orders", "3", "--state", str(state), "--quiet") as (process, port):
        assert make_client(port).control("GET", "state").json["quantities"][0]["quantity"] == 4
        process.terminate()
        assert process.communicate(timeout=5) == ("", "")


def test_its_options_reach_the_sandbox(tmp_path, make_client, po):
    (tmp_path / "seed.json").write_text(json.dumps({"pos": [po("D7")]}))
    options = ["--seed", str(tmp_path / "seed.json"), "--key", "mine=27,28", "--stringly", "--http-errors"]
    fault = json.dumps([{"action": "fetch", "kind": "html_502"}])
    with running(tmp_path, *options, "--per-record", "--fault", fault, "--quiet") as (_, port):
        client = make_client(port)
        settings = client.control("GET", "settings").json
        assert (settings["stringly"], settings["http_errors"], settings["per_record"]) == (True, True, True)
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
    ],
)
def test_what_keeps_it_from_starting_is_said_in_one_line(capsys, options, words):
    assert main(options) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert words in shown.err
