"""A state file that is kept up to date while the sandbox runs."""

import os
import signal
import threading

import pytest

from filebridge.sandbox import Sandbox, State, StateError, Store, main


@pytest.fixture
def file(tmp_path):
    return tmp_path / "state.json"


@pytest.fixture
def journal(tmp_path):
    return tmp_path / "state.json.journal"


def killed(store):
    """What stays of a store whose process ended at once: its lock is gone, nothing was tidied up."""
    os.close(store._journal)
    store._is_open = False


@pytest.fixture
def at_work(file, connect, po):
    """A sandbox with a store, D1 and D2 submitted, and a client."""
    store = Store(file)
    store.state.add_pos([po("D1", status="submitted"), po("D2", status="submitted"), po("D3")])
    store.save()
    with Sandbox(store.state, save=store.save) as sandbox:
        yield store, sandbox, connect(sandbox)


def test_what_was_answered_is_there_after_the_process_was_killed(at_work, file, record, package):
    store, sandbox, client = at_work
    client.update(("A", 1), ("Ø-9", 2))
    client.update(("A", 3))
    client.mark(record("D3"))
    client.accept(record("D2"))
    client.date(record("D2") | {"estimated_ship_date": "2026-12-01T17:00:00Z"})
    client.complete("D1", package())
    wanted = sandbox.state.as_json()
    killed(store)
    again = Store(file)
    assert again.state.as_json() == wanted
    assert again.state.po("D1")["packages"] == [package()]
    assert again.state.history("27", "A") == [1, 3]
    again.close()


@pytest.mark.parametrize(
    ("method", "route", "body"),
    [
        ("POST", "pos", {"po": "D9", "vendor_id": 27}),
        ("POST", "pos/change", {"po": "D1", "set": {"status": "canceled"}}),
        ("PUT", "ship_classes", [{"id": 1, "name": "Van"}]),
        ("POST", "ship_classes/change", {"id": 7, "set": {"id": 2101}}),
        ("POST", "reset", {"to_empty": True}),
    ],
)
def test_so_is_what_the_control_routes_changed(at_work, file, method, route, body):
    store, sandbox, client = at_work
    client.update(("A", 1))
    assert client.control(method, route, body).status == 200
    wanted = sandbox.state.as_json()
    killed(store)
    again = Store(file)
    assert again.state.as_json() == wanted
    again.close()


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "cancel_po", "po": "D2", "action": "complete"},
        {"kind": "page_change", "remove": ["D2"], "reverse": True, "action": "complete"},
        {"kind": "class_change", "remove": [62], "action": "complete"},
    ],
)
def test_so_is_what_a_fault_changed_beside_a_call(at_work, file, package, fault):
    store, sandbox, client = at_work
    sandbox.faults.add(fault)
    client.complete("D1", package())
    wanted = sandbox.state.as_json()
    killed(store)
    again = Store(file)
    assert again.state.as_json() == wanted
    again.close()


def test_a_call_whose_answer_is_held_back_is_saved_already(at_work, file, package):
    store, sandbox, client = at_work
    sandbox.faults.add(action="complete", kind="hold")
    thread = threading.Thread(target=lambda: client.complete("D1", package()))
    thread.start()
    sandbox.wait_until_held()
    killed(store)
    again = Store(file)
    assert again.state.po("D1")["status"] == "complete"
    again.close()
    sandbox.release()
    thread.join(5)


def test_a_line_that_was_being_written_at_the_kill_is_left_out(at_work, file, journal):
    store, _, client = at_work
    client.update(("A", 1))
    client.update(("A", 2))
    killed(store)
    with journal.open("r+b") as out:
        out.truncate(journal.stat().st_size - 5)
    again = Store(file)
    assert again.state.history("27", "A") == [1]
    again.state.give_advice(
        [("27", "A", {"vendor_id": 27, "vpc": "A", "quantity": 5})], call_seq=9, action="x", at="y"
    )
    again.save()
    killed(again)
    third = Store(file)
    assert third.state.history("27", "A") == [1, 5]
    third.close()


def test_a_journal_that_is_in_the_file_already_is_not_applied_again(at_work, file, journal):
    store, _, client = at_work
    client.update(("A", 1))
    old = journal.read_bytes()
    killed(store)
    killed(Store(file))
    # As if the process had been killed between writing the file and emptying the journal.
    journal.write_bytes(old)
    again = Store(file)
    assert again.state.history("27", "A") == [1]
    again.close()


def test_a_journal_with_damage_in_its_middle_is_refused_in_words(at_work, file, journal):
    store, _, client = at_work
    client.update(("A", 1))
    client.update(("A", 2))
    killed(store)
    lines = journal.read_bytes().split(b"\n")
    journal.write_bytes(b"\n".join([lines[0], b"\0" * 20, *lines[2:]]))
    with pytest.raises(StateError, match=r"line 2 of .*state\.json\.journal cannot be read"):
        Store(file)
    journal.unlink()
    Store(file).close()


def test_a_clean_end_leaves_one_file_that_a_person_can_read(at_work, tmp_path, file):
    store, sandbox, client = at_work
    client.update(("A", 1))
    store.close()
    store.close()
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]
    assert State.load(file).as_json() == sandbox.state.as_json()
    assert '\n{"id":7,"name":"FedEx Ground"},\n' in file.read_text(encoding="utf-8")


def test_a_journal_that_grows_long_is_written_into_the_file(file, journal):
    store = Store(file, journal_bytes=2000)
    for quantity in range(100):
        record = {"vendor_id": 27, "vpc": "A", "quantity": quantity}
        store.state.give_advice([("27", "A", record)], call_seq=quantity, action="x", at="y")
        store.save()
        assert journal.stat().st_size < 2500
    killed(store)
    again = Store(file)
    assert again.state.history("27", "A") == list(range(100))
    again.close()


def test_one_sandbox_a_file(file):
    store = Store(file)
    with pytest.raises(StateError, match=r"another sandbox is running on .*state\.json"):
        Store(file)
    store.close()
    Store(file).close()


def test_a_store_that_nothing_was_put_into_leaves_no_file(tmp_path, file):
    Store(file).close()
    assert list(tmp_path.iterdir()) == []


def test_many_clients_at_once_lose_nothing(at_work, file, connect):
    store, sandbox, _ = at_work
    clients = [connect(sandbox) for _ in range(6)]

    def work(number, client):
        for quantity in range(15):
            client.update((f"V{number}", quantity))

    threads = [threading.Thread(target=work, args=pair) for pair in enumerate(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    killed(store)
    again = Store(file)
    assert again.state.as_json() == sandbox.state.as_json()
    assert [effect.seq for effect in again.state.effects] == list(range(1, 91))
    again.close()


def test_what_cannot_be_saved_is_not_answered_as_done(at_work, file, monkeypatch, package):
    store, sandbox, client = at_work

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    answer = client.complete("D1", package())
    assert (answer.status, answer.json["ERRORCODE"]) == (500, "sandbox")
    assert "the state could not be saved: [Errno 28] No space left" in answer.json["ERROR"]
    refused = client.control("POST", "pos", {"po": "D9", "vendor_id": 27})
    assert (refused.status, "could not be saved" in refused.json["error"]) == (500, True)
    monkeypatch.undo()
    client.update(("A", 1))
    wanted = sandbox.state.as_json()
    killed(store)
    again = Store(file)
    assert again.state.as_json() == wanted
    again.close()


def test_calls_are_numbered_on_after_a_restart(at_work, file, connect):
    store, _, client = at_work
    client.update(("A", 1))
    killed(store)
    again = Store(file)
    with Sandbox(again.state, save=again.save) as sandbox:
        connect(sandbox).update(("A", 2))
        assert [call.seq for call in sandbox.calls] == [2]
    assert [effect.call_seq for effect in again.state.effects] == [1, 2]
    again.close()


@pytest.mark.parametrize(
    ("text", "words"),
    [("{", "is not JSON"), ('{"pos": [], "generation": "x"}', "generation"), ('{"pos": 1}', 'a list "pos"')],
)
def test_a_file_that_cannot_be_taken_is_said_in_one_line_and_left_as_it_is(capsys, file, text, words):
    file.write_text(text)
    assert main(["--state", str(file)]) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err.count("\n"), words in shown.err) == ("", 1, True)
    assert file.read_text() == text
    assert [path.name for path in file.parent.iterdir()] == ["state.json"]


def test_a_folder_that_does_not_exist_is_named(capsys, tmp_path):
    assert main(["--state", str(tmp_path / "none" / "state.json")]) == 2
    assert capsys.readouterr().err == f"sandbox: there is no folder {tmp_path / 'none'}\n"


def test_a_seed_that_fails_leaves_no_file_that_would_be_begun_with(capsys, tmp_path, file):
    assert main(["--state", str(file), "--seed", str(tmp_path / "none.json")]) == 2
    assert "none.json" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def begun(file, po):
    """Options of a command that begins with two POs."""
    State([po("D1"), po("D2")]).save(file)
    return ["--state", str(file), "--quiet"]


def test_the_command_killed_at_once_has_all_that_it_answered(running, begun, make_client, record, package):
    with running(*begun) as (process, port):
        client = make_client(port)
        client.mark(record("D1"), record("D2"))
        client.complete("D1", package())
        client.update(("A", 4))
        process.send_signal(signal.SIGKILL)
        process.wait()
    with running(*begun) as (process, port):
        client = make_client(port)
        assert [one["status"] for one in client.control("GET", "state").json["pos"]] == [
            "complete",
            "submitted",
        ]
        assert "status: complete" in client.complete("D1", package()).json["ERROR"]
        assert client.control("GET", "view").json["quantities"][0]["quantity"] == 4
        process.terminate()
        assert process.communicate(timeout=5) == ("", "")
