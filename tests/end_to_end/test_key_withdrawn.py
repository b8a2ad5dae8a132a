"""A key that is refused at the call itself, after all reads went well: a state of the channel, never of a row."""

from __future__ import annotations

from typing import Any

import pytest

from filebridge.sandbox.faults import Fault

SHIPPED = "PO,Item,Qty,Tracking,Ship Via\n"
PACK = {
    "inventory.yaml": 'document: inventory\nmatch: ["stock*"]\nfields: {vpc: SKU, quantity: Qty}\n',
    "shipments.yaml": """\
document: shipments
match: ["ship*"]
fields: {po: PO, vpc: Item, quantity: Qty, tracking_number: Tracking, carrier: Ship Via}
""",
    "acknowledgements.yaml": 'document: acknowledgements\nmatch: ["ack*"]\nfields: {po: PO}\n',
}


@pytest.mark.parametrize("kind", ["authn", "authz"])
def test_rows_wait_for_the_right_key_whatever_call_was_refused(house: Any, kind: str) -> None:
    house.pack(PACK)
    items = [{"po_item_id": number, "vpc": vpc, "quantity": 1} for number, vpc in enumerate("AB", 1)]
    po = {"vendor_id": 27, "date_submit": "2026-11-20T17:00:00Z", "items": items}
    house.sandbox.state.add_pos([{"po": "D1", "status": "accepted", **po}])
    house.sandbox.state.add_pos([{"po": "D2", "status": "submitted", **po}])
    house.drop("ship-1.csv", f"{SHIPPED}D1,A,1,T1,UPS Ground\n")
    house.run()
    files = {
        "ship-2.csv": f"{SHIPPED}D1,B,1,T2,UPS Ground\n",
        "ack.csv": "PO\nD2\n",
        "stock.csv": "SKU,Qty\nA,5\n",
    }
    for name, text in files.items():
        # One at a time: after the first refusal a pass asks nothing more.
        house.sandbox.faults.add(Fault(kind, action="mark_accepted"))
        house.sandbox.faults.add(Fault(kind, action="complete"))
        house.sandbox.faults.add(Fault(kind, action="update"))
        house.drop(name, text)
        house.clock.move(60)
        assert house.run().exit_code == 3
        assert house.receipt(name)["outcomes"] == {"pending": 1}
        assert house.receipt("ship-1.csv")["outcomes"] == (
            {"pending": 1} if name == "ship-2.csv" else {"delivered": 1}
        )
        house.sandbox.faults.clear()
        house.clock.move(60)
        house.run()
        assert house.receipt(name)["outcomes"] == {"delivered": 1}
