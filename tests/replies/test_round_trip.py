"""The whole way: read, mapped, refused, written, dropped back, read again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import xlsxwriter

from filebridge.mapping.model import Mapping
from filebridge.mapping.pack import FeedMapping
from filebridge.reader import Original, ReadFile, ReadJob, opened_again, read_here
from filebridge.rejects import Reject

if TYPE_CHECKING:
    from conftest import House

FEED = FeedMapping(
    feed="inventory",
    path="mappings/acme/inventory.yaml",
    mapping=Mapping.model_validate(
        {
            "document": "inventory",
            "fields": {"vpc": "SKU", "quantity": "Qty", "as_of": {"column": "When", "date": ["%Y-%m-%d"]}},
        }
    ),
    sha256="0" * 64,
)
BAD_CSV = """\
SKU,Qty,When,Note
00123,5,2026-11-20,good
00124,x,2026-11-20,a bad number
7.946E+17,5,2026-11-20,a damaged identifier
00125,5,20-11-26,a bad date
00126,-3,2026-11-20,out of range
,5,2026-11-20,nothing
00127,5,2026-11-20,ragged,surplus
00128,5
00129,#REF!,2026-11-20,an error
00130,1,2026-11-20,one
00130,2,2026-11-20,another
"""


def read(house: House, path: Path, name: str, originals: dict[str, Original] | None = None) -> ReadFile:
    return read_here(
        ReadJob(
            path=path,
            name=name,
            spool=house.folder / "spool",
            vendor_id="27",
            vendor_zone="America/Denver",
            received_at=house.now,
            feed=FEED,
            originals=originals or {},
        )
    )


def reasons(found: ReadFile) -> list[Reject]:
    return [Reject(**one) for batch in found.rejects() for one in batch.to_pylist()]


def rejected(house: House, content: bytes, name: str) -> tuple[ReadFile, Original, list[Path]]:
    """A file on its first way, to its reject files."""
    path = house.folder / name
    path.write_bytes(content)
    found = read(house, path, name)
    house.file("fbcd234567", name, content, reasons(found), options=FEED.mapping.read.options())
    original = Original(path, name, FEED, found.mapped.how)
    with opened_again(original, {}) as table:
        written = house.reply("fbcd234567", name, table=table)
    return found, original, list(written.reject_files)


def workbook(path: Path) -> bytes:
    with xlsxwriter.Workbook(path) as book:
        page = book.add_worksheet("Stock")
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        page.write_row(0, 0, ["SKU", "Qty", "When", "Note"])
        for row, (sku, quantity) in enumerate(
            [("00123", 5), ("00124", "x"), (9.4e21, 5), ("00125", 2.5), ("", 5), ("00126", -3)], start=1
        ):
            page.write(row, 0, sku, book.add_format({"num_format": "@"}))
            page.write(row, 1, quantity)
            page.write_number(row, 2, 46346, day)
        page.write_formula(7, 1, "=1/0", None, "#DIV/0!")
        page.write_string(7, 0, "00127")
    return path.read_bytes()


@pytest.mark.parametrize("end", ["csv", "xlsx"])
def test_dropped_back_unchanged_every_row_is_refused_again_for_the_same_reason(
    house: House, end: str
) -> None:
    found, original, files = rejected(house, BAD_CSV.encode(), "stock.csv")
    path = next(path for path in files if path.suffix == f".{end}")
    again = read(house, path, path.name, {"fbcd234567": original})
    assert again.corrects == "fbcd234567"
    assert again.mapped.records == 0
    assert again.mapped.rows == len({reject.row for reject in reasons(found)}) == 10
    assert sorted(reject.code for reject in reasons(again)) == sorted(
        reject.code for reject in reasons(found)
    )


def test_a_workbook_dropped_back_unchanged_is_refused_row_by_row(house: House) -> None:
    found, original, (path,) = rejected(house, workbook(house.folder / "made.xlsx"), "stock.xlsx")
    again = read(house, path, path.name, {"fbcd234567": original})
    assert (found.mapped.records, again.mapped.records) == (1, 0)
    assert [reject.code for reject in reasons(again)] == [reject.code for reject in reasons(found)]


def test_corrected_only_its_rows_run(house: House) -> None:
    _, original, files = rejected(
        house, b"SKU,Qty,When\n00123,5,2026-11-20\n00124,x,2026-11-20\n", "stock.csv"
    )
    back = house.folder / "back.csv"
    back.write_bytes(files[0].read_bytes().replace(b"00124,x", b"124,8"))
    again = read(house, back, "back.csv", {"fbcd234567": original})
    (batch,) = again.records()
    assert (batch.column("vpc").to_pylist(), batch.column("quantity").to_pylist()) == (["00124"], [8])
