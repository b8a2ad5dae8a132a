"""Whole vendor packs against the sandbox: POs as RetailOps holds them, files and calls as they must come out.

A pack holds a vendor's mappings, `state.json` (the POs) and `expect.json` (file texts by name, and the calls).
"""

import fnmatch
import json
import re
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from filebridge.clock import to_micros
from filebridge.errors import ConfigError
from filebridge.ledger.schema import OrderFileState
from filebridge.mapping.load import load_pack
from filebridge.tables.write import write_workbook

SHARED = Path(__file__).parents[1] / "packs" / "vendors"
OWN = Path(__file__).parent / "packs"
PACKS = [*(SHARED / name for name in ("coppice", "tallgrass", "winterbourne")), *sorted(OWN.iterdir())]


def cells_of(path: Path) -> list[list[str]]:
    import openpyxl

    book = openpyxl.load_workbook(path)
    return [
        ["" if cell.value is None else cell.value for cell in row] for row in book.worksheets[0].iter_rows()
    ]


@pytest.mark.parametrize("folder", PACKS, ids=lambda folder: folder.name)
def test_a_vendors_pos_come_out_as_its_pack_expects(folder: Path, trade: Callable[..., Any]) -> None:
    pack_files = {path.name: path.read_text("utf-8") for path in (folder / "mappings").iterdir()}
    state = json.loads((folder / "state.json").read_text("utf-8"))
    expect = json.loads((folder / "expect.json").read_text("utf-8"))
    one = trade(*state["pos"], pack=load_pack(pack_files, folder.name))
    one.clock.sleep((to_micros(datetime.fromisoformat(state["today"])) - one.clock.now()) / 1e6)
    one.run()

    published = sorted((one.outbox / "orders").iterdir())
    encoding = one.pack.orders.write.encoding
    for pattern, wanted in expect["orders"].items():
        found = [path for path in published if fnmatch.fnmatch(path.name, pattern)]
        if pattern.endswith(".xlsx"):
            assert [cells_of(path) for path in found] == [wanted]
        elif pattern.endswith(".done"):
            assert [path.read_bytes() for path in found] == [b""] * len(wanted)
        else:
            texts = wanted if isinstance(wanted, list) else [wanted]
            assert [path.read_bytes().decode(encoding) for path in found] == texts
    assert all(any(fnmatch.fnmatch(path.name, pattern) for pattern in expect["orders"]) for path in published)

    wanted_records = [record for call in expect["calls"] for record in call["body"]["records"]]
    assert sorted(one.marks(), key=lambda record: record["po"]) == wanted_records
    assert {row.state for row in one.order_files()} == {OrderFileState.MARKED}
    one.run()
    assert sorted((one.outbox / "orders").iterdir()) == published
    assert len(one.marks()) == len(wanted_records)


@pytest.mark.parametrize(
    ("write", "words"),
    [
        ("format: xlsx, sheet: 'a/b'", "is no name of a sheet"),
        ('format: xlsx, sheet: "\'a"', "is no name of a sheet"),
        ("encoding: ascii, delimiter: '¬'", "ascii has no '¬'"),
    ],
)
def test_a_form_that_no_file_can_have_is_refused_with_the_pack(write: str, words: str) -> None:
    layout = f"document: purchase-orders\nwrite: {{{write}}}\ncolumns: {{PO: po}}\n"
    with pytest.raises(ConfigError, match=words):
        load_pack({"vendor.yaml": 'vendor_id: "27"\n', "purchase-orders.yaml": layout}, "acme")


def test_a_workbook_shows_no_green_triangles(tmp_path: Path) -> None:
    path = tmp_path / "orders.xlsx"
    with path.open("wb") as stream:
        write_workbook(stream, "Orders", [["Order", "Ordered"], ["00120", "20-11-26"]])
    with zipfile.ZipFile(path) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    found = re.findall(r'<ignoredError sqref="A1:XFD1048576" (\w+)="1"', sheet)
    assert sorted(found) == ["numberStoredAsText", "twoDigitTextYear"]
