"""Rows of the documents about POs as values, and which POs have a bad row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from filebridge.columns import NO_INSTANT, int_array, long_array, text_column
from filebridge.documents.po_rows import PoRow, PoRows, rows_of


def batch(**columns: Any) -> pa.RecordBatch:
    made = {
        name: int_array(np.array(values, np.int32))
        if name in ("quantity", "unit_count")
        else long_array(np.array(values, np.int64))
        if name in ("estimated_ship_date", "shipped_at")
        else text_column(values)
        for name, values in columns.items()
    }
    return pa.RecordBatch.from_arrays(list(made.values()), names=list(made))


def test_records_become_rows_with_their_numbers_over_all_batches() -> None:
    batches = [batch(po=["D1", "D2"], vpc=["A", "00120"]), batch(po=["D3"], vpc=["1E5"])]
    assert list(rows_of(batches, [2, 5, 9])) == [
        PoRow(2, "D1", "A"),
        PoRow(5, "D2", "00120"),
        PoRow(9, "D3", "1E5"),
    ]


def test_what_a_row_does_not_state_is_none_and_zero_is_stated() -> None:
    made = batch(
        po=["D1", "D1"],
        quantity=[-1, 0],
        unit_count=[3, -1],
        estimated_ship_date=[int(NO_INSTANT), 86_400_000_000],
    )
    first, second = rows_of([made], [2, 3])
    assert (first.quantity, first.unit_count, first.estimated_ship_date) == (None, 3, None)
    assert (second.quantity, second.unit_count, second.estimated_ship_date) == (0, None, 86_400_000_000)


def test_fields_that_no_call_takes_are_left_out() -> None:
    (row,) = rows_of([batch(po=["D1"], shipped_at=[86_400_000_000])], [2])
    assert row == PoRow(2, "D1")


@pytest.mark.parametrize(
    ("row", "is_whole"),
    [
        (PoRow(2, "D1"), True),
        (PoRow(2, "D1", tracking_number="T1", carrier="UPS", status="accepted"), True),
        (PoRow(2, "D1", vpc="A"), False),
        (PoRow(2, "D1", po_item_id="7"), False),
        (PoRow(2, "D1", quantity=0), False),
    ],
)
def test_a_row_without_item_and_quantity_speaks_of_the_whole_po(row: PoRow, is_whole: bool) -> None:
    assert row.is_whole_po is is_whole


def test_rows_that_differ_in_their_place_alone_say_the_same() -> None:
    assert PoRow(2, "D1", vpc="A", quantity=1).says == PoRow(9, "D1", vpc="A", quantity=1).says
    assert PoRow(2, "D1", vpc="A").says != PoRow(2, "D1", po_item_id="A").says


def test_a_po_with_bad_rows_knows_the_first_of_them() -> None:
    rows = PoRows()
    rows.add(batch(po=["D1"]))
    rows.refuse(["D2", "D1"], [3, 4])
    rows.refuse(["D2"], [7])
    assert rows.rejected_keys == {"D2": 3, "D1": 4}
