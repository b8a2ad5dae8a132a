"""`filebridge sandbox seed`."""

import http.server
import json
import socket
import threading

import pytest

from filebridge.sandbox import Sandbox, State, main


@pytest.fixture
def seed(capsys):
    """Run the command; its exit code and what it said."""

    def run(*options):
        code = main(["seed", *map(str, options)])
        shown = capsys.readouterr()
        return code, shown.out + shown.err

    return run


@pytest.fixture
def file(tmp_path):
    return tmp_path / "state.json"


def orders_file(folder, *pos, **others):
    path = folder / "pos.json"
    path.write_text(json.dumps({"pos": list(pos)} | others))
    return path


def test_a_state_file_is_made_with_invented_orders(seed, file, tmp_path):
    assert seed("--state", file, "--orders", 3, "--vendor", 31) == (0, f"{file}: 3 POs added, 0 changed\n")
    assert list(State.load(file).pos) == ["D3100001", "D3100002", "D3100003"]
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


def test_more_orders_go_on_after_those_that_are_there(seed, file):
    seed("--state", file, "--orders", 2)
    state = State.load(file)
    state.change_po("D2700001", fields={"status": "complete"})
    state.save(file)
    assert seed("--state", file, "--orders", 2) == (0, f"{file}: 2 POs added, 0 changed\n")
    seed("--state", file, "--orders", 1, "--vendor", 2)
    state = State.load(file)
    assert {po: one["status"] for po, one in state.pos.items()} == {
        "D2700001": "complete",
        "D2700002": "ready",
        "D2700003": "ready",
        "D2700004": "ready",
        "D200001": "ready",
    }
    ids = [
        item["po_item_id"] for one in state.pos.values() for item in one["items"] if one["vendor_id"] == 27
    ]
    assert len(set(ids)) == len(ids)


def test_pos_of_a_file_are_added_or_changed_in_what_is_given(seed, file, tmp_path, po):
    State([po("D1", status="submitted")]).save(file)
    source = orders_file(tmp_path, {"po": "D1", "note": "soon"}, po("D9"))
    assert seed("--state", file, "--from", source) == (0, f"{file}: 1 POs added, 1 changed\n")
    state = State.load(file)
    assert (state.pos["D1"]["status"], state.pos["D1"]["note"]) == ("submitted", "soon")
    assert state.pos["D9"]["status"] == "ready"


def test_a_file_may_bring_ship_classes(seed, file, tmp_path, po):
    source = orders_file(tmp_path, po("D1"), ship_classes=[{"id": 1, "name": "Van"}])
    seed("--state", file, "--from", source)
    assert State.load(file).ship_classes == [{"id": 1, "name": "Van"}]
    with Sandbox() as sandbox:
        seed("--url", sandbox.url, "--from", source)
        assert sandbox.state.ship_classes == [{"id": 1, "name": "Van"}]


def test_a_sandbox_that_runs_gets_orders(seed, sandbox, client, tmp_path, po):
    assert seed("--url", sandbox.url, "--orders", 2) == (0, f"{sandbox.url}: 2 POs added, 0 changed\n")
    assert seed("--url", sandbox.url + "/", "--orders", 2)[0] == 0
    assert list(sandbox.state.pos)[3:] == ["D2700001", "D2700002", "D2700003", "D2700004"]
    source = orders_file(tmp_path, po("D1", status="open"), po("D9"))
    assert seed("--url", sandbox.url, "--from", source)[1].endswith(": 1 POs added, 1 changed\n")
    assert [one["po"] for one in client.fetch(status="open").json["records"]] == ["D1"]
    assert sandbox.calls[-1].action == "Vendor.PO.fetch"


def test_what_was_seeded_is_begun_with(seed, running, file, make_client):
    seed("--state", file, "--orders", 2)
    with running("--state", str(file), "--orders", "9", "--quiet") as (_, port):
        assert len(make_client(port).fetch().json["records"]) == 2
        said = f"sandbox seed: another sandbox is running on {file}\n"
        assert seed("--state", file, "--orders", 1) == (2, said)
        assert seed("--url", f"http://127.0.0.1:{port}", "--orders", 1)[0] == 0
        assert len(make_client(port).fetch().json["records"]) == 3


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "is not JSON"),
        ("[]", 'a list "pos"'),
        ('{"pos": [{"po": "D7"}]}', "PO D7 has no vendor_id"),
        ('{"pos": [7]}', 'object with "po"'),
        ('{"pos": [], "ship_classes": 7}', "ship classes must be a list"),
        ('{"pos": [{"po": "D7", "vendor_id": 1}], "ship_classes": [7]}', "ship class must be"),
    ],
)
def test_a_file_that_cannot_be_taken_is_said_in_one_line(seed, file, sandbox, content, words):
    source = file.with_name("pos.json")
    source.write_text(content)
    code, said = seed("--state", file, "--from", source)
    assert (code, said.count("\n"), words in said) == (2, 1, True)
    assert said.startswith("sandbox seed: ")
    assert not file.exists()
    assert seed("--url", sandbox.url, "--from", source)[0] == 2
    assert list(sandbox.state.pos) == ["D1", "D2", "D3"]


def test_a_file_that_is_not_there_is_named(seed, file, tmp_path):
    source = tmp_path / "none.json"
    said = f"sandbox seed: {source} cannot be read: No such file or directory\n"
    assert seed("--state", file, "--from", source) == (2, said)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("127.0.0.1:8765", "no address of a sandbox; that is http://127.0.0.1:PORT"),
        ("https://127.0.0.1:1", "no address of a sandbox"),
        ("http://127.0.0.1:99999", "is no address"),
        ("http://[::1", "is no address"),
        ("http://127.0.0.1:{closed}", "no sandbox answers at http://127.0.0.1:"),
    ],
)
def test_an_address_without_a_sandbox_is_said_in_one_line(seed, url, words):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        code, said = seed("--url", url.replace("{closed}", str(unused.getsockname()[1])), "--orders", 1)
    assert (code, said.count("\n"), words in said) == (2, 1, True)


@pytest.mark.parametrize(("status", "body"), [(404, b"<html>"), (200, b"[]"), (200, b'{"pos": 1}')])
def test_another_server_is_not_taken_for_a_sandbox(seed, status, body):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.handle_request).start()
        code, said = seed("--url", f"http://127.0.0.1:{server.server_port}", "--orders", 1)
    assert (code, said.count("\n"), "is no sandbox" in said) == (2, 1, True)


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--state", "x.json"],
        ["--orders", "1"],
        ["--state", "x.json", "--url", "http://127.0.0.1:1", "--orders", "1"],
        ["--state", "x.json", "--orders", "1", "--from", "y.json"],
        ["--state", "x.json", "--orders", "many"],
    ],
)
def test_options_that_do_not_fit_are_a_usage_error(capsys, options):
    with pytest.raises(SystemExit) as ended:
        main(["seed", *options])
    assert ended.value.code == 2
    assert "usage: filebridge sandbox seed" in capsys.readouterr().err


def test_no_orders_at_all_is_a_mistake(seed, file):
    assert seed("--state", file, "--orders", 0) == (2, "sandbox seed: --orders must be 1 or more\n")
