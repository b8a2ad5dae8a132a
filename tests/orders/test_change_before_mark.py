"""A PO that changed since its file was written: what is marked is what a file holds, and that file is out first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from filebridge import orders
from filebridge.delivery import deliver

Make = Callable[..., Any]


def test_a_change_that_is_seen_before_the_mark_is_in_the_outbox_before_it(trade: Make, po: Make) -> None:
    one = trade(po("D1"))
    orders.fetch(one.ledger, one.client, one.pack, one.clock)
    orders.export(one.ledger, one.pack, one.outbox, one.clock)
    items = [{"po_item_id": 11, "vpc": "00120", "quantity": 5}]
    one.sandbox.state.change_po("D1", items=items)
    due = orders.plan_marks(one.ledger, one.client, one.pack, one.outbox, one.clock)
    assert sorted(one.files()) == ["PO_acme_000001.csv", "PO_acme_000001_rev2.csv"]
    for order_file_id in due:
        deliver(one.ledger, one.channel, order_file_id=order_file_id, clock=one.clock)
    assert one.marks() == [{"po": "D1", "items": [{"po_item_id": 11, "quantity": 5}]}]
