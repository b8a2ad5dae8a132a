"""Chop a file at any byte, or write it slowly: nothing is sent from a part, and nothing of the whole is missed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

PACK = {
    "inventory.yaml": 'document: inventory\nmatch: ["stock*"]\nfields: {vpc: SKU, quantity: Qty Avail}\n',
}
STOCK = 'SKU,Name,Qty Avail\r\nA-1,"Lamp, 5"" high\r\nwith stand",120\r\nA-2,Bench,1300\r\n'
QUANTITIES = {"A-1": 120, "A-2": 1300}
WORKBOOK = Path(__file__).parents[1] / "tables" / "files" / "price_formats.xlsx"


def sent(house: Any) -> dict[str, int]:
    return {record["vpc"]: record["quantity"] for record in house.records()}


def codes(report: Any) -> list[str]:
    return [wait.code for wait in report.waiting]


@pytest.mark.parametrize("encoding", ["utf-8", pytest.param("utf-16", marks=pytest.mark.slow)])
def test_of_a_text_cut_at_any_byte_no_part_of_a_record_is_sent(house: Any, encoding: str) -> None:
    house.pack(PACK)
    whole = STOCK.encode(encoding)
    ends = {len(STOCK[:end].encode(encoding)) for end in range(len(STOCK)) if STOCK[:end].endswith("\r\n")}
    for end in range(1, len(whole)):
        before = len(house.bodies())
        path = house.drop("stock.csv", whole[:end])
        report = house.run()
        if path.exists():
            assert codes(report) == ["incomplete_file"] and path.read_bytes() == whole[:end]
            assert len(house.bodies()) == before
        else:
            # What looks whole: nothing but a mark, or a cut at a line end.
            assert not sent(house) or end in {*ends, *(at - 1 for at in ends)}, end
        assert sent(house).items() <= QUANTITIES.items()
    house.drop("stock.csv", whole)
    house.run()
    assert sent(house) == QUANTITIES


def test_a_workbook_that_is_cut_waits_until_it_is_whole(house: Any) -> None:
    house.pack(PACK)
    whole = WORKBOOK.read_bytes()
    for end in (1, 3, 200, len(whole) // 2, len(whole) - 30, len(whole) - 1):
        path = house.drop("stock.xlsx", whole[:end])
        assert codes(house.run()) == ["incomplete_file"] and path.exists()
    path = house.drop("stock.xlsx", whole)
    assert codes(house.run()) == [] and not path.exists()


def test_a_file_without_its_last_line_end_waits_and_says_so_without_a_cell(house: Any) -> None:
    house.pack(PACK)
    path = house.drop("stock.csv", STOCK.removesuffix("\r\n"))
    report = house.run()
    assert report.exit_code == 1 and path.exists() and not house.bodies()
    note = house.replies()["stock.csv.waiting.txt"].decode()
    assert "line 4, does not end with a line end; it has 3 cells, and the header 3" in note
    for remedy in ("Send it again, whole", "stock.csv.done", "read: {last_line_end: optional}"):
        assert remedy in note
    assert "(incomplete_file)" in note and "Bench" not in note and "130" not in note


def test_a_system_that_never_ends_its_last_line_has_a_key(house: Any) -> None:
    house.pack({"inventory.yaml": PACK["inventory.yaml"] + "read: {last_line_end: optional}\n"})
    house.run_as_previewed("stock.csv", STOCK.removesuffix("\r\n"))
    assert sent(house) == QUANTITIES


def test_a_trigger_file_says_that_a_file_is_whole_and_goes_with_it(house: Any) -> None:
    house.pack(PACK)
    house.drop("stock.csv", STOCK.removesuffix("\r\n"))
    trigger = house.drop("stock.csv.done", "")
    report = house.run()
    assert sent(house) == QUANTITIES
    assert not trigger.exists() and codes(report) == [] and len(report.files) == 1


def test_a_trigger_file_of_an_earlier_file_says_nothing(house: Any) -> None:
    house.pack(PACK)
    trigger = house.drop("stock.csv.done", "")
    assert codes(house.run()) == [] and trigger.exists()
    house.drop("stock.csv", STOCK.removesuffix("\r\n"))
    # The file system's clock has a grain.
    os.utime(house.root / "inbox/acme/stock.csv")
    assert codes(house.run()) == ["incomplete_file"] and trigger.exists()
    house.drop("stock.csv.done", "")
    house.run()
    assert sent(house) == QUANTITIES and not trigger.exists()


def test_preview_says_that_a_file_would_wait(house: Any) -> None:
    house.pack(PACK)
    seen = house.preview(house.drop("stock.csv", STOCK.removesuffix("\r\n"))).as_json()
    assert (seen["status"], seen["held_for"]["code"], seen["plan"]) == ("held", "incomplete_file", [])
    assert seen["held_for"]["message"].startswith("It would wait in the inbox. It may be cut short")
    assert {row["outcome"] for row in seen["rows"]} == {"held"}
    house.drop("stock.csv.done", "")
    assert house.preview(house.root / "inbox/acme/stock.csv").as_json()["status"] == "pending"


def test_own_layout_files_and_reject_files_that_come_back_are_held_to_the_same(house: Any) -> None:
    house.pack(PACK)
    house.drop("own.csv", "vpc,quantity\nA-9,12")
    assert codes(house.run()) == ["incomplete_file"]
    house.drop("own.csv", "vpc,quantity\nA-9,12\nA-8,ca. 5\n")
    house.run()
    assert sent(house) == {"A-9": 12}
    rejects = house.replies()["own.csv.rejects.csv"].replace(b"ca. 5", b"5")
    house.drop("again.csv", rejects.removesuffix(b"\n").removesuffix(b"\r"))
    assert codes(house.run()) == ["incomplete_file"]
    house.drop("again.csv", rejects)
    house.run()
    assert sent(house) == {"A-9": 12, "A-8": 5}


def test_a_file_that_somebody_writes_is_not_taken_and_is_once_it_is_closed(house: Any) -> None:
    house.pack(PACK)
    with house.drop("stock.csv", STOCK).open("a"):
        report = house.run()
        if codes(report) == []:
            pytest.skip("this file system does not say who writes")
        assert codes(report) == ["in_use"] and not house.bodies()
        assert "open for writing" in house.replies()["stock.csv.waiting.txt"].decode()
    house.run()
    assert sent(house) == QUANTITIES


def test_a_link_in_place_of_a_vendors_inbox_is_not_followed(house: Any, tmp_path: Path) -> None:
    house.pack(PACK)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "stock.csv").write_text(STOCK)
    house.run()
    shutil.rmtree(house.root / "inbox/acme")
    (house.root / "inbox/acme").symlink_to(elsewhere)
    report = house.run()
    assert report.exit_code == 1 and not house.bodies()
    assert [wait.code for wait in report.strays] == ["unsafe_file"]
    assert "is a link, and links are not followed" in report.strays[0].message
    assert sorted(path.name for path in elsewhere.iterdir()) == ["stock.csv"]
