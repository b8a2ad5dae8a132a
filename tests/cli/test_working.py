"""How `run` and `watch` end, what they print, and what a person decides."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

UPDATE = "Product.ExternalSku.update"
KEY = "test-key-not-secret"
UNREACHABLE = "http://127.0.0.1:9"


def test_a_run_without_a_terminal_prints_a_line_a_file_and_then_nothing(
    workspace: Any, retailops: Any
) -> None:
    workspace.drop("inventory.csv", "00120,5", "0417,42")
    ended = workspace.filebridge("run")
    assert ended.code == 0
    (line,) = ended.out.splitlines()
    assert line.startswith("acme/inventory.csv (f")
    assert line.endswith("accepted: 2 delivered")
    assert ended.err == ""
    again = workspace.filebridge("run")
    assert (again.code, again.all) == (0, "")
    assert len(retailops.calls(UPDATE)) == 1


def test_each_line_of_a_run_is_written_whole_for_a_log_of_several_streams(
    workspace: Any, retailops: Any
) -> None:
    workspace.drop("inventory.csv", "00120,5", "0417,x")
    # Each write to such a socket is a message of its own.
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        done = subprocess.run(
            [sys.executable, "-u", "-m", "filebridge", "-C", str(workspace.folder), "run"],
            env=os.environ | {"RETAILOPS_API_KEY": KEY, "PYTHONPATH": str(Path(__file__).parents[2])},
            stdout=theirs,
            stderr=theirs,
            stdin=subprocess.DEVNULL,
            timeout=50,
            check=False,
        )
        theirs.close()
        written = list(iter(lambda: ours.recv(65_536), b""))
    assert done.returncode == 1
    assert len(written) == 3
    assert all(message.endswith(b"\n") for message in written)


def test_run_tells_a_program_what_it_did(traded: Any) -> None:
    traded.drop("inventory-4.csv", "00120,6", "0417,bad")
    document = traded.read("run", "--json").json
    assert document["exit_code"] == 1
    assert [(file["name"], file["outcomes"]) for file in document["files"]] == [
        ("inventory-4.csv", {"delivered": 1, "rejected": 1})
    ]
    assert set(document) == {
        *("exit_code", "files", "order_files", "said", "waiting", "troubles", "problems"),
    }
    assert [one["name"] for one in document["waiting"]] == ["prices.txt"]


def test_files_that_wait_are_explained(workspace: Any) -> None:
    workspace.drop("prices.txt", "x", head="y")
    ended = workspace.read("run")
    assert "prices.txt stays in the inbox" in ended.err
    assert "inventory*.csv" in ended.err


def test_a_wrong_key_ends_with_3_and_rejects_nothing(workspace: Any, retailops: Any) -> None:
    workspace.drop("inventory.csv", "00120,5")
    ended = workspace.filebridge("run", key="wrong-key")
    assert ended.code == 3
    assert "key" in ended.err
    assert "wrong-key" not in ended.all
    (file,) = workspace.read("files", "--json").json["files"]
    assert (file["status"], file["outcomes"]) == ("pending", {"pending": 1})
    assert "refused the API key" in " ".join(workspace.read("status").out.split())
    assert workspace.filebridge("run").code == 0
    (file,) = workspace.read("files", "--json").json["files"]
    assert file["outcomes"] == {"delivered": 1}


def test_without_a_network_the_work_is_kept(workspace: Any, filebridge: Any, retailops: Any) -> None:
    workspace.drop("inventory.csv", "00120,5")
    folder = str(workspace.folder)
    ended = filebridge("-C", folder, "run", FILEBRIDGE_RETAILOPS__BASE_URL=UNREACHABLE)
    assert ended.code == 3
    assert "Nothing is lost" in ended.err
    assert workspace.read("status", "--json").json["vendors"][0]["trouble"] == "unreachable"
    assert workspace.filebridge("run").code == 0
    assert json.loads(retailops.calls(UPDATE)[0]["body"])["records"][0]["quantity"] == 5


def test_a_mapping_mistake_ends_with_2_and_names_file_line_and_nearest_word(
    workspace: Any, retailops: Any
) -> None:
    workspace.write(
        "mappings/acme/inventory.yaml",
        "document: inventory\nfields: {vpc: SKU, quantity: Qty}\ncuvers: everything\n",
    )
    workspace.drop("inventory.csv", "00120,5")
    for command in ("check", "run"):
        ended = workspace.read(command)
        assert ended.code == 2
        assert "mappings/acme/inventory.yaml:3" in ended.all
        assert "covers" in ended.all
    assert not retailops.calls(UPDATE)
    assert workspace.read("check", "--json").json["problems"]


def test_check_asks_retailops_whether_the_key_works(workspace: Any) -> None:
    assert workspace.filebridge("check").code == 0
    ended = workspace.filebridge("check", key="wrong-key")
    assert ended.code == 3
    assert "API key" in ended.all


def test_a_second_one_at_work_ends_with_4_and_names_the_first(workspace: Any, wait_until: Any) -> None:
    watching = workspace.start("watch")
    wait_until((workspace.folder / ".filebridge" / "lock.holder").exists)
    ended = workspace.filebridge("run")
    assert workspace.end(watching).code == 0
    assert ended.code == 4
    assert str(watching.pid) in ended.err


def test_reading_and_deciding_work_beside_a_running_watch(traded: Any, wait_until: Any) -> None:
    held = traded.read("files", "--json", "--status", "held").json["files"][0]["id"]
    watching = traded.start("watch")
    wait_until(lambda: traded.read("status", "--json").json["watching"])
    traded.drop("inventory-5.csv", "W-1,11", "W-2,8", "00120,5", "0417,42")
    wait_until((traded.folder / "outbox/acme/replies/inventory-5.csv.receipt.json").exists)
    decided = traded.filebridge("release", held[:9], "--json")
    assert decided.json["done"]
    assert decided.json["ok"]
    wait_until(lambda: traded.receipt("inventory-3.csv")["status"] != "held")
    assert "FileBridge is watching" in traded.read("status").out
    ended = traded.end(watching)
    assert ended.code == 0
    assert "inventory-5.csv" in ended.out
    assert traded.read("status", "--json").json["watching"] is False


def test_ctrl_c_ends_with_130_and_loses_nothing(workspace: Any, retailops: Any, wait_until: Any) -> None:
    retailops.fault(kind="slow", action=UPDATE, seconds=1)
    workspace.drop("inventory.csv", "00120,5")
    running = workspace.start("run")
    wait_until(lambda: retailops.calls(UPDATE))
    ended = workspace.end(running, signal.SIGINT)
    assert ended.code == 130
    assert "Nothing is lost" in ended.err
    workspace.filebridge("run")
    (file,) = workspace.read("files", "--json").json["files"]
    assert file["outcomes"] == {"delivered": 1}
    assert len(retailops.calls(UPDATE)) == 1


def test_sigterm_ends_with_143(workspace: Any, retailops: Any, wait_until: Any) -> None:
    retailops.fault(kind="slow", action=UPDATE, seconds=1)
    workspace.drop("inventory.csv", "00120,5")
    running = workspace.start("run")
    wait_until(lambda: retailops.calls(UPDATE))
    assert workspace.end(running).code == 143


def test_a_held_file_is_released_and_sent_by_the_next_run(traded: Any, retailops: Any) -> None:
    held = traded.read("files", "--json", "--status", "held").json["files"][0]["id"]
    assert traded.read("release", held).code == 0
    document = traded.read("run", "--json", "--only", "in").json
    assert [(file["id"], file["status"]) for file in document["files"]] == [(held, "accepted")]
    refused = traded.read("release", held, "--json")
    assert refused.code == 2
    assert refused.json["ok"] is False


def test_a_held_file_is_discarded_and_its_rows_say_so(traded: Any, retailops: Any) -> None:
    held = traded.read("files", "--json", "--status", "held").json["files"][0]["id"]
    assert traded.read("discard", held).code == 0
    traded.read("run")
    rows = traded.read("rows", held, "--json").json["rows"]
    assert {(row["outcome"], row["code"]) for row in rows} == {("rejected", "discarded")}
    assert not retailops.calls(UPDATE)


def test_a_refused_file_is_tried_again_once_its_mapping_is_mended(workspace: Any) -> None:
    workspace.drop("inventory.csv", "00120,5", head="SKU,Stock")
    assert workspace.read("run").code == 1
    (file,) = workspace.read("files", "--json").json["files"]
    workspace.write(
        "mappings/acme/inventory.yaml", "document: inventory\nfields: {vpc: SKU, quantity: Stock}\n"
    )
    assert workspace.read("retry", file["id"]).code == 0
    assert workspace.read("run").code == 0
    assert workspace.receipt("inventory.csv")["status"] == "accepted"


def test_an_order_is_written_once_more_under_a_name_that_says_so(traded: Any, retailops: Any) -> None:
    ended = traded.read("orders", "resend", "D2700001", "--json")
    assert ended.code == 0
    assert ended.json["resent"][0]["ok"]
    names = sorted(path.name for path in (traded.folder / "outbox/acme/orders").iterdir())
    assert len(names) == 2
    assert any("_resend1" in name for name in names)
    assert not retailops.calls("Vendor.PO.MarkSubmitted")


def test_a_damaged_ledger_is_a_sentence(traded: Any) -> None:
    ledger = traded.folder / ".filebridge" / "ledger.db"
    with ledger.open("r+b") as stream:
        stream.write(b"this is no ledger, it is a letter")
    for command in ("status", "files", "run"):
        ended = traded.read(command)
        assert ended.code == 2
        assert "damaged" in ended.err


def test_who_stops_reading_is_no_error(traded: Any) -> None:
    files = traded.start("files")
    assert files.stdout is not None
    files.stdout.close()
    assert files.stderr is not None
    with files.stderr:
        assert files.stderr.read() == ""
    assert files.wait(timeout=30) == 0
