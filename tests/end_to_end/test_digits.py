"""Identifiers are text from the cell to the wire: every digit of a tracking number arrives."""

from __future__ import annotations

import json
from typing import Any

import pytest

PACK = {
    "shipments.yaml": """\
document: shipments
match: ["ship*"]
fields: {po: PO, vpc: Item, quantity: Qty, tracking_number: Tracking, carrier: Ship Via}
"""
}


@pytest.mark.parametrize(
    "number", ["794612345678901234", "9400111899223100001234", "00340434161094042557", "123456.0", "1E5"]
)
def test_a_tracking_number_arrives_as_it_was_written(house: Any, number: str) -> None:
    house.pack(PACK)
    items = [{"po_item_id": 1, "vpc": "00120", "quantity": 2}]
    po = {"vendor_id": 27, "status": "accepted", "date_submit": "2026-11-20T17:00:00Z", "items": items}
    house.sandbox.state.add_pos([{"po": "0007", **po}])
    house.drop("ship.csv", f"PO,Item,Qty,Tracking,Ship Via\n0007,00120,2,{number},UPS Ground\n")
    house.run()
    [body] = house.bodies()
    assert json.loads(body)["po"] == "0007"
    [package] = json.loads(body)["packages"]
    assert package["tracking_number"] == number
    assert package["items"] == [{"vpc": "00120", "quantity": 2}]
