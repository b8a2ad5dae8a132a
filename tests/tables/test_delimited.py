"""Delimited text: what is a row, what is a cell, and which row number it has."""

from __future__ import annotations

import gc
import io

import pytest

from filebridge.tables.open import open_table
from filebridge.tables.table import ReadOptions


def test_rows_are_numbered_as_a_spreadsheet_shows_them(read):
    found = read(b'Stock of today\n\nsku,qty\n1,"a\nb"\n\n# no comment declared,2\n3,4\n', header_row=3)
    assert found.rows == {4: ["1", "a\nb"], 6: ["# no comment declared", "2"], 7: ["3", "4"]}


def test_comments_count_as_rows_and_are_none(read):
    found = read(b"# made today\nsku,qty\n# half-way\n1,2\n", comment="#")
    assert (found.how.header_row, found.rows) == (2, {4: ["1", "2"]})


def test_a_separator_line_is_not_counted(read):
    found = read(b"sep=;\r\nsku;qty\r\n0007;1,5\r\n")
    assert (found.how.delimiter, found.how.header_row, found.rows) == (";", 1, {2: ["0007", "1,5"]})


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_ends_a_row(read, end):
    found = read(end.join(["sku,qty", "1,2", "", "3,4"]).encode())
    assert found.rows == {2: ["1", "2"], 4: ["3", "4"]}
    assert found.how.line_end == end


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "^"])
def test_the_delimiter_is_detected(read, delimiter):
    lines = [["sku", "title", "qty"], ["001", "Lamp; brass", "4"], ["002", "Chair, oak", "1,204"]]
    quoted = [delimiter.join(f'"{cell}"' if delimiter in cell else cell for cell in line) for line in lines]
    found = read("\n".join(quoted).encode())
    assert found.how.delimiter == delimiter
    assert list(found.rows.values()) == lines[1:]
    assert found.how.confidence >= 0.8


def test_nothing_becomes_a_number_or_a_null(read):
    found = read(b"sku,qty\n007,NA\nNULL,1e5\n")
    assert list(found.rows.values()) == [["007", "NA"], ["NULL", "1e5"]]


def test_blank_rows_are_dropped_whatever_they_are_blank_with(read):
    found = read(b'a,b\n\n,\n , \n"",""\n\t,\t\n,,,\n1,2\n\x1a')
    assert found.rows == {8: ["1", "2"]}
    assert found.faults == []


def test_a_row_that_does_not_fit_the_header_is_a_fault_and_the_others_are_read(read):
    found = read(b"sku,name,qty\n1,Cushion, round,4\n2,Mat\n3,Rug,5\n4,Mat,6,,\n")
    assert found.rows == {4: ["3", "Rug", "5"], 5: ["4", "Mat", "6"]}
    assert [(fault.row, fault.code, fault.cells) for fault in found.faults] == [
        (2, "ragged_row", ("1", "Cushion", " round", "4")),
        (3, "ragged_row", ("2", "Mat")),
    ]
    assert "4 cells, the header has 3" in found.faults[0].message


def test_spaces_outside_quotes_go_and_others_stay(read):
    found = read(b'a,b,c\n1, "x, y" , z \n"2" ,"",  w\n')
    assert list(found.rows.values()) == [["1", "x, y", " z "], ["2", "", "  w"]]


def test_a_quote_inside_an_unquoted_cell_is_a_character(read):
    found = read(b'sku,title\n1,Screen 15" wide\n2,"Tall ""oak"""\n')
    assert list(found.rows.values()) == [["1", 'Screen 15" wide'], ["2", 'Tall "oak"']]


def test_a_quote_that_never_closes_is_said_with_its_row(read):
    refusal = read.refused(b'sku,title\n1,ok\n2,"cut off\n3,more\n')
    assert (refusal.code, refusal.place) == ("incomplete_file", "row 3")


def test_text_after_a_closing_quote_is_refused_rather_than_guessed_at(read):
    refusal = read.refused(b'sku,title\n1,"Lamp" brass,"x"\n')
    assert (refusal.code, refusal.place) == ("unreadable_file", "row 2")


def test_a_backslash_escapes_where_the_mapping_says_so(read):
    found = read(b'sku,title\n1,one\\, two\n2,"a \\"b\\""\n', escape="\\")
    assert list(found.rows.values()) == [["1", "one, two"], ["2", 'a "b"']]


def test_a_cell_may_be_longer_than_the_csv_module_allows(read):
    text = "long " * 60_000
    found = read(f'sku,text\n1,"{text}"\n'.encode(), escape="\\")
    assert found.rows[2] == ["1", text]


def test_without_a_header_the_columns_are_letters_and_as_wide_as_most_rows(read):
    found = read(b"1,a,b\n2,c,d\n3,e\n", header_row=0)
    assert found.headers == ["A", "B", "C"]
    assert list(found.rows) == [1, 2]
    assert [fault.row for fault in found.faults] == [3]


def test_a_header_is_found_below_titles(read):
    found = read(b"Stock report\nPrinted 2026-11-23\n\nSKU,Qty\n1,2\n3,4\n")
    assert (found.how.header_row, found.headers) == (4, ["SKU", "Qty"])


def test_rows_of_values_alone_have_no_header(read):
    found = read(b"1001,4\n1002,7\n")
    assert (found.how.header_row, found.headers, list(found.rows)) == (0, ["A", "B"], [1, 2])


def test_repeated_and_empty_headers_stay_as_they_are(read):
    assert read(b"sku,,qty,qty\n1,2,3,4\n").headers == ["sku", "", "qty", "qty"]


def test_skip_rows_looks_at_the_first_filled_cell(read):
    found = read(b"sku,qty\n1,2\n,Total\nReport run at noon\n", skip_rows="^(Total|Report run)")
    assert (found.rows, found.faults) == ({2: ["1", "2"]}, [])


def test_a_header_row_that_is_not_there_is_said(read):
    assert read.refused(b"sku,qty\n1,2\n", header_row=9).code == "missing_column"


def test_a_file_of_a_header_alone_has_no_rows_and_a_note(read):
    found = read(b"sku,qty\n", header_row=1)
    assert (found.rows, found.notes) == ({}, ["empty_file"])


@pytest.mark.parametrize("content", [b"", b"\n\n", b",,\n,,\n", b'"",""\n'])
def test_a_file_without_a_filled_cell_is_empty(read, content):
    assert read.refused(content).code == "empty_file"


@pytest.mark.parametrize(
    "content",
    [
        b"<html><body>",
        b"<?xml version='1.0'?><a/>",
        b'{"sku": 1}',
        b'[{"sku": 1}]',
        b"%PDF-1.4",
        b"\x1f\x8b\x08\x00rest",
    ],
)
def test_what_is_no_table_is_refused_by_its_bytes(read, content):
    assert read.refused(content).code == "unreadable_file"


def test_two_delimiters_that_fit_alike_make_it_unsure(read):
    found = read(b"a;b,c\nd;e,f\n", header_row=0)
    assert found.how.confidence < 0.8
    assert "unsure" in found.notes


def test_a_head_that_ends_within_quotes_is_no_refusal(read):
    rows = "".join(f'{number},"two\nlines, each",3\n' for number in range(9000))
    found = read(("sku,text,qty\n" + rows).encode())
    assert len(found.rows) == 9000
    assert found.rows[9001] == ["8999", "two\nlines, each", "3"]


def test_fill_down_repeats_the_cell_above(read):
    found = read(b"Order,SKU\n70112,a\n,b\n , c\n70115,d\n", fill_down=("order",))
    assert list(found.rows.values()) == [["70112", "a"], ["70112", "b"], ["70112", " c"], ["70115", "d"]]


def test_below_a_ragged_row_nothing_is_filled_until_the_next_filled_cell(read):
    found = read(b"Order,SKU\n1,a\n2,b,c\n,d\n,e\n3,f\n,g\n", fill_down=("Order",))
    assert found.rows == {2: ["1", "a"], 6: ["3", "f"], 7: ["3", "g"]}
    assert [(fault.row, fault.code) for fault in found.faults] == [
        (3, "ragged_row"), (4, "ragged_row"), (5, "ragged_row"),
    ]  # fmt: skip


def test_fill_down_of_a_column_that_is_not_there_is_said(read):
    refusal = read.refused(b"Order,SKU\n1,a\n", fill_down=("Parcel",))
    assert refusal.code == "missing_column"
    assert "Parcel" in refusal.message and "Order, SKU" in refusal.message


MANY = ("sku,qty\n" + "".join(f"{number},2\n" for number in range(150_000))).encode()


@pytest.mark.parametrize("options", [ReadOptions(), ReadOptions(skip_rows="^x")], ids=["fast", "careful"])
def test_two_passes_may_go_on_by_turns(options):
    table = open_table(io.BytesIO(MANY), name="stock.csv", options=options)
    pairs = list(zip(table.chunks([0]), table.chunks([1]), strict=True))
    assert len(pairs) > 1
    assert all((one.rows == two.rows).all() for one, two in pairs)


@pytest.mark.parametrize("options", [ReadOptions(), ReadOptions(skip_rows="^x")], ids=["fast", "careful"])
def test_a_pass_that_is_given_up_leaves_the_stream_to_its_owner(options):
    stream = io.BytesIO(MANY)
    chunks = open_table(stream, name="stock.csv", options=options).chunks([0])
    next(chunks)
    del chunks
    gc.collect()
    assert not stream.closed
