"""Request bodies, byte for byte."""

import subprocess
import sys
import time

import numpy as np
import orjson
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filebridge.columns import int_array, pack, text_column, unpack
from filebridge.planning.plan import Action
from filebridge.retailops.wire import bodies_of, body_of, fetch_body, mark_record, path_of

texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
costs = st.decimals(0, 10_000, places=2).map(str) | st.just("")
actives = st.sampled_from(["", "0", "1"])
records = st.tuples(texts, st.integers(0, 2**31 - 1), costs, actives)


def make_batch(rows, *, names=("vpc", "quantity")):
    columns = dict(zip(("vpc", "quantity", "unit_cost", "active"), zip(*rows, strict=True), strict=False))
    arrays = [
        int_array(np.array(columns[name], dtype=np.int32))
        if name == "quantity"
        else text_column(columns[name])
        for name in names
    ]
    return pa.RecordBatch.from_arrays(arrays, names=list(names))


def test_an_update_is_the_documented_body():
    batch = make_batch([("00123", 12), ("NA", 0)])
    assert path_of(Action.UPDATE) == "/product/externalsku/update~2.json"
    assert body_of(Action.UPDATE, batch, vendor_id="27") == (
        b'{"records":[{"vendor_id":"27","vpc":"00123","quantity":12},'
        b'{"vendor_id":"27","vpc":"NA","quantity":0}]}'
    )


def test_cost_and_active_are_numbers_and_left_out_where_a_record_does_not_state_them():
    rows = [("A", 1, "12.50", "1"), ("B", 2, "", "0"), ("C", 3, "7", "")]
    batch = make_batch(rows, names=("vpc", "quantity", "unit_cost", "active"))
    assert body_of(Action.UPDATE, batch, vendor_id="27") == (
        b'{"records":[{"vendor_id":"27","vpc":"A","quantity":1,"unit_cost":12.50,"active":1},'
        b'{"vendor_id":"27","vpc":"B","quantity":2,"active":0},'
        b'{"vendor_id":"27","vpc":"C","quantity":3,"unit_cost":7}]}'
    )


@settings(deadline=None)
@given(st.lists(records, min_size=1, max_size=30), texts, st.booleans())
def test_a_body_made_by_columns_is_what_orjson_makes_of_dictionaries(rows, vendor_id, is_sliced):
    names = ("vpc", "quantity", "active")
    batch = make_batch(rows, names=names)
    if is_sliced:
        batch, rows = batch.slice(1), rows[1:]
    expected = [
        {"vendor_id": vendor_id, "vpc": vpc, "quantity": quantity}
        | ({"active": int(active)} if active else {})
        for vpc, quantity, _, active in rows
    ]
    assert body_of(Action.UPDATE, batch, vendor_id=vendor_id) == orjson.dumps({"records": expected})


@settings(deadline=None)
@given(st.lists(st.tuples(st.lists(records, min_size=1, max_size=5), st.sampled_from([2, 3, 4])), max_size=6))
def test_bodies_made_together_are_those_made_one_by_one(calls):
    names = ("vpc", "quantity", "unit_cost", "active")
    batches = [make_batch([row[:width] for row in rows], names=names[:width]) for rows, width in calls]
    together = bodies_of(Action.UPDATE, batches, vendor_id="27")
    assert together == [body_of(Action.UPDATE, batch, vendor_id="27") for batch in batches]


@settings(deadline=None)
@given(st.lists(records, min_size=1, max_size=10))
def test_a_cost_goes_out_as_the_very_digits_that_it_was_given_in(rows):
    batch = make_batch(rows, names=("vpc", "quantity", "unit_cost"))
    parts = [
        f'{{"vendor_id":"27","vpc":{orjson.dumps(vpc).decode()},"quantity":{quantity}'
        + (f',"unit_cost":{cost}' if cost else "")
        + "}"
        for vpc, quantity, cost, _ in rows
    ]
    assert body_of(Action.UPDATE, batch, vendor_id="27").decode() == f'{{"records":[{",".join(parts)}]}}'


def test_a_mark_names_the_exported_items_with_ids_in_the_type_they_came_in():
    lines = [mark_record("D123", [(456, 1), (457, 2)]), mark_record("Ø-9", [("A7", 1)])]
    batch = pa.RecordBatch.from_arrays([text_column(lines)], names=["records"])
    assert path_of(Action.MARK_SUBMITTED) == "/Vendor/PO/MarkSubmitted.json"
    assert (
        body_of(Action.MARK_SUBMITTED, unpack(pack(batch)), vendor_id="27")
        == (
            '{"records":[{"po":"D123","items":[{"po_item_id":456,"quantity":1},{"po_item_id":457,"quantity":2}]},'
            '{"po":"Ø-9","items":[{"po_item_id":"A7","quantity":1}]}]}'
        ).encode()
    )


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [(["ready"], b'"ready"'), (["open", "ready"], b'["open","ready"]')],
)
def test_a_fetch_asks_for_one_status_as_text_and_for_several_as_an_array(statuses, expected):
    assert fetch_body("27", statuses, start=0, limit=100) == (
        b'{"vendor_id":"27","start":0,"limit":100,"status":' + expected + b',"with_items":true}'
    )


def test_bodies_are_made_fast():
    batch = make_batch([(f"SKU-{number:06d}", number) for number in range(1000)])
    took = []
    for _ in range(5):
        began = time.process_time()
        for _ in range(100):
            body_of(Action.UPDATE, batch, vendor_id="27")
        took.append(time.process_time() - began)
    # Measured: 0.009 s. The bound only tells columns from a loop over records, on any machine.
    assert min(took) < 0.05


def test_making_bodies_and_calling_imports_no_pandas():
    program = (
        "import sys, numpy as np, pyarrow as pa\n"
        "from filebridge.columns import int_array, text_column\n"
        "from filebridge.planning.plan import Action\n"
        "from filebridge.retailops import client, transport\n"
        "from filebridge.retailops.wire import body_of\n"
        "columns = [text_column(['A', 'B\"']), int_array(np.array([1, 2])), text_column(['1.5', ''])]\n"
        "batch = pa.RecordBatch.from_arrays(columns, names=['vpc', 'quantity', 'unit_cost'])\n"
        "body_of(Action.UPDATE, batch, vendor_id='27')\n"
        "print('pandas' in sys.modules, 'sqlalchemy' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"
