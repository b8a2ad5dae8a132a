"""The fast and the careful reader give the same table, whatever the text and however it is cut into blocks."""

from __future__ import annotations

import io
from dataclasses import replace

from hypothesis import example, given, settings
from hypothesis import strategies as st

from filebridge.errors import FileRefused
from filebridge.tables.table import ReadOptions
from filebridge.tables.text import DelimitedTable, open_delimited

PIECES = [
    ",",
    ",",
    ",",
    "\n",
    "\n",
    "\r\n",
    '"',
    '""',
    ' "',
    '" ',
    "a",
    "b7",
    "0012",
    " ",
    "é",
    "\u3000",
    "\ufeff",
    "\r",
    "\x1a",
]
LINES = [
    "x,y,z\n",
    '"q,q",2,3\n',
    '"l\nm","n""o",\n',
    ",,\n",
    ",,,\n",
    "1,2\n",
    "\n\n",
    "1,2,3,\n",
    "1,2,3,4\n",
]
ODD_TEXT = st.lists(st.sampled_from([*PIECES, *LINES]), max_size=60).map("".join)
PLAIN_TABLE = st.lists(
    st.lists(
        st.sampled_from(["", " ", "a", "00", '"x"', '"y,""z"', '"u\nv"', "é"]), min_size=1, max_size=4
    ).map(",".join),
    max_size=40,
).map("\n".join)


def seen(table: DelimitedTable, columns: list[int]) -> object:
    rows, faults = [], []
    try:
        for chunk in table.chunks(columns):
            rows += zip(chunk.rows.tolist(), *(column.to_pylist() for column in chunk.cells), strict=True)
            faults += chunk.faults
    except FileRefused as refusal:
        return refusal.code, refusal.message
    return rows, faults, table.notes


def both(body: str, columns: list[int], block_size: int, encoding: str = "utf-8") -> None:
    stream = io.BytesIO(f"A,B,C\n{body}".encode(encoding, "ignore"))
    options = ReadOptions(encoding=encoding, delimiter=",", header_row=1)
    try:
        table = open_delimited(stream, options=options)
    except FileRefused:
        return
    careful = replace(table, body=replace(table.body, is_fast=False), found=[])
    fast = replace(table, block_size=block_size, found=[])
    assert table.body.is_fast
    assert seen(fast, columns) == seen(careful, columns)


@settings(max_examples=250, deadline=None)
@given(ODD_TEXT, st.sampled_from([[0], [1, 2], [2, 0], [0, 1, 2]]), st.sampled_from([7, 40, 1 << 20]))
@example("1,2,3\n,,9\n , ,\n,x,\n", [0], 1 << 20)
@example('"a","b","c\n', [0], 40)
@example("1,2,3\r", [0], 7)
def test_the_fast_reader_equals_the_careful_one_on_odd_text(
    body: str, columns: list[int], block_size: int
) -> None:
    both(body, columns, block_size)


@settings(max_examples=150, deadline=None)
@given(PLAIN_TABLE, st.sampled_from([[0], [1, 2], [0, 1, 2]]), st.sampled_from([5, 64, 1 << 20]))
def test_the_fast_reader_equals_the_careful_one_on_plain_tables(
    body: str, columns: list[int], block_size: int
) -> None:
    both(body, columns, block_size)
    both(body, columns, block_size, encoding="cp1252")


@settings(max_examples=120, deadline=None)
@given(ODD_TEXT | PLAIN_TABLE, st.integers(1, 200))
def test_the_size_of_blocks_changes_nothing(body: str, block_size: int) -> None:
    stream = io.BytesIO(f"A,B,C\n{body}".encode("utf-8", "ignore"))
    try:
        table = open_delimited(stream, options=ReadOptions(delimiter=",", header_row=1))
    except FileRefused:
        return
    small = replace(table, block_size=block_size, found=[])
    assert seen(small, [0, 2]) == seen(replace(table, found=[]), [0, 2])
