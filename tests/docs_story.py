"""A vendor's whole dealing, played with the program itself: what the documents' pages show is taken from it.

One workspace, the sandbox, and a clock that stands still, so that the same program gives the same pages. What
differs from run to run, the ids of files, is written as ids that do not. `python -m tests.docs_story` prints
what commands said with `--json`.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import json
import os
import re
import shlex
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from openpyxl import load_workbook

from filebridge.cli.app import app
from filebridge.cli.surroundings import Surroundings
from filebridge.sandbox import Sandbox, State
from tests.conftest import House
from tests.docs_examples import table

DAY = 86_400
PACKS = Path(__file__).with_name("docs_frames") / "packs"
"""The vendor packs of the story, as their pages show them."""

POS = (
    ("D1001", 27, ((101, "00120", 2), (102, "W-77", 1))),
    ("D1002", 27, ((201, "0417", 3),)),
    ("D1003", 27, ((301, "0417", 2),)),
    ("D1004", 27, ((401, "00120", 1), (402, "0417", 1))),
    ("D1005", 27, ((501, "W-77", 1), (502, "00120", 2))),
    ("D3001", 31, ((901, "K-4", 2),)),
)
"""PO, vendor id, and items: id, VPC, quantity."""

INVENTORY = """\
SKU,Description,Qty Avail
00120,Glove,12
0417,Boots,In Stock
W-77,Helmet,ca. 5
"""
CONFIRMED = """\
PO,Item,Qty,Answer,Ships
D1001,00120,2,yes,11/25/2026
D1001,W-77,1,yes,11/30/2026
D1002,0417,3,no,
D1003,,,yes,
D1004,,,yes,11/25/2026
D1005,,,yes,
"""
DATES = """\
PO,Item,Ships
D1001,W-77,12/02/2026
"""
SHIPPED = """\
PO,Item,Qty,Carrier,Tracking
D1001,00120,2,UPS GRND,1Z9990000000000011
D1003,0417,2,2-day,1Z9990000000000022 / 1Z9990000000000033
"""
SHIPPED_LATER = """\
PO,Item,Qty,Carrier,Tracking
D1001,W-77,1,UPS GRND,1Z9990000000000044
"""
SHIPPED_SHORT = """\
PO,Item,Qty,Carrier,Tracking
D1004,00120,1,UPS GRND,1Z9990000000000055
"""
SHIPPED_WRONG = """\
PO,Item,Qty,Carrier,Tracking
D1004,0417,1,Brown Truck,1Z9990000000000066
D1004,00120,1,UPS GRND,1Z9990000000000055
D1005,00120,3,UPS GRND,1Z9990000000000077
D1005,W-77,2,UPS GRND,1Z9990000000000088/1Z9990000000000099/1Z9990000000000100
D1005,W-78,1,UPS GRND,1.23E+17
D1005,W-78,1,UPS GRND,1Z9990000000000077
D1003,0417,1,2-day,1Z9990000000000111
D9999,0417,1,UPS GRND,1Z9990000000000122
"""
SUBMITTED = """\
Bestellung
D3001
"""


@dataclass(frozen=True)
class Call:
    """A call as the sandbox took it: action, path and body."""

    action: str
    path: str
    body: str

    def __str__(self) -> str:
        return f"POST {self.path}\n{self.body}\n"


@dataclass
class Story:
    """What happened: texts by the names that the pages use, and every call."""

    texts: dict[str, str] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    documents: list[Any] = field(default_factory=list)
    """What commands printed with `--json`, and the receipts."""

    def first(self, action: str, *, holding: str = "") -> Call:
        """The first call of an action whose body holds a text."""
        return next(call for call in self.calls if call.action == action and holding in call.body)


class _Teller:
    """Plays the story and writes it down."""

    def __init__(self, house: House) -> None:
        self.house, self.story = house, Story()
        self._ids: dict[str, str] = {}
        for folder in sorted(PACKS.iterdir()):
            files = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.iterdir())}
            house.pack(files, folder.name)
            for name, text in files.items():
                key = f"{folder.name}_{name.partition('.')[0]}".replace("-", "_").upper()
                self.story.texts[key] = f"# mappings/{folder.name}/{name}\n{text}"

    def play(self) -> Story:
        self.file("INVENTORY", "inventory.csv", INVENTORY)
        self.orders()
        self.file("SUBMISSIONS", "taken.csv", SUBMITTED, vendor="bergwerk")
        self.file("ACKNOWLEDGEMENTS", "confirmed.csv", CONFIRMED)
        self.command("EXCEPTIONS", "exceptions")
        self.file("SHIP_DATES", "dates.csv", DATES)
        self.file("SHIPMENTS", "shipped-monday.csv", SHIPPED)
        self.house.clock.move(DAY)
        self.file("SHIPMENTS_LATER", "shipped-tuesday.csv", SHIPPED_LATER)
        self.receipt("SHIPMENTS_AGAIN", "shipped-monday.csv")
        self.file("SHIPMENTS_SAME", "shipped-again.csv", SHIPPED_LATER)
        self.file("SHIPMENTS_SHORT", "shipped-wednesday.csv", SHIPPED_SHORT)
        self.file("SHIPMENTS_WRONG", "shipped-wrong.csv", SHIPPED_WRONG)
        self.rejected("SHIPMENTS_WRONG", "shipped-wrong.csv", SHIPPED_WRONG)
        for words in ("exceptions", "carriers", "carriers learn", "status", "orders"):
            self.document(*words.split())
        self.command("CARRIERS", "carriers")
        self.command("PROPOSED", "carriers", "learn")
        self.command("LEARN", "carriers", "learn", "Brown Truck", "UPS Ground")
        learnt = self.house.root / "mappings/acme/carriers.yaml"
        self.story.texts["LEARNT_MAPPING"] = (
            f"# mappings/acme/carriers.yaml\n{learnt.read_text(encoding='utf-8')}"
        )
        self.template()
        self.command("CLOSE", "orders", "close", "D1004", "--short")
        self.document("carriers", "learn", "GROUND", "62")
        self.run("CLOSE")
        self.story.texts |= {
            f"{name}_ONE": str(self.story.first(action, holding=holding)).rstrip()
            for name, action, holding in (
                ("UPDATE", "Product.ExternalSku.update", ""),
                ("FETCH", "Vendor.PO.fetch", ""),
                ("FETCH_SEVERAL", "Vendor.PO.fetch", "["),
                ("MARK_SUBMITTED", "Vendor.PO.MarkSubmitted", "D3001"),
                ("CLASSES", "Constant.Ship.CarrierClass.fetch", ""),
                ("COMPLETE", "Vendor.PO.Complete", "D1001"),
                ("MARK_ACCEPTED", "Vendor.PO.MarkAccepted", ""),
                ("UPDATE_EST_SHIP_DATE", "Vendor.PO.UpdateEstShipDate", ""),
            )
        }
        return self.story

    def orders(self) -> None:
        """The POs that went out with the pass before."""
        texts = self.story.texts
        (path,) = (self.house.root / "outbox/acme/orders").glob("*.csv")
        texts["PO_FILE_NAME"], texts["PO_FILE"] = path.name, path.read_bytes().decode().replace("\r\n", "\n")
        texts["PO_CALL"] = str(self.story.first("Vendor.PO.MarkSubmitted")).rstrip()

    def file(self, name: str, file: str, text: str, vendor: str = "acme") -> None:
        """Drop a file, make a pass, and write down the file, the calls and the receipt."""
        self.house.drop(file, text, vendor)
        self.run(name)
        self.story.texts |= {f"{name}_FILE": text}
        self.receipt(name, file, vendor)

    def run(self, name: str) -> None:
        """A pass; its calls but for the fetches."""
        before = len(self.house.sandbox.calls)
        self.house.run()
        found = [
            Call(call.action, call.path, call.body.decode()) for call in self.house.sandbox.calls[before:]
        ]
        self.story.calls += found
        told = [str(call) for call in found if not call.action.endswith("fetch")]
        self.story.texts[f"{name}_CALL"] = "\n".join(told).rstrip()
        self.house.clock.move(60)

    def receipt(self, name: str, file: str, vendor: str = "acme") -> None:
        """The receipt as JSON, a line a key, and the reject file if there is one."""
        replies, receipt = self.house.replies(vendor), self.house.receipt(file, vendor)
        self._ids.setdefault(receipt["file"]["id"], steady_id(len(self._ids)))
        self.story.documents.append(receipt)
        self.story.texts[f"{name}_RECEIPT"] = self.steady(shown_json(receipt))
        self.story.texts[f"{name}_TEXT"] = "\n".join(
            line.rstrip() for line in self.steady(replies[f"{file}.receipt.txt"].decode()).splitlines()
        )
        rejects = replies.get(f"{file}.rejects.csv")
        if rejects:
            self.story.texts[f"{name}_REJECTS"] = (
                self.steady(rejects.decode("utf-8-sig")).replace("\r\n", "\n").rstrip()
            )

    def steady(self, text: str) -> str:
        """A text with the ids of files that are the same in every run."""
        for found, made in self._ids.items():
            text = text.replace(found, made)
        return text

    def rejected(self, name: str, file: str, text: str) -> None:
        """The rejected rows of a file: as they were written, and every reason."""
        written = text.splitlines()
        receipt = self.house.receipt(file)
        self.story.texts[f"{name}_TABLE"] = table(
            ("row", "says", "code", "message"),
            (
                (
                    str(one["row"]),
                    f"`{written[one['row'] - 1]}`",
                    f"`{one['code']}`",
                    one["message"].replace("|", "\\|"),
                )
                for one in receipt["rejects"]
            ),
        ).rstrip()

    def template(self) -> None:
        """A workbook of what is to be shipped, filled in for one PO, and dropped."""
        self.command("TEMPLATE", "template", "shipments", "--vendor", "acme")
        path = self.house.root / "shipments.xlsx"
        book = load_workbook(path)
        sheet = book.worksheets[0]
        rows = [[str(cell.value or "") for cell in row] for row in sheet.iter_rows() if row[0].value]
        self.story.texts["TEMPLATE_ROWS"] = table(rows[0], rows[1:]).rstrip()
        for row in range(len(rows), 1, -1):
            if sheet.cell(row, 1).value == "D1005":
                sheet.cell(row, 4).value = "1Z9990000000000133"
                sheet.cell(row, 5).value = "UPS Ground"
            else:
                sheet.delete_rows(row)
        book.save(self.house.root / "inbox/acme/shipments.xlsx")
        self.run("TEMPLATE")

    def command(self, name: str, *words: str) -> None:
        """What a command prints, as `$ filebridge …` and its lines."""
        lines = [line.rstrip() for line in self.steady(self.said(*words)).splitlines()]
        text = "\n".join([f"$ filebridge {shlex.join(words)}", *lines])
        self.story.texts[f"{name}_SAID"] = re.sub(r"\n{2,}", "\n", text)

    def document(self, *words: str) -> None:
        """Keep what a command prints with `--json`."""
        self.story.documents.append(json.loads(self.said(*words, as_json=True)))

    def said(self, *words: str, as_json: bool = False) -> str:
        out = io.StringIO()
        Surroundings(self.house.root, as_json, self.house.clock).use()  # type: ignore[arg-type]
        with (
            contextlib.chdir(self.house.root),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(out),
        ):
            app(list(words), standalone_mode=False)
        return out.getvalue()


def shown_json(receipt: Mapping[str, Any]) -> str:
    """A receipt with a key a line, its digest shortened."""
    value = json.loads(json.dumps(receipt))
    digest = value["file"]["sha256"]
    value["file"]["sha256"] = f"{digest[:4]}…{digest[-4:]}"
    lines = []
    for key, part in value.items():
        if isinstance(part, list) and part:
            inner = ",\n    ".join(json.dumps(one, ensure_ascii=False) for one in part)
            lines.append(f"  {json.dumps(key)}: [\n    {inner}\n  ]")
        else:
            lines.append(f"  {json.dumps(key)}: {json.dumps(part, ensure_ascii=False)}")
    return "{\n" + ",\n".join(lines) + "\n}"


def steady_id(number: int) -> str:
    """The id by which the pages know the n-th file: real ones differ from run to run."""
    digest = hashlib.sha256(f"file {number}".encode()).digest()
    return f"f{base64.b32encode(digest).decode().lower()[:9]}"


@contextlib.contextmanager
def _plain_surroundings() -> Iterator[None]:
    """Neither the zone nor the width nor the key of whoever makes the pages."""
    before = dict(os.environ)
    for name in list(os.environ):
        if name.startswith(("FILEBRIDGE_", "RETAILOPS_")):
            del os.environ[name]
    os.environ |= {"TZ": "UTC", "COLUMNS": "110", "NO_COLOR": "1"}
    time.tzset()
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        time.tzset()


def tell() -> Story:
    """Play the story in a folder that goes afterwards."""
    pos = [
        {
            "po": po,
            "vendor_id": vendor_id,
            "status": "ready",
            "date_submit": "2026-11-23T08:00:00Z",
            "ship_service": {"id": 1, "name": "Standard"},
            "ship_address": {"addressee": "Ana Pérez", "city": "Boston", "postal_code": "02134"},
            "items": [
                {"po_item_id": item_id, "vpc": vpc, "quantity": quantity} for item_id, vpc, quantity in items
            ],
        }
        for po, vendor_id, items in POS
    ]
    state = State()
    state.add_pos(pos)
    with _plain_surroundings(), tempfile.TemporaryDirectory() as folder, Sandbox(state) as sandbox:
        house = House(Path(folder) / "trading", sandbox)
        try:
            return _Teller(house).play()
        finally:
            house.close()


if __name__ == "__main__":
    print(json.dumps(tell().documents))
