"""The scene of `demo`: a workspace of one vendor, RetailOps with its orders, and the files that its clerk drops."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime, timedelta
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import StringIO
from pathlib import Path
from typing import Any, Final

from filebridge.sandbox import DEFAULT_KEY, Sandbox, State, seed_orders

VENDOR: Final = "acme"
VENDOR_ID: Final = "27"
MENDED: Final = ("9.4E+21", "9400110200881234567890")
"""A tracking number as a spreadsheet leaves it, and as it stands on the parcel."""

_SETTINGS: Final = """\
# Made by `filebridge demo`: the sandbox that it traded with is gone, what it left can be looked at.
retailops: {{base_url: "{url}", attempts: 2}}
intake: {{settle: 100ms, explain_after: 50ms}}
"""
_ORDERED: Final = (
    (("00120", 2),),
    (("0417", 1), ("1E5", 4)),
    (("MAR-1", 3), ("AB 100", 1)),
    (("NA", 1), ("88-200", 2)),
    (("TRUE", 1),),
)
"""What the orders are for: VPC and quantity of each item."""
ORDERS: Final = len(_ORDERED)
_SHIPPED: Final = ("PO", "Item", "Qty", "Ship Via", "Tracking")


def make_sandbox() -> Sandbox:
    """A RetailOps stand-in that has orders for the vendor's own products; addresses are invented."""
    orders = seed_orders(VENDOR_ID, len(_ORDERED))
    submitted = sorted(order["date_submit"] for order in orders)
    for order, items, at in zip(orders, _ORDERED, submitted, strict=True):
        order["date_submit"] = at
        order["items"] = [
            {"po_item_id": order["id"] * 10 + place, "vpc": vpc, "quantity": quantity}
            for place, (vpc, quantity) in enumerate(items, 1)
        ]
    return Sandbox(State(orders))


def make_workspace(root: Path, url: str) -> None:
    """Settings, the key of the sandbox, and the vendor's pack."""
    (root / "filebridge.yaml").write_text(_SETTINGS.format(url=url), encoding="utf-8")
    key = root / "sandbox-key.txt"
    key.touch(mode=0o600)
    key.write_text(DEFAULT_KEY + "\n", encoding="ascii")
    for path, content in _texts(_scene() / "mappings", "mappings"):
        _put(root / path, content.encode())


def drop_stock(root: Path) -> None:
    """The evening's stock: a list in CSV, the other warehouse's workbook, and a price list gone astray."""
    for path, content in _texts(_scene() / "inbox", "inbox"):
        _put(root / path, content.encode())
    _write_warehouse(root / "inbox" / VENDOR / "warehouse" / "stock.xlsx")


def drop_accepted(root: Path, pos: list[str], *, now: datetime) -> Path:
    """Every order is accepted; the first ship in two days, the others one or two later."""
    days = [now + timedelta(days=2 + place % 3) for place in range(len(pos))]
    rows = [(po, f"{day:%m/%d/%Y}") for po, day in zip(pos, days, strict=True)]
    return _drop_table(root, "accepted.csv", [("PO", "Ships On"), *rows])


def drop_first_shipments(root: Path, pos: list[str]) -> Path:
    """What left in the morning: one order, half of the second, and the third with a damaged tracking number."""
    return _drop_table(
        root,
        "shipped-am.csv",
        [
            _SHIPPED,
            (pos[0], "00120", 2, "UPS GND", "1Z999AA10123456784"),
            (pos[1], "0417", 1, "UPS GND", "1Z999AA10123456793"),
            (pos[2], "MAR-1", 3, "Priority", MENDED[0]),
            (pos[2], "AB 100", 1, "Priority", "9400110200881234567906"),
        ],
    )


def drop_later_shipments(root: Path, pos: list[str]) -> Path:
    """What left in the afternoon: the other half of the second order, and the fourth."""
    return _drop_table(
        root,
        "shipped-pm.csv",
        [
            _SHIPPED,
            (pos[1], "1E5", 4, "FedEx 2 Day", "771234567890"),
            (pos[3], "NA", 1, "UPS GND", "1Z999AA10123456801"),
            (pos[3], "88-200", 2, "UPS GND", "1Z999AA10123456801"),
        ],
    )


def drop_last_shipment(root: Path, pos: list[str]) -> Path:
    """The last order, alone."""
    row = (pos[4], "TRUE", 1, "UPS GND", "1Z999AA10123456819")
    return _drop_table(root, "shipped-late.csv", [_SHIPPED, row])


def drop_corrected(root: Path, reject_file: Path) -> Path:
    """What the clerk does with a reject file: the one bad cell mended, saved, dropped back; where it lies."""
    mended = reject_file.read_bytes().replace(MENDED[0].encode(), MENDED[1].encode(), 1)
    target = root / "inbox" / VENDOR / reject_file.name
    _put(target, mended)
    return target


def drop_all_zero(root: Path) -> Path:
    """The vendor's system has lost its stock figures: every product at zero. Where the file lies."""
    good = (_scene() / "inbox" / VENDOR / "inventory.csv").read_text(encoding="utf-8")
    head, *rows = good.splitlines()
    target = root / "inbox" / VENDOR / "inventory.csv"
    _put(target, "\n".join([head, *(f"{row.rpartition(',')[0]},0" for row in rows), ""]).encode())
    return target


def _scene() -> Traversable:
    return files("filebridge.cli") / "demo_files"


def _texts(folder: Traversable, path: str) -> Iterator[tuple[str, str]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        below = f"{path}/{entry.name}"
        if entry.is_dir():
            yield from _texts(entry, below)
        else:
            yield below, entry.read_text(encoding="utf-8")


def _drop_table(root: Path, name: str, rows: list[tuple[Any, ...]]) -> Path:
    """Write a table as CSV into the vendor's inbox; where it lies."""
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    target = root / "inbox" / VENDOR / name
    _put(target, text.getvalue().encode())
    return target


def _put(path: Path, content: bytes) -> None:
    """Write as senders should: under another name first, then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.part")
    unfinished.write_bytes(content)
    unfinished.rename(path)


def _write_warehouse(path: Path) -> None:
    """A workbook as people make them: an id that the spreadsheet has rounded, and a formula that is broken."""
    import xlsxwriter

    path.parent.mkdir(parents=True, exist_ok=True)
    with xlsxwriter.Workbook(path) as workbook:
        sheet = workbook.add_worksheet("Stock")
        text = workbook.add_format({"num_format": "@"})
        sheet.write_row(0, 0, ["Item", "On Hand", "Cost"], workbook.add_format({"bold": True}))
        for row, (item, on_hand, cost) in enumerate(
            [("00760", 5, 17.5), ("W-77", 120, 3.2), ("W-78", 9, 41)], 1
        ):
            sheet.write_string(row, 0, item, text)
            sheet.write_number(row, 1, on_hand)
            sheet.write_number(row, 2, cost)
        sheet.write_number(4, 0, 940011189956239900)
        sheet.write_row(4, 1, [40, 12.75])
        sheet.write_string(5, 0, "W-80", text)
        sheet.write_formula(5, 1, "=Sheet2!B9", None, "#REF!")
        sheet.write_number(5, 2, 8)
