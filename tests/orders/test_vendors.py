"""Whole vendor packs against the sandbox: POs as RetailOps holds them, files and calls as they must come out.

A pack holds a vendor's mappings, `state.json` (the POs) and `expect.json` (file texts by name, and the calls).
"""

import fnmatch
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from filebridge.clock import to_micros
from filebridge.ledger.schema import OrderFileState
from filebridge.mapping.load import load_pack

PACKS = Path(__file__).parents[1] / "packs" / "vendors"


def cells_of(path: Path) -> list[list[str]]:
    import openpyxl

    book = openpyxl.load_workbook(path)
    return [
        ["" if cell.value is None else cell.value for cell in row] for row in book.worksheets[0].iter_rows()
    ]


@pytest.mark.parametrize("name", ["coppice", "tallgrass", "winterbourne"])
def test_a_vendors_pos_come_out_as_its_pack_expects(name: str, trade: Callable[..., Any]) -> None:
    folder = PACKS / name
    pack_files = {path.name: path.read_text("utf-8") for path in (folder / "mappings").iterdir()}
    state = json.loads((folder / "state.json").read_text("utf-8"))
    expect = json.loads((folder / "expect.json").read_text("utf-8"))
    one = trade(*state["pos"], pack=load_pack(pack_files, name))
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
