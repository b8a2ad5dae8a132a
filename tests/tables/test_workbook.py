"""Workbooks: cells as text with their kinds, the right sheet, and archives that are built to do harm."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime
from pathlib import Path

import pytest
import xlsxwriter

from filebridge.tables.number_formats import parse_format, plain_digits, value_text
from filebridge.tables.table import Kind

FILES = Path(__file__).parent / "files"
SHEET = "xl/worksheets/sheet1.xml"


def workbook(**sheets: list[list[object]]) -> bytes:
    """A workbook with these sheets, typed as Python types say."""
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream) as book:
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for name, rows in sheets.items():
            page = book.add_worksheet(name)
            for row, cells in enumerate(rows):
                for column, cell in enumerate(cells):
                    if isinstance(cell, str):
                        page.write_string(row, column, cell)
                    elif isinstance(cell, datetime):
                        page.write_datetime(row, column, cell, day)
                    elif cell is not None:
                        page.write(row, column, cell)
    return stream.getvalue()


def changed(content: bytes, part: str, old: str, new: str) -> bytes:
    """The workbook with a text of one of its parts replaced."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as before,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as after,
    ):
        for entry in before.namelist():
            text = before.read(entry)
            if entry == part:
                assert old.encode() in text
                text = text.replace(old.encode(), new.encode())
            after.writestr(entry, text)
    return out.getvalue()


STOCK = workbook(
    Stock=[["SKU", "Qty", "Since"], ["007", 12, datetime(2026, 11, 23)], ["008", 0.1 + 0.2, None]]
)


def test_cells_are_text_with_what_they_were(read):
    found = read(STOCK, "stock.xlsx")
    assert found.rows == {2: ["007", "12", "2026-11-23"], 3: ["008", "0.3", ""]}
    assert found.kinds[2] == [Kind.TEXT, Kind.NUMBER, Kind.DATE]
    assert (found.how.format, found.how.sheet, found.how.header_row) == ("xlsx", "Stock", 1)


def test_a_plain_row_and_the_same_row_spelled_otherwise_are_equal(read):
    plain = read(STOCK, "stock.xlsx")
    for old, new in [
        ("<c r=", "<c  r="),
        ("</row>", "<!-- odd --></row>"),
        ("<v>12</v>", "<v><![CDATA[12]]></v>"),
    ]:
        odd = read(changed(STOCK, SHEET, old, new), "stock.xlsx")
        assert (odd.rows, odd.kinds) == (plain.rows, plain.kinds)


def test_the_sheet_is_named_by_name_pattern_or_number(read):
    content = workbook(Prices=[["SKU", "Price"], ["1", 2]], Stock=[["SKU", "Qty"], ["7", 8]])
    for wanted in ("Stock", "Sto*", "stock", "2"):
        assert read(content, "stock.xlsx", sheet=wanted).rows == {2: ["7", "8"]}
    refusal = read.refused(content, "stock.xlsx", sheet="Inventory")
    assert refusal.code == "unreadable_file"
    assert "Prices, Stock" in refusal.message


def test_two_sheets_with_a_table_make_it_unsure(read):
    found = read(workbook(East=[["SKU", "Qty"], ["1", 2]], West=[["SKU", "Qty"], ["1", 3]]), "stock.xlsx")
    assert found.how.confidence < 0.8
    assert "East, West" in found.messages[0]


def test_the_sheet_that_holds_the_table_is_chosen(read):
    found = read(
        workbook(Cover=[["Stock of Acme"], [], ["See the next tab"]], Data=[["SKU", "Qty"], ["1", 2]]),
        "x.xlsx",
    )
    assert (found.how.sheet, found.rows) == ("Data", {2: ["1", "2"]})


def test_a_header_is_found_below_banners_and_blocks_of_facts(read):
    rows: list[list[object]] = [
        ["Acme", "Depot", "West", "Page", 1],
        [],
        ["SKU", "Name", "Qty"],
        ["1", "Lamp", 4],
        ["2", "Chair", 5],
    ]
    assert read(workbook(S=rows), "x.xlsx").headers[:3] == ["SKU", "Name", "Qty"]


def test_columns_without_header_and_values_at_the_edges_are_left_out(read):
    found = read(workbook(S=[[None, "SKU", None, "Qty"], [None, "1", None, 2]]), "x.xlsx")
    assert (found.headers, found.rows) == (["SKU", "", "Qty"], {2: ["1", "", "2"]})


def test_a_short_row_of_a_sheet_is_not_ragged(read):
    found = read(workbook(S=[["SKU", "Qty", "Note"], ["1", 2], ["2", None, "late"]]), "x.xlsx")
    assert (list(found.rows.values()), found.faults) == ([["1", "2", ""], ["2", "", "late"]], [])


def test_hidden_rows_and_columns_are_read_said_skipped_or_refused(read):
    content = (FILES / "filtered_hidden.xlsx").read_bytes()
    assert set(read(content, "x.xlsx").notes) == {"hidden_rows", "hidden_columns"}
    skipped = read(content, "x.xlsx", hidden="skip")
    assert skipped.headers == ["SKU", "Description", "Qty"]
    assert len(skipped.rows) == len(read(content, "x.xlsx").rows) - 2
    assert read.refused(content, "x.xlsx", hidden="refuse").code == "unreadable_file"


def test_a_formula_without_a_stored_result_is_no_value_and_an_empty_result_is_text(read):
    content = changed(STOCK, SHEET, "<v>12</v>", "<f>1+1</f>")
    assert read(content, "x.xlsx").kinds[2][1] is Kind.NO_VALUE
    nothing_calculated = changed(STOCK, SHEET, "<v>12</v>", "<f>1+1</f><v></v>")
    assert read(nothing_calculated, "x.xlsx").kinds[2][1] is Kind.NO_VALUE


def test_an_error_cell_keeps_its_word(read):
    content = changed(STOCK, SHEET, "<v>12</v>", "<v>#N/A</v>").replace(b"", b"")
    content = changed(content, SHEET, '<c r="B2">', '<c r="B2" t="e">')
    found = read(content, "x.xlsx")
    assert (found.rows[2][1], found.kinds[2][1]) == ("#N/A", Kind.ERROR)


def test_a_long_whole_number_is_damaged(read):
    found = read(
        workbook(S=[["PO", "Tracking"], ["1", 92612999897543100000], ["2", 123456789012345]]), "x.xlsx"
    )
    assert found.kinds[2] == [Kind.TEXT, Kind.DAMAGED]
    assert (found.rows[3][1], found.kinds[3][1]) == ("123456789012345", Kind.NUMBER)


@pytest.mark.parametrize(
    ("code", "value", "text"),
    [
        ("00000", 412, "00412"),
        ("000-000", 12045, "012-045"),
        ('"PO-"00000', 4471, "PO-04471"),
        ("00000;[Red]-00000", 412, "00412"),
        ("[$-409]000", 7, "007"),
        ("000", 12345, "12345"),
        ("000", -7, "-007"),
        ("00000", 4.5, "4.5"),
        ("0", 412, "412"),
        ("0.00", 412, "412"),
        ("#,##0", 1234567, "1234567"),
        ("00000.0", 412, "412"),
        ("0%", 0.25, "0.25"),
        ('0 "days"', 14, "14"),
        ("yyyy-mm-dd", 45000, "2023-03-15"),
        ("d.m.yyyy h:mm", 45000.5, "2023-03-15T12:00:00"),
        ("h:mm", 0.25, "06:00:00"),
        ("[h]:mm", 1.3020833333333333, "31:15:00"),
        ("yyyy-mm-dd", 59, "1900-02-28"),
    ],
)
def test_a_number_reads_as_its_format_says(code, value, text):
    assert value_text(float(value), parse_format(code), from_1904=False)[0] == text


def test_plain_digits_have_no_exponent_and_15_digits():
    found = [plain_digits(value) for value in (1e-5, 19.990000000000002, 1.5e6, 12.0, -0.0, 1e21)]
    assert found == ["0.00001", "19.99", "1500000", "12", "0", "1000000000000000000000"]


def test_other_formats_are_only_read_where_the_mapping_names_them(read):
    content = (FILES / "stock.xlsb").read_bytes()
    refusal = read.refused(content, "stock.xlsb")
    assert (refusal.code, "read: {format: xlsb}" in refusal.fix) == ("unreadable_file", True)
    assert read(content, "stock.xlsb", format="xlsb").rows[2][0] == "TM-0417"


def test_a_workbook_under_another_name_is_read_with_a_word_about_it(read):
    assert read(STOCK, "stock.csv").notes == ["name_differs"]


def test_text_under_the_name_of_a_workbook_is_refused(read):
    assert read.refused(b"sku,qty\n1,2\n", "stock.xlsx").code == "unreadable_file"


def test_a_mapping_that_says_csv_does_not_take_a_workbook(read):
    assert read.refused(STOCK, "stock.xlsx", format="csv").code == "unreadable_file"


def test_a_workbook_that_is_cut_short_is_refused(read):
    assert read.refused(STOCK[: len(STOCK) * 3 // 5], "stock.xlsx").code == "incomplete_file"


def test_a_doctype_is_refused(read):
    content = changed(STOCK, "xl/workbook.xml", "<workbook ", '<!DOCTYPE x [<!ENTITY a "b">]><workbook ')
    assert read.refused(content, "stock.xlsx").code == "unsafe_file"


def test_a_member_that_unpacks_to_a_hundred_times_its_size_is_refused(read):
    content = changed(STOCK, SHEET, "<sheetData>", "<sheetData>" + " " * 30_000_000)
    assert read.refused(content, "stock.xlsx").code == "unsafe_file"


def test_too_many_members_are_refused(read):
    out = io.BytesIO(STOCK)
    with zipfile.ZipFile(out, "a") as archive:
        for number in range(1000):
            archive.writestr(f"xl/more/{number}", b"")
    assert read.refused(out.getvalue(), "stock.xlsx").code == "unsafe_file"


def test_a_name_that_leads_out_of_the_archive_is_refused(read):
    out = io.BytesIO(STOCK)
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("../evil", b"")
    assert read.refused(out.getvalue(), "stock.xlsx").code == "unsafe_file"


def test_a_cell_outside_every_sheet_is_refused(read):
    assert read.refused(changed(STOCK, SHEET, 'r="B2"', 'r="ZZZ2"'), "stock.xlsx").code == "unreadable_file"


def test_a_sheet_of_too_many_places_is_refused(read):
    rows = "".join(f'<row r="{row}"><c r="XFD{row}"><v>1</v></c></row>' for row in range(4, 1400))
    content = changed(STOCK, SHEET, "</sheetData>", f"{rows}</sheetData>")
    assert read.refused(content, "stock.xlsx").code == "too_large"


def test_a_cell_that_is_filled_down_keeps_what_it_was(read):
    rows: list[list[object]] = [
        ["Tracking", "SKU"],
        [92612999897543100000, "a"],
        [None, "b"],
        ["1Z1", "c"],
        [None, "d"],
    ]
    found = read(workbook(S=rows), "x.xlsx", fill_down=("Tracking",))
    assert [kinds[0] for kinds in found.kinds.values()] == [Kind.DAMAGED, Kind.DAMAGED, Kind.TEXT, Kind.TEXT]
    assert [cells[0] for cells in found.rows.values()][2:] == ["1Z1", "1Z1"]
