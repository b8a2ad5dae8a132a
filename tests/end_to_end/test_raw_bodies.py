"""The exact bytes that RetailOps gets, from the installed command line over a socket (RETAILOPS_API 5.1 to 5.3)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import xlsxwriter

UPDATE = "/product/externalsku/update~2.json"
FETCH = "/Vendor/PO/Fetch.json"
MARK = "/Vendor/PO/MarkSubmitted.json"
INVENTORY = """\
document: inventory
match: ["stock*"]
fields: {vpc: SKU, quantity: Qty, unit_cost: Cost, active: Active}
"""
STOCK = [
    ["SKU", "Qty", "Cost", "Active"],
    ["00120", "5", "4.50", "1"],
    ['Ø-9 "x"', "0", "", ""],
    ["NA", "12", "1234.5", "0"],
]
BODY = (
    '{"records":['
    '{"vendor_id":"27","vpc":"00120","quantity":5,"unit_cost":4.5,"active":1},'
    '{"vendor_id":"27","vpc":"Ø-9 \\"x\\"","quantity":0},'
    '{"vendor_id":"27","vpc":"NA","quantity":12,"unit_cost":1234.5,"active":0}'
    "]}"
).encode()


def test_an_inventory_csv_and_the_same_workbook_make_one_body(
    office: Callable[..., Any], retailops: Any
) -> None:
    made = office({"vendor.yaml": 'vendor_id: "27"\n', "inventory.yaml": INVENTORY + "send: all\n"})
    text = "".join(
        ",".join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in row) + "\r\n" for row in STOCK
    )
    path = made.write("inbox/acme/stock.csv", text)

    code, printed, _ = made.run("preview", str(path), "--json")
    assert code == 0 and [call["body"] for call in json.loads(printed)["plan"]] == [json.loads(BODY)]
    assert retailops.calls() == []

    assert made.run("run")[0] == 0
    assert retailops.calls() == [(UPDATE, BODY)]

    _write_workbook(made.root / "inbox/acme/stock.xlsx")
    assert made.run("run")[0] == 0
    assert retailops.calls()[1:] == [(UPDATE, BODY)]
    assert made.receipt("stock.xlsx")["outcomes"] == {"delivered": 3}


def test_a_thousand_records_make_a_call(office: Callable[..., Any], retailops: Any) -> None:
    made = office()
    made.write("inbox/acme/stock.csv", "SKU,Qty\n" + "".join(f"V{row},{row}\n" for row in range(2001)))
    assert made.run("run", "--only", "in")[0] == 0
    bodies = sorted((body for _, body in retailops.calls()), key=len)
    assert bodies[0] == b'{"records":[{"vendor_id":"27","vpc":"V2000","quantity":2000}]}'
    assert [len(json.loads(body)["records"]) for body in bodies] == [1, 1000, 1000]


def test_purchase_orders_are_fetched_and_what_was_written_is_marked(
    office: Callable[..., Any], retailops: Any
) -> None:
    due = (datetime.now(UTC) - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    later = (datetime.now(UTC) + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    retailops.ask("pos", [_po("D123", due, 456), _po("D124", later, 460), _po("D125", due, 470)])
    made = office()
    assert made.run("run")[0] == 0

    calls = retailops.calls()
    fetch = b'{"vendor_id":"27","start":0,"limit":100,"status":"ready","with_items":true}'
    assert calls[0] == (FETCH, fetch)
    assert [call for call in calls if call[0] == MARK] == [
        (
            MARK,
            b'{"records":[{"po":"D123","items":[{"po_item_id":456,"quantity":2},{"po_item_id":457,"quantity":1}]},'
            b'{"po":"D125","items":[{"po_item_id":470,"quantity":2},{"po_item_id":471,"quantity":1}]}]}',
        )
    ]
    assert {path for path, _ in calls} == {FETCH, MARK}
    [written] = (made.root / "outbox/acme/orders").glob("*.csv")
    assert written.read_bytes() == (
        b"PO,Item,Qty\r\nD123,00120,2\r\nD123,NA,1\r\nD125,00120,2\r\nD125,NA,1\r\n"
    )

    before = len(retailops.calls())
    assert made.run("run")[0] == 0
    assert [path for path, _ in retailops.calls()[before:] if path == MARK] == []


def _po(number: str, submitted: str, first_item: int) -> dict[str, Any]:
    return {
        "po": number,
        "vendor_id": 27,
        "status": "ready",
        "date_submit": submitted,
        "items": [
            {"po_item_id": first_item, "vpc": "00120", "quantity": 2},
            {"po_item_id": first_item + 1, "vpc": "NA", "quantity": 1},
        ],
    }


def _write_workbook(path: Path) -> None:
    """The stock as a workbook: identifiers as text, 00120 as a number with a format of five digits."""
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("Stock")
        five = book.add_format({"num_format": "00000"})
        for row, cells in enumerate(STOCK):
            sheet.write_row(row, 0, cells)
        sheet.write_number(1, 0, 120, five)
        for row in (1, 2, 3):
            sheet.write_number(row, 1, int(STOCK[row][1]))
        sheet.write_number(1, 2, 4.5)
