"""What is written reads back as exactly its text."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filebridge.tables.open import open_table
from filebridge.tables.table import ReadOptions
from filebridge.tables.write import UnwritableCell, write_delimited, write_workbook

TEXT = st.text(
    st.sampled_from(list("ab0,;|\t\"' \r\n=+-@#éß\u3042\U0001f600_x0D"))
    | st.characters(exclude_categories=["Cs", "Cc"]),
    max_size=8,
)
# A first column that is never blank keeps each row a row.
ROWS = st.lists(st.tuples(st.sampled_from(["k1", "007", "#x", "sep=;"]), TEXT, TEXT), min_size=1, max_size=6)


def read_back(content: bytes, **options: object) -> list[list[str]]:
    table = open_table(io.BytesIO(content), name="", options=ReadOptions(**options))  # type: ignore[arg-type]
    rows = []
    for chunk in table.chunks([0, 1, 2]):
        assert not chunk.faults
        rows += [list(row) for row in zip(*(column.to_pylist() for column in chunk.cells), strict=True)]
    return rows


@settings(max_examples=250, deadline=None)
@given(
    ROWS,
    st.sampled_from([",", ";", "|", "\t"]),
    st.sampled_from(["minimal", "all"]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_delimited_text_reads_back_as_it_was_written(rows, delimiter, quoting, line_end):
    stream = io.BytesIO()
    write_delimited(stream, [("A", "B", "C"), *rows], delimiter=delimiter, quoting=quoting, line_end=line_end)
    found = read_back(stream.getvalue(), delimiter=delimiter, header_row=1, encoding="utf-8")
    assert found == [list(row) for row in rows]


@settings(max_examples=100, deadline=None)
@given(ROWS)
def test_text_reads_back_in_the_dialect_of_its_sender(rows):
    stream = io.BytesIO()
    write_delimited(stream, [("A", "B", "C"), *rows], quote="'", escape="\\", comment="#")
    found = read_back(
        stream.getvalue(), delimiter=",", quote="'", escape="\\", comment="#", header_row=1, encoding="utf-8"
    )
    assert found == [list(row) for row in rows]


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_a_workbook_reads_back_as_it_was_written(rows):
    stream = io.BytesIO()
    write_workbook(stream, "Stock", [("A", "B", "C"), *rows])
    assert read_back(stream.getvalue(), header_row=1) == [list(row) for row in rows]


def test_minimal_quoting_quotes_a_lone_cr():
    stream = io.BytesIO()
    write_delimited(stream, [("a\rb", "c")], line_end="\n")
    assert stream.getvalue() == b'"a\rb",c\n'


def test_quoting_all_quotes_empty_cells_too():
    stream = io.BytesIO()
    write_delimited(stream, [("1", "")], quoting="all")
    assert stream.getvalue() == b'"1",""\r\n'


def test_a_row_of_one_empty_cell_is_still_a_row():
    stream = io.BytesIO()
    write_delimited(stream, [("",)], line_end="\n")
    assert stream.getvalue() == b'""\n'


def test_a_cell_that_needs_quotes_cannot_be_written_without():
    with pytest.raises(UnwritableCell) as error:
        write_delimited(io.BytesIO(), [("sku", "name"), ("1", "Chair, oak")], quoting="none")
    assert (error.value.code, error.value.row, error.value.column) == ("unquotable", 2, 1)


def test_a_character_that_the_encoding_lacks_is_named_with_its_cell():
    with pytest.raises(UnwritableCell) as error:
        write_delimited(io.BytesIO(), [("sku", "name"), ("1", "Łódź")], encoding="cp1252")
    assert (error.value.code, error.value.row, error.value.column) == ("unencodable", 2, 1)
    assert "Ł" in str(error.value) and "cp1252" in str(error.value)


def test_a_workbook_holds_text_cells_without_green_triangles():
    stream = io.BytesIO()
    write_workbook(
        stream, "Stock", [("SKU", "Note"), ("00123", "=1+1"), ("940011189922385512", "http://x.example")]
    )
    with zipfile.ZipFile(stream) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet and "hyperlink" not in sheet
    assert sheet.count('t="inlineStr"') == 6
    assert 'numberStoredAsText="1"' in sheet
    assert 'state="frozen"' in sheet


def test_marked_cells_have_a_note():
    stream = io.BytesIO()
    write_workbook(
        stream, "Rejects", [("SKU", "Qty"), ("1", "x")], marks={(2, 1): "bad_number: not a number"}
    )
    with zipfile.ZipFile(stream) as archive:
        assert "not a number" in archive.read("xl/comments1.xml").decode()


def test_the_same_rows_give_the_same_bytes():
    one, two = io.BytesIO(), io.BytesIO()
    for stream in (one, two):
        write_workbook(stream, "Stock", [("SKU", "Qty"), ("1", "2")])
    assert one.getvalue() == two.getvalue()


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("x" * 32_768, "too_long"),
        ("\U0001f600" * 16_384, "too_long"),
        ("a\x00b", "unencodable"),
        ("\ufffe", "unencodable"),
    ],
)
def test_what_a_workbook_cannot_hold_is_refused_not_cut(cell, code):
    with pytest.raises(UnwritableCell) as error:
        write_workbook(io.BytesIO(), "Stock", [("SKU",), (cell,)])
    assert (error.value.code, error.value.row, error.value.column) == (code, 2, 0)
