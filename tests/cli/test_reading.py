"""What the commands that only read print, for people and for programs."""

import json
from pathlib import Path
from typing import Any

import pytest


def file_id(workspace: Any, name: str) -> str:
    listed = workspace.read("files", "--json").json["files"]
    return next(file["id"] for file in listed if file["name"] == name)


def test_files_lists_what_came_in_newest_first(traded: Any) -> None:
    listed = traded.read("files", "--json").json["files"]
    assert [file["name"] for file in listed] == ["inventory-3.csv", "inventory-2.csv", "inventory-1.csv"]
    assert [file["status"] for file in listed] == ["held", "accepted_with_rejects", "accepted"]
    assert listed[1]["outcomes"] == {"delivered": 1, "unchanged": 1, "rejected": 2}
    assert set(listed[0]) == {
        *("id", "received_at", "vendor", "document", "name", "rows", "status", "state", "outcomes"),
        *("held_for", "reject_file"),
    }


def test_files_are_chosen_by_name_status_and_number(traded: Any) -> None:
    assert len(traded.read("files", "--json", "--limit", "2").json["files"]) == 2
    assert len(traded.read("files", "--json", "--name", "TORY-2").json["files"]) == 1
    held = traded.read("files", "--json", "--status", "held").json["files"]
    assert [file["name"] for file in held] == ["inventory-3.csv"]


def test_the_table_of_files_can_be_read_without_colour(traded: Any) -> None:
    ended = traded.filebridge("files")
    assert "acme/inventory-2.csv" in ended.out
    assert "accepted with rejects: 1 delivered" in " ".join(ended.out.split())
    assert "\x1b" not in ended.out
    assert max(map(len, ended.out.splitlines())) <= 100


def test_a_terminal_that_lacks_characters_is_written_to_all_the_same(filebridge: Any, traded: Any) -> None:
    ended = filebridge("-C", str(traded.folder), "files", PYTHONIOENCODING="ascii")
    assert ended.code == 0
    assert ended.out.isascii()
    assert "acme/inventory-2.csv" in ended.out


def test_show_tells_the_receipt_in_words_and_each_call(traded: Any) -> None:
    wanted = file_id(traded, "inventory-2.csv")
    ended = traded.read("show", wanted)
    assert ended.code == 0
    assert "2 of the 4 rows of inventory-2.csv were not taken" in ended.out
    assert "confirmed" in ended.out and "update" in ended.out
    document = traded.read("show", wanted, "--json").json
    assert document["receipt"]["outcomes"] == {"delivered": 1, "unchanged": 1, "rejected": 2}
    assert [(call["action"], call["state"], call["http_status"]) for call in document["calls"]] == [
        ("update", "confirmed", 200)
    ]


def test_show_says_where_the_reject_file_lies_and_names_the_workbook(traded: Any) -> None:
    said = " ".join(traded.read("show", file_id(traded, "inventory-2.csv")).out.split())
    assert "Open inventory-2.csv.rejects.xlsx, in outbox/acme/replies/: the rows that did not go" in said
    assert "beside this file" not in said


def test_the_first_letters_of_an_id_will_do(traded: Any) -> None:
    wanted = file_id(traded, "inventory-1.csv")
    others = [file["id"] for file in traded.read("files", "--json").json["files"] if file["id"] != wanted]
    prefix = next(
        wanted[:length]
        for length in range(2, 11)
        if not any(one.startswith(wanted[:length]) for one in others)
    )
    assert traded.read("show", prefix, "--json").json["receipt"]["file"]["id"] == wanted
    many = traded.read("show", "f")
    assert many.code == 2
    assert wanted in many.err


def test_an_unknown_id_is_answered_with_the_latest_files(traded: Any) -> None:
    ended = traded.read("show", "fzzzz")
    assert ended.code == 2
    assert "inventory-3.csv" in ended.err


def test_rows_have_an_outcome_each_and_every_reason(traded: Any) -> None:
    wanted = file_id(traded, "inventory-2.csv")
    document = traded.read("rows", wanted, "--json").json
    assert [(row["row"], row["outcome"], row["code"]) for row in document["rows"]] == [
        (2, "unchanged", None),
        (3, "rejected", "bad_number"),
        (4, "rejected", "out_of_range"),
        (5, "delivered", None),
    ]
    assert set(document["rows"][0]) == {"row", "outcome", "code", "message"}
    assert document["file"]["id"] == wanted
    chosen = traded.read("rows", wanted, "--outcome", "rejected", "--limit", "1", "--json").json
    assert [row["row"] for row in chosen["rows"]] == [3]
    assert "many" in traded.read("rows", wanted, "--outcome", "rejected").out


def test_status_says_what_waits_and_how_it_is_decided(traded: Any) -> None:
    held = file_id(traded, "inventory-3.csv")
    ended = traded.read("status")
    assert ended.code == 0
    assert f"filebridge release {held}" in ended.out
    assert "No watch is running" in ended.out
    document = traded.read("status", "--json").json
    assert document["watching"] is False
    assert document["decisions"] == []
    assert document["last_pass"]["exit_code"] == 1
    (vendor,) = document["vendors"]
    assert [one["id"] for one in vendor["held"]] == [held]
    assert [one["name"] for one in vendor["rejects"]] == ["inventory-2.csv"]
    assert [one["pos"] for one in vendor["order_files_not_taken"]] == [3]
    assert vendor["trouble"] is None


def test_status_names_files_that_were_refused_as_a_whole(workspace: Any) -> None:
    workspace.write("inbox/acme/inventory-1.csv", "%PDF-1.4")
    workspace.drop("inventory-2.csv", "00120,5", head="SKU,Stock")
    assert workspace.read("run").code == 1
    ended = " ".join(workspace.read("status").out.split())
    for part in ("refused:", "PDF document", "Save it again as CSV or XLSX.", "Restore the header"):
        assert part in ended
    (vendor,) = workspace.read("status", "--json").json["vendors"]
    assert [(one["name"], one["code"]) for one in vendor["refused"]] == [
        ("inventory-2.csv", "missing_column"),
        ("inventory-1.csv", "unreadable_file"),
    ]
    assert vendor["rejects"] == []


def test_orders_are_listed_and_shown(traded: Any) -> None:
    listed = traded.read("orders", "--json").json["orders"]
    assert sorted(order["po"] for order in listed) == ["D2700001", "D2700002", "D2700003"]
    assert {order["state"] for order in listed} == {"marked"}
    assert listed[0]["file"].startswith("PO_acme_")
    shown = traded.read("orders", "show", "D2700002", "--json").json
    assert shown["items"]
    assert shown["record"]["po"] == "D2700002"
    assert [file["kind"] for file in shown["files"]] == ["order"]
    assert "D2700002" in traded.read("orders", "--limit", "0").out
    assert traded.read("orders", "--state", "held", "--json").json == {"orders": []}


def test_an_order_that_is_not_known_yet_is_looked_up(workspace: Any) -> None:
    shown = workspace.read("orders", "show", "D2700001", "--json")
    assert shown.json["status"] == "ready"
    ended = workspace.read("orders", "show", "D9")
    assert ended.code == 2
    assert "D9" in ended.err


def test_fetching_orders_marks_nothing_and_writes_no_file(workspace: Any, retailops: Any) -> None:
    ended = workspace.read("orders", "fetch", "--json")
    assert ended.json == {"fetched": {"acme": 3}}
    assert not retailops.calls("Vendor.PO.MarkSubmitted")
    assert not list((workspace.folder / "outbox" / "acme" / "orders").iterdir())
    assert len(workspace.read("orders", "--json").json["orders"]) == 3


def test_before_the_first_pass_nothing_is_an_error(workspace: Any) -> None:
    for command, key in (("files", "files"), ("status", "vendors"), ("orders", "orders")):
        ended = workspace.read(command)
        assert ended.code == 0
        assert "yet" in ended.all
        assert workspace.read(command, "--json").json[key] == []
    assert not (workspace.folder / ".filebridge").exists()


def test_options_may_stand_before_and_after_the_command(here: Any, traded: Any) -> None:
    folder = str(traded.folder)
    before = here("-C", folder, "--json", "files")
    after = here("files", "--json", "-C", folder)
    joined = here("files", f"-C{folder}", "--json")
    assert before.json == after.json == joined.json


def test_preview_agrees_with_the_run_that_follows(workspace: Any, retailops: Any) -> None:
    path = workspace.drop("inventory.csv", "00120,5", "0417,x")
    ended = workspace.read("preview", str(path), "--json")
    assert ended.code == 1
    document = ended.json
    assert document["preview"] is True
    assert document["outcomes"] == {"rejected": 1, "pending": 1}
    assert [(row["row"], row["outcome"], row["code"]) for row in document["rows"]] == [
        (2, "pending", None),
        (3, "rejected", "bad_number"),
    ]
    (planned,) = document["plan"]
    assert (planned["action"], planned["rows"]) == ("update", [2])
    assert not retailops.calls()
    assert workspace.read("run", "--only", "in").code == 1
    (sent,) = retailops.calls("Product.ExternalSku.update")
    assert json.loads(sent["body"]) == planned["body"]


def test_preview_in_words_sends_nothing(workspace: Any) -> None:
    path = workspace.drop("inventory.csv", "00120,5")
    ended = workspace.read("preview", str(path))
    assert ended.code == 0
    assert "would be sent" in ended.out
    assert path.exists()


def test_a_template_is_filled_in_and_taken_without_a_mapping(
    workspace: Any, retailops: Any, tmp_path: Path
) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    target = tmp_path / "stock.xlsx"
    ended = workspace.read("template", "inventory", "-o", str(target))
    assert ended.code == 0
    book = openpyxl.load_workbook(target)
    sheet = book.active
    assert [cell.value for cell in sheet[1]] == ["vpc", "quantity", "unit_cost", "active"]
    assert sheet["A2"].number_format == "@"
    sheet["A2"], sheet["B2"] = "00120", "7"
    (workspace.folder / "inbox").mkdir()
    book.save(workspace.folder / "inbox" / "stock.xlsx")
    assert workspace.read("run", "--only", "in").code == 0
    (sent,) = retailops.calls("Product.ExternalSku.update")
    assert [(one["vpc"], one["quantity"]) for one in json.loads(sent["body"])["records"]] == [("00120", 7)]
    again = workspace.read("template", "inventory", "-o", str(target))
    assert again.code == 2
    assert "is there already" in again.err


def test_a_template_holds_what_the_vendor_has_sent_so_far(traded: Any, tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    target = tmp_path / "stock.xlsx"
    assert traded.read("template", "inventory", "--vendor", "acme", "-o", str(target)).code == 0
    sheet = openpyxl.load_workbook(target).active
    assert [(sheet.cell(row, 1).value, sheet.cell(row, 2).value) for row in range(2, 4)] == [
        ("00120", "5"),
        ("0417", "42"),
    ]


def test_init_makes_a_workspace_that_check_finds_well(filebridge: Any, tmp_path: Path) -> None:
    assert filebridge("init", "trade", folder=tmp_path).code == 0
    ended = filebridge("check", "--offline", "-C", "trade", folder=tmp_path)
    assert ended.code == 0
    assert "All is well" in ended.out
    again = filebridge("init", "trade", folder=tmp_path)
    assert again.code == 2
    assert "already holds" in again.err


def test_schema_is_one_json_document(filebridge: Any) -> None:
    assert filebridge("schema").json
