"""What commands and pages say of POs that wait for their other rows, or that the vendor refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pytest

SHIPMENTS = """\
document: shipments
match: ["ship*"]
fields: {po: PO, vpc: Item, quantity: Qty, tracking_number: Tracking, carrier: Via}
hold_for: 2d
"""
ACKNOWLEDGEMENTS = """\
document: acknowledgements
match: ["ack*"]
fields: {po: PO, vpc: Item, quantity: Qty, status: Status}
"""
SHIPPED = "PO,Item,Qty,Tracking,Via"
ACKNOWLEDGED = "PO,Item,Qty,Status"
# The sandbox holds D2700001: 3 of +44; D2700002: 3 of 00120, 1 of null, 2 of MAR-1; D2700003: 1 of 007, 1 of 1E5.
PART_OF_1 = "D2700001,+44,2,1ZA,UPS Ground"
PART_OF_2 = "D2700002,00120,3,1ZB,UPS Ground"
REST_OF_2 = ("D2700002,null,1,1ZC,UPS Ground", "D2700002,MAR-1,2,1ZC,UPS Ground")


@pytest.fixture
def trade(workspace: Any) -> Any:
    """A workspace whose POs are marked submitted, with mappings for shipments and acknowledgements."""
    workspace.write("mappings/acme/purchase-orders.yaml", "document: purchase-orders\ncolumns: {PO: po}\n")
    workspace.write("mappings/acme/shipments.yaml", SHIPMENTS)
    workspace.write("mappings/acme/acknowledgements.yaml", ACKNOWLEDGEMENTS)
    assert workspace.read("run").code == 0
    return workspace


def file_id(trade: Any, name: str) -> str:
    listed = trade.read("files", "--json").json["files"]
    return next(file["id"] for file in listed if file["name"] == name)


def page(trade: Any, name: str) -> str:
    """A page of the outbox, its line breaks as spaces."""
    return " ".join((trade.folder / "outbox" / "acme" / name).read_text("utf-8").split())


def standing(trade: Any) -> Any:
    (vendor,) = trade.read("status", "--json").json["vendors"]
    return vendor


def test_a_run_says_in_a_second_line_what_waits_and_needs_nobody(trade: Any) -> None:
    trade.drop("ship-1.csv", PART_OF_1, PART_OF_2, head=SHIPPED)
    ended = trade.read("run")
    assert ended.code == 0
    first, second = ended.out.splitlines()
    assert first.endswith("held: 2 held")
    assert second == "  2 POs wait for their other rows: D2700001 and D2700002"
    assert ended.err == ""


def test_the_receipt_lists_each_po_that_waits_with_its_rows_and_its_command(trade: Any) -> None:
    trade.drop("ship-1.csv", PART_OF_1, PART_OF_2, head=SHIPPED)
    trade.read("run")
    text = page(trade, "replies/ship-1.csv.receipt.txt")
    assert text.startswith("ship-1.csv was taken, and is kept: 2 POs wait for their other rows.")
    assert "D2700001, row 2: 1 unit of +44 to come. It may wait until" in text
    assert "D2700002, row 3: 1 unit of null, 2 units of MAR-1 to come." in text
    for po in ("D2700001", "D2700002"):
        assert text.count(f"filebridge orders close {po} --short") == 1
    assert "release" not in text
    waiting = trade.receipt("ship-1.csv")["waiting"]
    assert [(one["po"], one["code"], one["rows"]) for one in waiting] == [
        ("D2700001", "partial_shipment", [2]),
        ("D2700002", "partial_shipment", [3]),
    ]
    assert waiting[0]["since"] < waiting[0]["until"]


def test_of_one_po_that_waits_the_command_stands_in_what_to_do(trade: Any) -> None:
    trade.drop("ship-1.csv", PART_OF_1, head=SHIPPED)
    trade.read("run")
    text = page(trade, "replies/ship-1.csv.receipt.txt")
    assert text.count("filebridge orders close D2700001 --short") == 1
    assert "What to do ---------- PO D2700001 goes by itself when its other rows come, in any file." in text


def test_a_refused_po_asks_for_a_person_once_and_is_listed_for_the_retailer(trade: Any) -> None:
    rows = ("D2700003,007,1,rejected", "D2700003,1E5,1,accepted", "D2700001,+44,3,accepted")
    trade.drop("ack-1.csv", *rows, head=ACKNOWLEDGED)
    ended = trade.read("run")
    assert ended.code == 1
    assert "  1 PO is refused or back-ordered by the vendor: D2700003" in ended.out
    assert "tell the retailer" in ended.err and "filebridge exceptions" in ended.err
    assert "release" not in ended.all
    assert trade.read("run").code == 0
    text = page(trade, "replies/ack-1.csv.receipt.txt")
    assert "is done, but for 2 rows of 3: 1 PO is refused or back-ordered by the vendor." in text
    assert "Tell the retailer of PO D2700003" in text
    assert text.count("filebridge exceptions") == 1
    assert "D2700003, rows 2, 3:" in text
    (listed,) = trade.read("exceptions", "--json").json["exceptions"]
    assert (listed["po"], [item["status"] for item in listed["items"]]) == (
        "D2700003",
        ["rejected", "accepted"],
    )


def test_status_counts_and_lists_what_waits_apart_from_what_needs_a_person(trade: Any) -> None:
    trade.drop("ship-1.csv", PART_OF_1, head=SHIPPED)
    trade.read("run")
    found = standing(trade)
    assert [(one["po"], one["action"]) for one in found["waiting_pos"]] == [("D2700001", "complete")]
    assert found["waiting_pos"][0]["files"] == [{"id": file_id(trade, "ship-1.csv"), "name": "ship-1.csv"}]
    assert (found["waiting_pos_count"], found["overdue_pos"], found["refused_pos"]) == (1, [], [])
    said = trade.read("status").out
    assert "Nothing waits for you." in said
    assert "POs that wait for their other rows; nothing to do" in said
    assert "1 unit of +44 to come." in said
    on_page = page(trade, "STATUS.txt")
    assert "Waits for you ------------- Nothing." in on_page
    assert "Purchase orders that wait for their other rows" in on_page

    trade.drop("ack-1.csv", "D2700003,,,rejected", head=ACKNOWLEDGED)
    trade.read("run")
    assert [one["po"] for one in standing(trade)["refused_pos"]] == ["D2700003"]
    said = " ".join(trade.read("status").out.split())
    assert "Nothing waits for you." not in said
    assert "filebridge exceptions" in said
    assert "Tell the retailer; nothing is sent of the PO." in page(trade, "STATUS.txt")


def test_a_po_that_waits_too_long_is_said_to_be_overdue(trade: Any) -> None:
    trade.write("mappings/acme/shipments.yaml", SHIPMENTS.replace("2d", "0s"))
    trade.drop("ship-1.csv", PART_OF_1, head=SHIPPED)
    ended = trade.read("run")
    assert ended.code == 1
    assert "D2700001: its shipment waits for its other rows since" in ended.err
    assert "filebridge orders close D2700001 --short" in ended.err
    again = trade.read("run")
    assert (again.code, again.err) == (0, "")
    found = standing(trade)
    assert [one["po"] for one in found["overdue_pos"]] == ["D2700001"]
    assert (found["waiting_pos"], found["waiting_pos_count"]) == ([], 0)
    assert "filebridge orders close D2700001 --short" in " ".join(trade.read("status").out.split())
    assert "filebridge orders close D2700001 --short" in page(trade, "STATUS.txt")


def test_what_a_later_file_completes_reads_as_an_answer_that_changed(trade: Any) -> None:
    trade.drop("ship-1.csv", PART_OF_2, head=SHIPPED)
    trade.read("run")
    trade.drop("ship-2.csv", *REST_OF_2, head=SHIPPED)
    ended = trade.read("run")
    assert ended.code == 0
    earlier, later = file_id(trade, "ship-1.csv"), file_id(trade, "ship-2.csv")
    assert ended.out.splitlines() == [
        f"acme/ship-2.csv ({later}): accepted: 2 delivered",
        f"acme/ship-1.csv ({earlier}): now accepted: 1 delivered",
    ]
    rows = " ".join(trade.read("rows", earlier).out.split())
    assert f"In one call with ship-2.csv ({later})." in rows
    shown = " ".join(trade.read("show", earlier).out.split())
    assert "none of its own; rows of it went with ship-2.csv" in shown
    assert f"went with ship-2.csv ({later}), call" in shown
    (call,) = trade.read("show", earlier, "--json").json["calls"]
    assert (call["state"], call["pos"]) == ("joined", ["D2700002"])
    assert (call["carried_by"]["file_id"], call["carried_by"]["state"]) == (later, "confirmed")


def test_files_of_one_pass_that_complete_each_other_are_both_new(trade: Any) -> None:
    trade.drop("ship-1.csv", PART_OF_2, head=SHIPPED)
    trade.drop("ship-2.csv", *REST_OF_2, head=SHIPPED)
    document = trade.read("run", "--json").json
    assert [(file["name"], file["outcomes"], file["answered_again"]) for file in document["files"]] == [
        ("ship-1.csv", {"delivered": 1}, False),
        ("ship-2.csv", {"delivered": 2}, False),
    ]


def test_show_says_in_words_what_a_call_waits_for(trade: Any) -> None:
    trade.drop("ship-1.csv", PART_OF_1, head=SHIPPED)
    trade.read("run")
    said = " ".join(trade.read("show", file_id(trade, "ship-1.csv")).out.split())
    assert "waits, nothing is sent:" in said


def test_a_preview_tells_each_po_what_would_be_sent_and_what_would_wait(trade: Any) -> None:
    rows = (PART_OF_1, "D2700003,007,1,1ZD,UPS Ground", "D2700003,1E5,1,1ZE,UPS Ground")
    path = trade.drop("ship-1.csv", *rows, head=SHIPPED)
    # RetailOps is asked for the ship classes by the first run; a preview asks for nothing.
    said = " ".join(trade.read("preview", str(path)).out.split())
    assert "2 rows of 3 would be sent; 1 PO waits for its other rows." in said
    assert "D2700001, row 2: 1 unit of +44 to come." in said
    assert "complete D2700003: 2 packages, 2 units, UPS Ground" in said
    assert "The file lies in the inbox: the next `filebridge run` takes it." in said
    assert max(map(len, trade.read("preview", str(path)).out.splitlines())) <= 100


def test_a_preview_before_retailops_was_asked_says_what_it_cannot_judge(
    workspace: Any, tmp_path: Path
) -> None:
    workspace.write("mappings/acme/shipments.yaml", SHIPMENTS)
    path = tmp_path / "ship-1.csv"
    path.write_text(f"{SHIPPED}\n{PART_OF_1}\n")
    said = " ".join(workspace.read("preview", str(path)).out.split())
    assert said.startswith(
        "ship-1.csv would be taken; 1 row of 1 is not judged: RetailOps must be asked first"
    )
    assert "`filebridge orders fetch`" in said
    assert "drop it into the inbox" in said


def test_a_preview_of_acknowledgements_says_what_is_accepted_and_when_it_ships(trade: Any) -> None:
    dated = ACKNOWLEDGEMENTS.replace(
        "status: Status", 'estimated_ship_date: {column: Ships, date: "%Y-%m-%d"}'
    )
    trade.write("mappings/acme/acknowledgements.yaml", dated)
    path = trade.drop(
        "ack-1.csv", "D2700003,007,1,2026-12-01", "D2700003,1E5,1,2026-12-02", head="PO,Item,Qty,Ships"
    )
    said = trade.read("preview", str(path)).out
    for line in (
        "  accept D2700003: 2 units of 2 items",
        "  ship date of D2700003: 2026-12-01, 1 unit",
        "  ship date of D2700003: 2026-12-02, 1 unit",
    ):
        assert line in said.splitlines()


BAD = (
    "D2709999,+44,2,1ZA,UPS Ground",
    "D2700001,+45,3,1ZB,UPS Ground",
    "D2700002,00120,9,001ZC,UPS Ground",
    "D2700002,null,1,001ZC,UPS Ground",
    "D2700002,MAR-1,2,001ZC,UPS Ground",
    "D2700003,007,1,1ZD,UPS Grnd",
    "D2700003,1E5,1,1ZD,UPS Ground",
)


def test_a_reject_file_about_pos_names_the_cells_and_goes_back_corrected(trade: Any) -> None:
    trade.drop("ship-1.csv", *BAD, head=SHIPPED)
    assert trade.read("run").code == 1
    sheet = openpyxl.load_workbook(trade.folder / "outbox/acme/replies/ship-1.csv.rejects.xlsx")
    page = sheet.worksheets[0]
    head = [cell.value for cell in page[1]]
    named = head.index("fb_column"), head.index("fb_code")
    assert [tuple(row[place].value or "" for place in named) for row in page.iter_rows(min_row=2)] == [
        ("PO", "unknown_po"),
        ("Item", "unknown_item"),
        ("Qty", "too_many_units"),
        ("", "group_rejected"),
        ("", "group_rejected"),
        ("Via", "not_in_crosswalk"),
        ("", "group_rejected"),
    ]
    page.delete_rows(2)
    for row, column, value in ((2, "Item", "+44"), (3, "Qty", "3"), (6, "Via", "UPS Ground")):
        page.cell(row, head.index(column) + 1).value = value
    sheet.save(trade.folder / "inbox/acme/corrected.xlsx")
    ended = trade.read("run")
    assert (ended.code, ended.out.splitlines()[0].rpartition(": ")[2]) == (0, "6 delivered")


def test_a_reason_that_many_rows_share_stands_on_the_receipt_once(trade: Any) -> None:
    rows = ("D2700003,007,1,1ZD,UPS Grnd", "D2700003,1E5,1,1ZD,UPS Grnd")
    trade.drop("ship-1.csv", *rows, head=SHIPPED)
    trade.read("run")
    text = page(trade, "replies/ship-1.csv.receipt.txt")
    assert text.count("Nearest of its") == 1
    assert "The same as of row 2." in text
    assert "mappings/acme/carriers.yaml" in trade.receipt("ship-1.csv")["rejects"][1]["message"]


def test_a_terminal_of_80_columns_shows_every_column(trade: Any) -> None:
    trade.drop("ship-1.csv", PART_OF_1, PART_OF_2, head=SHIPPED)
    trade.drop("ack-1.csv", "D2700003,,,rejected", head=ACKNOWLEDGED)
    trade.read("run")
    one = file_id(trade, "ship-1.csv")
    for command, headings in (
        (("status",), ("Vendor", "RetailOps", "waiting", "PO files")),
        (("files",), ("What became of it",)),
        (("show", one), ("Call", "About", "What came of it")),
        (("rows", one), ("Outcome", "Why")),
        (("exceptions",), ("Items", "File")),
    ):
        ended = trade.here("-C", str(trade.folder), *command, width="80")
        # A sentence is broken by the terminal itself; a table would be cut.
        assert max(len(line) for line in ended.out.splitlines() if line.startswith(" ")) <= 80
        assert all(heading in ended.out for heading in headings), command
