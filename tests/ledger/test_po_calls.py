"""What the journal holds about POs is one vendor's: another may have POs of the same numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import sqlalchemy as sa

from filebridge.columns import int_array, pack, text_column
from filebridge.ledger import calls, po_calls, po_turns
from filebridge.ledger.schema import CallState, call
from filebridge.planning.plan import Action, Hold, PlannedCall
from filebridge.retailops.wire import mark_record


def about(po: str, *, waits: bool = False) -> PlannedCall:
    """A call that accepts a PO, or keeps that it is to be."""
    numbers = int_array(np.zeros(1, dtype=np.int32))
    block = pa.RecordBatch.from_arrays(
        [text_column([mark_record(po, [(1, 2)])]), numbers], names=["records", "record"]
    )
    hold = Hold("partial_shipment", "It waits.") if waits else None
    return PlannedCall(Action.MARK_ACCEPTED, 1, 1, pack(block), pos=(po,), waits=hold)


@pytest.fixture
def two_vendors(ledger: Any) -> Any:
    """D1 of bolt is accepted, and waits with another file; so is D1 of acme planned."""
    with ledger.begin() as connection:
        for vendor in ("bolt", "acme"):
            calls.add_calls(connection, [about("D1"), about("D1", waits=True)], vendor=vendor, now=1)
        connection.execute(
            sa.update(call)
            .where(call.c.vendor == "bolt", call.c.state == CallState.PLANNED)
            .values(state=CallState.CONFIRMED)
        )
    return ledger


def test_calls_about_a_po_are_those_of_its_vendor(two_vendors: Any) -> None:
    with two_vendors.read() as connection:
        found = po_calls.calls_about(connection, "acme", ["D1"])
        waiting = po_calls.waiting_calls(connection, "acme")
    assert [(one.vendor, one.state) for one in found] == [("acme", "planned"), ("acme", "waiting")]
    assert [one.vendor for one in waiting] == ["acme"]


def test_what_is_confirmed_of_a_po_is_told_to_its_vendor(two_vendors: Any) -> None:
    with two_vendors.read() as connection:
        of = {
            vendor: po_turns.confirmed_pos(connection, vendor, Action.MARK_ACCEPTED, ["D1"])
            for vendor in ("acme", "bolt")
        }
    assert of == {"acme": set(), "bolt": {"D1"}}
