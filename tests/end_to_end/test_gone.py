"""Mappings that are renamed and originals that are gone: told, and nothing else is held up by it."""

from __future__ import annotations

import shutil
from typing import Any

MAPPING = 'document: inventory\nmatch: ["stock*"]\nfields: {vpc: SKU, quantity: Qty}\ncovers: everything\n'


def test_a_held_file_is_discarded_though_its_mapping_was_renamed(house: Any) -> None:
    held = _held(house)
    (house.root / "mappings/acme/inventory.yaml").rename(house.root / "mappings/acme/stock.yaml")
    house.decide("discard", held)
    assert house.run().problems == []
    assert house.receipt("stock-2.csv")["reject_file"] == "stock-2.csv.rejects.csv"
    assert house.replies()["stock-2.csv.rejects.csv"].startswith(b"SKU,Qty,fb_row")


def test_a_held_file_without_its_original_holds_no_other_file_up(house: Any) -> None:
    held = _held(house)
    shutil.rmtree(house.root / "archive/acme")
    house.decide("discard", held)
    house.drop("stock-3.csv", "SKU,Qty\nA,4\nB,2\nC,3\n")
    report = house.run()
    assert report.exit_code == 2
    assert "stock-2.csv" in report.problems[0].message
    assert [(file.name, file.status) for file in report.files] == [("stock-3.csv", "accepted")]


def test_a_reject_file_whose_original_is_gone_is_refused_and_told(house: Any) -> None:
    house.pack({"inventory.yaml": MAPPING})
    house.drop("stock.csv", "SKU,Qty\nA,1\nB,x\n")
    house.run()
    shutil.rmtree(house.root / "archive/acme")
    house.drop("mended.csv", house.replies()["stock.csv.rejects.csv"].replace(b"B,x", b"B,2"))
    [file] = house.run().files
    assert file.status == "rejected"
    assert [note["code"] for note in house.receipt("mended.csv")["notes"]] == ["unknown_reject_file"]
    assert house.run().files == []


def _held(house: Any) -> str:
    """A file that the guard holds; its id."""
    house.pack({"inventory.yaml": MAPPING})
    house.drop("stock.csv", "SKU,Qty\nA,1\nB,2\nC,3\n")
    house.run()
    house.drop("stock-2.csv", "SKU,Qty\nA,0\n")
    [file] = house.run().files
    assert file.status == "held"
    return str(file.file_id)
