"""A reject file that comes back."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from filebridge.columns import text_column
from filebridge.errors import FileRefused
from filebridge.mapping.corrections import (
    correction_of,
    is_correction,
    original_ids,
    reading_of,
)
from filebridge.mapping.reject_form import form_of, named_columns, surplus_of, written
from filebridge.rejects import Note
from filebridge.tables.open import open_table
from filebridge.tables.table import Chunk, Kind, ReadHow, ReadOptions, Table

Cell = str | tuple[str, Kind]
XLSX = ReadHow(format="xlsx")

ORIGINAL = """\
SKU,Qty,Tracking,Date
00123,5,794612345678901234,2026-11-24
00124,x,1Z999,2026-11-25
00125,7,1Z998,2026-11-26
"""


def csv_table(text: str, options: ReadOptions | None = None) -> Table:
    return open_table(io.BytesIO(text.encode()), name="stock.csv", options=options or ReadOptions())


@dataclass(frozen=True)
class SheetTable:
    """A sheet as its reader gives it: cells with kinds."""

    headers: tuple[str, ...]
    rows: Mapping[int, Sequence[Cell]]
    how: ReadHow = XLSX
    notes: tuple[Note, ...] = ()

    def chunks(self, columns: Sequence[int]) -> Iterator[Chunk]:
        rows = [
            [cell if isinstance(cell, tuple) else (cell, Kind.TEXT) for cell in row]
            for row in self.rows.values()
        ]
        yield Chunk(
            rows=np.array(list(self.rows), dtype=np.int32),
            cells=tuple(text_column([row[column][0] for row in rows]) for column in columns),
            kinds=tuple(np.array([row[column][1] for row in rows], dtype=np.uint8) for column in columns),
        )


def cells_of(table: Table) -> dict[int, list[Cell]]:
    """Every row of a table by its number; cells that are no text with their kind."""
    found: dict[int, list[Cell]] = {}
    for chunk in table.chunks(range(len(table.headers))):
        for place, row in enumerate(chunk.rows):
            found[int(row)] = [
                cell[place].as_py()
                if kinds is None or not kinds[place]
                else (cell[place].as_py(), Kind(kinds[place]))
                for cell, kinds in zip(chunk.cells, chunk.kinds, strict=True)
            ]
    return found


def faults_of(table: Table) -> dict[int, str]:
    return {
        fault.row: fault.code for chunk in table.chunks(range(len(table.headers))) for fault in chunk.faults
    }


def corrected(dropped: str, original: str = ORIGINAL) -> dict[int, list[Cell]]:
    return cells_of(correction_of(csv_table(dropped), {"fa": csv_table(original)}))


def test_a_reject_file_is_known_by_its_fb_columns_in_any_spelling() -> None:
    assert is_correction(["SKU", "fb_row", "fb_column", "fb_code", "fb_message", "fb_file"])
    assert is_correction(["SKU", "FB_File "])
    assert is_correction(["SKU", "fb_row", "fb_code"])
    assert not is_correction(["SKU", "Qty", "fb_row"])
    assert not is_correction(["sku", "quantity"])


def test_what_a_spreadsheet_spelled_anew_is_read_from_the_original_and_what_a_person_changed_stays() -> None:
    dropped = """\
SKU;Qty;Tracking;Date;fb_row;fb_column;fb_code;fb_message;fb_file
123;9;7.94612345678901E+17;11/24/2026;2;Qty;bad_number;Not a number;fa
124;8;1Z999;11/25/2026;3;Qty;bad_number;Not a number;fa
"""
    assert corrected(dropped) == {
        2: ["00123", "9", "794612345678901234", "2026-11-24"],
        3: ["00124", "8", "1Z999", "2026-11-25"],
    }


def test_a_named_cell_is_taken_as_typed_even_where_it_is_the_same_number() -> None:
    dropped = (
        "SKU,Qty,Tracking,Date,fb_row,fb_column,fb_code,fb_message,fb_file\n123,5,,,2,SKU; Tracking,c,m,fa\n"
    )
    assert corrected(dropped) == {2: ["123", "5", "", ""]}


def test_rows_may_be_deleted_reordered_and_added() -> None:
    dropped = """\
SKU,Qty,Tracking,Date,fb_row,fb_column,fb_code,fb_message,fb_file
125,7,1Z998,2026-11-26,4,,c,m,fa
126,1,1Z997,2026-11-27,,,,,
123,5,7.94612345678901E+17,2026-11-24,2,,c,m,fa
"""
    assert corrected(dropped) == {
        2: ["00125", "7", "1Z998", "2026-11-26"],
        3: ["126", "1", "1Z997", "2026-11-27"],
        4: ["00123", "5", "794612345678901234", "2026-11-24"],
    }


def test_cells_of_a_workbook_are_restored_with_their_kind() -> None:
    original = SheetTable(("SKU", "Qty", "Date"), {2: [("412", Kind.NUMBER), "x", ("2026-11-24", Kind.DATE)]})
    dropped = (
        "SKU,Qty,Date,fb_row,fb_column,fb_code,fb_message,fb_file\n412.0,3,11/24/2026,2,Qty,bad_number,m,fa\n"
    )
    table = correction_of(csv_table(dropped), {"fa": original})
    assert cells_of(table) == {2: [("412", Kind.NUMBER), "3", ("2026-11-24", Kind.DATE)]}


@pytest.mark.parametrize(
    ("cell", "dropped"),
    [
        (("9400000000000000000000", Kind.DAMAGED), "9.4E+21"),
        (("9400000000000000000000", Kind.DAMAGED), "9400000000000000000000"),
        (("#REF!", Kind.ERROR), "#REF!"),
        (("", Kind.NO_VALUE), ""),
        (("2026-03-01", Kind.DATE), "3/1/2026"),
    ],
)
@pytest.mark.parametrize("column", ["SKU", ""])
def test_damage_that_nobody_mended_stays_damage(cell: tuple[str, Kind], dropped: str, column: str) -> None:
    original = SheetTable(("SKU", "Qty"), {2: [cell, "5"]})
    back = f"SKU,Qty,fb_row,fb_column,fb_code,fb_message,fb_file\n{dropped},5,2,{column},c,m,fa\n"
    assert cells_of(correction_of(csv_table(back), {"fa": original})) == {2: [cell, "5"]}


def test_a_damaged_identifier_that_was_entered_again_as_text_is_mended() -> None:
    original = SheetTable(("SKU",), {2: [("794612345678901000", Kind.DAMAGED)]})
    headers = ("SKU", "fb_row", "fb_column", "fb_file")
    typed = SheetTable(headers, {2: ["794612345678901234", ("2", Kind.NUMBER), "SKU", "fa"]})
    assert cells_of(correction_of(typed, {"fa": original})) == {2: ["794612345678901234"]}
    same_digits = SheetTable(headers, {2: ["794612345678901000", "2", "SKU", "fa"]})
    assert cells_of(correction_of(same_digits, {"fa": original})) == {2: ["794612345678901000"]}


def test_damage_is_written_as_a_spreadsheet_shows_it() -> None:
    assert written("9400000000000000000000", Kind.DAMAGED) == "9.4E+21"
    assert written("9400000000000000000000", Kind.TEXT) == "9400000000000000000000"


def test_a_row_stays_ragged_while_fb_rest_is_filled() -> None:
    original = "SKU,Qty\n00123,5,surplus\n00124\n00125,6\n"
    assert surplus_of(("00123", "5", "surplus", ""), 2, ",") == "surplus"
    assert surplus_of(("00124",), 2, ",").startswith("(1 cell is missing")
    head = "SKU,Qty,fb_row,fb_column,fb_code,fb_message,fb_file,fb_rest\n"
    back = head + "123,5,2,,ragged_row,m,fa,surplus\n124,,3,,ragged_row,m,fa,\n125,6,4,,c,m,fa,\n"
    table = correction_of(csv_table(back), {"fa": csv_table(original)})
    assert faults_of(table) == {2: "ragged_row"}
    assert cells_of(table) == {3: ["00124", ""], 4: ["00125", "6"]}


def test_rows_of_several_files_with_the_same_columns_each_find_their_own_original() -> None:
    dropped = """\
SKU,Qty,Tracking,Date,fb_row,fb_column,fb_code,fb_message,fb_file
123,5,1,2026-11-24,2,Tracking,c,m,fa
123,5,1,2026-11-24,2,Tracking,c,m,fb
"""
    other = "SKU,Qty,Tracking,Date\n0123,5.0,x,24.11.2026\n"
    table = correction_of(csv_table(dropped), {"fa": csv_table(ORIGINAL), "fb": csv_table(other)})
    assert table.file_ids == ("fa", "fb")
    assert cells_of(table) == {2: ["00123", "5", "1", "2026-11-24"], 3: ["0123", "5.0", "1", "24.11.2026"]}


@pytest.mark.parametrize(
    ("dropped", "says"),
    [
        ("SKU,Qty,fb_row,fb_code\n1,2,3,c\n", "no column fb_file"),
        ("SKU,Qty,fb_row,fb_file\n1,2,3,\n", "is empty"),
        ("SKU,Qty,fb_row,fb_file\n1,2,3,fz\n", "'fz'"),
        ("SKU,Qty,fb_row,fb_file\n1,2,3,fa\n1,2,3,fb\n", "different columns"),
    ],
)
def test_rows_that_belong_to_no_file_are_refused_with_a_sentence(dropped: str, says: str) -> None:
    originals = {"fa": csv_table("SKU,Qty\n1,2\n"), "fb": csv_table("SKU,Stock\n1,2\n")}
    with pytest.raises(FileRefused, match=says) as refused:
        correction_of(csv_table(dropped), originals)
    assert refused.value.code == "unknown_reject_file"


def test_a_renamed_header_an_added_column_and_a_deleted_one_are_understood() -> None:
    renamed = correction_of(
        csv_table("Item,Quantity,fb_row,fb_file\n1,5,2,fa\n"), {"fa": csv_table("Item,Qtyy\n01,5\n")}
    )
    assert renamed.headers == ("Item", "Quantity")
    assert cells_of(renamed) == {2: ["01", "5"]}
    added = correction_of(
        csv_table("Item,fb_row,fb_file,Qty\n1,2,fa,9\n"), {"fa": csv_table("Item,Note\n01,a\n")}
    )
    assert added.headers == ("Item", "Qty")
    deleted = correction_of(
        csv_table("Item,fb_row,fb_file\n1,2,fa\n"), {"fa": csv_table("Item,Note\n01,a\n")}
    )
    assert cells_of(deleted) == {2: ["01", "a"]}


def test_a_correction_of_a_correction_finds_the_first_original() -> None:
    head = "SKU,Qty,fb_row,fb_column,fb_code,fb_message,fb_file\n"
    second = correction_of(
        csv_table(head + "123,y,2,Qty,bad_number,m,fa\n"), {"fa": csv_table("SKU,Qty\n00123,x\n")}
    )
    third = csv_table(head + "123,5,2,Qty,bad_number,m,fb\n")
    assert original_ids(third) == ("fb",)
    assert cells_of(correction_of(third, {"fb": second})) == {2: ["00123", "5"]}


def test_only_the_asked_columns_are_read_in_the_asked_order() -> None:
    dropped = "SKU,Qty,Tracking,Date,fb_row,fb_column,fb_code,fb_message,fb_file\n123,5,1,2,2,Qty,c,m,fa\n"
    table = correction_of(csv_table(dropped), {"fa": csv_table(ORIGINAL)})
    chunk = next(iter(table.chunks([1, 0])))
    assert [column.to_pylist() for column in chunk.cells] == [["5"], ["00123"]]


def test_columns_are_found_in_fb_column_though_their_headers_hold_what_stands_between() -> None:
    headers = ["Size; cm", "Qty", "Size", "Qty"]
    assert named_columns("Size; cm; Qty", headers) == {0, 1, 3}
    assert named_columns("Size; Qty", headers) == {1, 2, 3}
    assert named_columns("", headers) == frozenset()


def test_many_rows_in_any_order_find_their_originals() -> None:
    count = 40_000
    original = "SKU,Qty\n" + "".join(f"{row:08d},x\n" for row in range(2, count + 2))
    order = [*range(2, count + 2)][::-1]
    back = "SKU,Qty,fb_row,fb_column,fb_code,fb_message,fb_file\n" + "".join(
        f"{row},1,{row},Qty,c,m,fa\n" for row in order
    )
    found = corrected(back, original)
    assert len(found) == count
    assert found[2] == [f"{count + 1:08d}", "1"]
    assert found[count + 1] == ["00000002", "1"]


def test_a_dropped_file_is_read_in_the_encoding_of_its_original_unless_it_is_unicode() -> None:
    original = ReadHow(format="csv", encoding="cp1252", delimiter=";", line_end="\r\n", header_row=3)
    as_written = ReadHow(format="csv", encoding="cp1250", delimiter=";", line_end="\r\n")
    assert reading_of(as_written, original) == ReadOptions(encoding="cp1252", delimiter=";", header_row=1)
    by_libreoffice = ReadHow(format="csv", encoding="utf-8", delimiter=",")
    assert reading_of(by_libreoffice, original) == ReadOptions(delimiter=",", header_row=1)
    workbook = ReadHow(format="xlsx", sheet="Rejected rows")
    assert reading_of(workbook, original) == ReadOptions(format="xlsx", sheet="Rejected rows", header_row=1)


def test_a_reject_file_has_the_form_of_its_sender() -> None:
    pipes = ReadHow(
        format="csv", encoding="cp1252", delimiter="|", quote="", line_end="\r\n", header_row=4, bom=False
    )
    assert form_of(pipes) == ReadHow(
        format="csv", encoding="cp1252", delimiter="|", quote="", line_end="\r\n"
    )
    fixed = form_of(ReadHow(format="fixed", encoding="utf-8", quote=""))
    assert (fixed.format, fixed.delimiter, fixed.quote) == ("csv", ",", '"')
    assert form_of(ReadHow(format="ods")).format == "xlsx"
    assert form_of(ReadHow(format="csv", delimiter=",", quote="", escape="\\")).quote == '"'
    assert (
        reading_of(ReadHow(format="csv", encoding="utf-8", delimiter="|", line_end="\r\n"), pipes).quote
        == "none"
    )
