"""The reject file: in the sender's own form, and every way that it comes back."""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl
import pytest
import xlsxwriter

from filebridge.mapping.corrections import correction_of, is_correction, reading_of
from filebridge.rejects import Reject
from filebridge.tables.open import open_table
from filebridge.tables.table import Kind, ReadOptions, Table

if TYPE_CHECKING:
    from conftest import House

BAD = Reject(3, "bad_number", "'x' is no number", column="Qty", value="x")
HEADS = "fb_row{0}fb_column{0}fb_code{0}fb_message{0}fb_file"


def rejected(
    house: House, content: bytes, rejects: list[Reject], options: ReadOptions | None = None
) -> bytes:
    """The reject file that a CSV sender gets."""
    options = options or ReadOptions()
    house.file("fbcd234567", "stock.csv", content, rejects, options=options)
    house.reply("fbcd234567", "stock.csv", options)
    return (house.replies / "stock.csv.rejects.csv").read_bytes()


def twin(house: House) -> openpyxl.worksheet.worksheet.Worksheet:
    return openpyxl.load_workbook(house.replies / "stock.csv.rejects.xlsx").active


def dropped(
    house: House, content: bytes, name: str = "back.csv", options: ReadOptions | None = None
) -> Table:
    """A dropped-back file as the reader takes it."""
    original_file = house.archived("fbcd234567")
    original = open_table(io.BytesIO(original_file.read_bytes()), name="", options=options or ReadOptions())
    seen = open_table(io.BytesIO(content), name=name, options=ReadOptions())
    assert is_correction(seen.headers)
    again = open_table(io.BytesIO(content), name=name, options=reading_of(seen.how, original.how))
    return correction_of(again, {"fbcd234567": original})


def rows(table: Table) -> list[list[str]]:
    found: list[list[str]] = []
    for chunk in table.chunks(range(len(table.headers))):
        found += [list(cells) for cells in zip(*(column.to_pylist() for column in chunk.cells), strict=True)]
    return found


def fault_rows(table: Table) -> list[int]:
    return [fault.row for chunk in table.chunks(range(len(table.headers))) for fault in chunk.faults]


@pytest.mark.parametrize(
    ("delimiter", "line_end", "encoding", "mark"),
    [
        (",", "\r\n", "utf-8", b""),
        (";", "\n", "utf-8", b"\xef\xbb\xbf"),
        (";", "\r\n", "cp1252", b""),
        ("|", "\n", "cp1252", b""),
        ("\t", "\r\n", "utf-16-le", b"\xff\xfe"),
    ],
)
def test_it_has_the_senders_delimiter_encoding_line_ends_and_byte_order_mark(
    house: House, delimiter: str, line_end: str, encoding: str, mark: bytes
) -> None:
    lines = ["SKU,Qty,Näme", "001,5,Köln", '002,x,"Jörg"', "003,7,Ulm"]
    text = "".join(line.replace(",", delimiter).replace('"', "") + line_end for line in lines)
    found = rejected(
        house,
        mark + text.encode(encoding),
        [BAD],
        ReadOptions(encoding=encoding if encoding == "cp1252" else None),
    )
    assert found.startswith(mark)
    assert found.removeprefix(mark).decode(encoding) == (
        f"SKU,Qty,Näme,{HEADS.format(',')}\n002,x,Jörg,3,Qty,bad_number,'x' is no number.,fbcd234567\n"
    ).replace(",", delimiter).replace("\n", line_end)
    table = dropped(house, found)
    assert rows(table) == [["002", "x", "Jörg"]]


def test_all_reasons_of_a_row_stand_in_one_line_in_characters_that_the_sender_has(house: House) -> None:
    also = Reject(3, "damaged_identifier", "Łódź → “damaged”\nby 表", column="SKU", value="")
    found = rejected(
        house, "SKU,Qty\n1,5\n2é,x\n".encode("cp1252"), [BAD, also], ReadOptions(encoding="cp1252")
    )
    assert found.decode("cp1252").splitlines()[1] == (
        "2é,x,3,Qty; SKU,bad_number; damaged_identifier,'x' is no number. Lódz ? “damaged” by ?.,fbcd234567"
    )


def test_titles_comments_and_skipped_rows_are_left_behind(house: House) -> None:
    body = b"Stock of acme\n\nSKU,Qty\n1,5\nTotal,5\n2,x\n"
    options = ReadOptions(header_row=3, skip_rows="^Total")
    found = rejected(house, body, [Reject(6, "bad_number", "no", column="Qty")], options)
    assert found.decode().splitlines() == [
        f"SKU,Qty,{HEADS.format(',')}",
        "2,x,6,Qty,bad_number,no.,fbcd234567",
    ]
    assert rows(dropped(house, found, options=options)) == [["2", "x"]]


def test_without_a_header_the_columns_are_letters(house: House) -> None:
    options = ReadOptions(header_row=0)
    found = rejected(house, b"1,5,a\n2,x,b\n", [Reject(2, "bad_number", "no", column="B")], options)
    assert found.decode().splitlines() == [
        f"A,B,C,{HEADS.format(',')}",
        "2,x,b,2,B,bad_number,no.,fbcd234567",
    ]
    assert rows(dropped(house, found.replace(b"2,x,b", b"02,3,b"), options=options)) == [["2", "3", "b"]]


def test_filled_values_are_written(house: House) -> None:
    options = ReadOptions(fill_down=("Order",))
    found = rejected(house, b"Order,SKU,Qty\nA1,1,5\n,2,x\n", [BAD], options)
    assert found.decode().splitlines()[1].startswith("A1,2,x,3,")


def test_the_surplus_of_a_ragged_row_stands_last_and_keeps_it_ragged(house: House) -> None:
    ragged = [Reject(row, "ragged_row", "The row does not fit.") for row in (3, 4)]
    found = rejected(house, b"SKU,Qty\n001,5\n002,6,b,c\n003\n", ragged)
    assert found.decode().splitlines() == [
        f"SKU,Qty,{HEADS.format(',')},fb_rest",
        '002,6,3,,ragged_row,The row does not fit.,fbcd234567,"b,c"',
        "003,,4,,ragged_row,The row does not fit.,fbcd234567,"
        "(1 cell is missing; empty this cell when the row is right)",
    ]
    assert fault_rows(dropped(house, found)) == [2, 3]
    mended = found.replace(b'"b,c"', b"")
    assert (rows(dropped(house, mended)), fault_rows(dropped(house, mended))) == ([["002", "6"]], [3])


def test_a_sender_without_quotes_gets_none(house: House) -> None:
    options = ReadOptions(quote="none", delimiter="|")
    why = Reject(3, "bad_number", 'Say "5|6"\nor nothing', column="Qty")
    found = rejected(house, b'SKU|Qty\n1|5\n2"|x\n', [why], options)
    assert found.decode().splitlines()[1] == '2"|x|3|Qty|bad_number|Say "5 6" or nothing.|fbcd234567'
    assert rows(dropped(house, found, options=options)) == [['2"', "x"]]


def test_fixed_width_gives_csv(house: House) -> None:
    options = ReadOptions(format="fixed", columns={"SKU": (1, 5), "Qty": (6, 10)})
    house.file(
        "fbcd234567",
        "stock.txt",
        b"00001    5\n00002    x\n",
        [Reject(2, "bad_number", "no", column="Qty")],
        options=options,
    )
    house.reply("fbcd234567", "stock.txt", options)
    found = (house.replies / "stock.txt.rejects.csv").read_bytes().decode()
    assert found.splitlines() == [f"SKU,Qty,{HEADS.format(',')}", "00002,x,2,Qty,bad_number,no.,fbcd234567"]


def test_the_twin_of_a_csv_has_text_cells_a_frozen_header_and_marked_cells(house: House) -> None:
    rejected(house, b"SKU,Qty,Tracking\n001,5,1\n00123,x,794612345678901234\n", [BAD])
    sheet = twin(house)
    assert [cell.value for cell in sheet[1]] == ["SKU", "Qty", "Tracking", *HEADS.format(" ").split()]
    assert [cell.value for cell in sheet[2]][:5] == ["00123", "x", "794612345678901234", 3, "Qty"]
    assert sheet["A2"].number_format == "@"
    assert sheet["B2"].comment.text == "'x' is no number."
    assert (sheet["B2"].fill.fill_type, sheet["A2"].fill.fill_type) == ("solid", None)
    assert sheet.freeze_panes == "A2"
    assert sheet.column_dimensions["C"].width >= 18


def test_the_twin_dropped_back_unchanged_says_just_what_the_original_said(house: House) -> None:
    body = b'SKU,Qty,Note\n1,5,\n00123,x,=1+1\n7.9E+17,x,"two\r\nlines"\n'
    rejected(house, body, [Reject(row, "bad_number", "no", column="Qty") for row in (3, 4)])
    content = (house.replies / "stock.csv.rejects.xlsx").read_bytes()
    assert rows(dropped(house, content, "back.xlsx")) == [
        ["00123", "x", "=1+1"],
        ["7.9E+17", "x", "two\r\nlines"],
    ]


def test_a_cell_too_long_for_a_workbook_is_read_from_the_original(house: House) -> None:
    long = "y" * 40_000
    rejected(house, f"SKU,Qty,Note\n1,5,\n2,x,{long}\n".encode(), [BAD])
    content = (house.replies / "stock.csv.rejects.xlsx").read_bytes()
    assert rows(dropped(house, content, "back.xlsx")) == [["2", "x", long]]


@pytest.fixture
def workbook(tmp_path: Path) -> Iterator[bytes]:
    """A vendor's sheet with every kind of cell."""
    path = tmp_path / "stock.xlsx"
    with xlsxwriter.Workbook(path) as book:
        page = book.add_worksheet("Stock")
        day = book.add_format({"num_format": "dd.mm.yyyy"})
        mask = book.add_format({"num_format": "00000"})
        page.write_row(0, 0, ["SKU", "Qty", "Code", "Date", "Live", "Cost", "UPC"])
        for row in (1, 2):
            page.write_string(row, 0, "00412")
            page.write_string(row, 1, "x")
            page.write_number(row, 2, 412, mask)
            page.write_datetime(row, 3, datetime(2026, 11, 24), day)
            page.write_boolean(row, 4, True)
            page.write_number(row, 5, 4.5)
            page.write_number(row, 6, 9_400_000_000_000_000_000_000)
        page.write_formula(2, 1, "=1/0", None, "#DIV/0!")
    yield path.read_bytes()


def test_a_workbook_gives_a_workbook_whose_cells_stay_what_they_were(house: House, workbook: bytes) -> None:
    why = [
        Reject(2, "bad_number", "no number", column="Qty", value="x"),
        Reject(3, "error_cell", "an error", column="Qty", value="#DIV/0!"),
        Reject(3, "damaged_identifier", "rounded", column="UPC", value="9.4E+21"),
    ]
    house.file("fbcd234567", "stock.xlsx", workbook, why)
    written = house.reply("fbcd234567", "stock.xlsx")
    assert [path.name for path in written.reject_files] == ["stock.xlsx.rejects.xlsx"]
    sheet = openpyxl.load_workbook(written.reject_files[0]).active
    assert [cell.value for cell in sheet[2]][:7] == [
        "00412",
        "x",
        "00412",
        datetime(2026, 11, 24),
        True,
        4.5,
        "9.4E+21",
    ]
    assert sheet["B3"].value == "#DIV/0!"
    assert sheet["B3"].data_type == "s"
    assert sheet["D2"].number_format == "yyyy-mm-dd"
    table = dropped(house, written.reject_files[0].read_bytes(), "back.xlsx")
    (chunk,) = table.chunks([1, 2, 3, 6])
    assert [None if kinds is None else [Kind(kind) for kind in kinds] for kinds in chunk.kinds] == [
        [Kind.TEXT, Kind.ERROR],
        [Kind.NUMBER, Kind.NUMBER],
        [Kind.DATE, Kind.DATE],
        [Kind.DAMAGED, Kind.DAMAGED],
    ]


def test_a_corrected_workbook_saved_as_csv_by_a_spreadsheet_keeps_the_types_of_its_untouched_cells(
    house: House, workbook: bytes
) -> None:
    house.file("fbcd234567", "stock.xlsx", workbook, [Reject(2, "bad_number", "no number", column="Qty")])
    house.reply("fbcd234567", "stock.xlsx")
    saved = f"SKU;Qty;Code;Date;Live;Cost;UPC;{HEADS.format(';')}\r\n" + (
        "412;8;412;11/24/2026;TRUE;4.50;9.4E+021;2;Qty;bad_number;no number.;fbcd234567\r\n"
    )
    table = dropped(house, saved.encode())
    assert rows(table) == [["00412", "8", "00412", "2026-11-24", "TRUE", "4.5", "9400000000000000000000"]]


def test_the_reject_file_of_a_correction_has_the_columns_of_the_first_original(house: House) -> None:
    first = rejected(house, b"SKU,Qty\n00123,x\n00124,5\n", [Reject(2, "bad_number", "no", column="Qty")])
    back = first.replace(b"00123,x", b"123,y")
    correction = dropped(house, back)
    again = [Reject(2, "bad_number", "still no", column="Qty", value="y")]
    house.file("fccd234567", "back.csv", back, again, table=correction, corrects="fbcd234567")
    written = house.reply("fccd234567", "back.csv", table=correction)
    assert written.reject_files[0].read_bytes().decode().splitlines() == [
        f"SKU,Qty,{HEADS.format(',')}",
        "00123,y,2,Qty,bad_number,still no.,fccd234567",
    ]


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
@pytest.mark.slow
@pytest.mark.parametrize("end", ["csv", "xlsx"])
def test_saved_by_libreoffice_it_is_still_recognised_and_nothing_is_spoiled(house: House, end: str) -> None:
    body = b"SKU,Qty,Tracking,Date\n1,5,1,\n00123,x,794612345678901234,2026-11-24\n"
    rejected(house, body, [BAD])
    semicolons = "csv:Text - txt - csv (StarCalc):59,34,76,1,,0,false,true,false"
    command = ["soffice", "--headless", "--infilter=CSV:44,34,76,1", "--convert-to", semicolons]
    subprocess.run(
        [*command, "--outdir", house.folder, house.replies / f"stock.csv.rejects.{end}"],
        check=True,
        capture_output=True,
        timeout=100,
    )
    saved = (house.folder / "stock.csv.rejects.csv").read_bytes()
    assert b"SKU;Qty" in saved
    assert rows(dropped(house, saved)) == [["00123", "x", "794612345678901234", "2026-11-24"]]
