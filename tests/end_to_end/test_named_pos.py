"""A PO that a vendor's file names was picked up, wherever its own file lies: it is marked submitted first."""

from __future__ import annotations

from typing import Any

import pytest

PACK = {
    "purchase-orders.yaml": (
        "document: purchase-orders\ncolumns: {PO: po, Item: vpc, Qty: quantity}\nsubmit: when_picked_up\n"
    ),
    "acknowledgements.yaml": 'document: acknowledgements\nmatch: ["ack*"]\nfields: {po: PO}\n',
    "shipments.yaml": """\
document: shipments
match: ["ship*"]
fields: {po: PO, tracking_number: Tracking, carrier: Ship Via}
""",
}


@pytest.mark.parametrize(
    ("name", "text", "action"),
    [
        ("ack.csv", "PO\nD1\n", "Vendor.PO.MarkAccepted"),
        ("ship.csv", "PO,Tracking,Ship Via\nD1,T1,UPS Ground\n", "Vendor.PO.Complete"),
    ],
    ids=["acknowledgement", "shipment"],
)
def test_a_named_po_is_marked_before_the_call_that_its_row_makes(
    house: Any, name: str, text: str, action: str
) -> None:
    house.pack(PACK)
    items = [{"po_item_id": 1, "vpc": "00120", "quantity": 2}]
    po = {"vendor_id": 27, "status": "ready", "date_submit": "2026-11-20T17:00:00Z", "items": items}
    house.sandbox.state.add_pos([{"po": number, **po} for number in ("D1", "D2")])
    house.run()
    assert house.bodies() == []
    house.drop(name, text)
    house.clock.move(60)
    [file] = house.run().files
    assert file.outcomes == {"delivered": 1}
    made = [call.action for call in house.sandbox.calls if not call.action.endswith(".fetch")]
    assert made == ["Vendor.PO.MarkSubmitted", action]
