"""A PO that a person closes short: what waits of it for the rest is sent, and nothing else."""

from __future__ import annotations

from typing import Any

from filebridge.columns import as_ints, unpack
from filebridge.planning.closing import close_short
from filebridge.planning.plan import PlannedCall
from filebridge.retailops import wire

NOON = 1_800_014_400_000_000


def shipped(vpc: str, quantity: int, tracking: str, **more: Any) -> dict[str, Any]:
    found = {"po": "D1", "vpc": vpc, "quantity": quantity, "tracking_number": tracking, "carrier": "Truck"}
    return found | more


def acknowledged(vpc: str, quantity: int, **more: Any) -> dict[str, Any]:
    return {"po": "D1", "vpc": vpc, "quantity": quantity} | more


def said(call: PlannedCall) -> tuple[str, list[str], tuple[int, ...]]:
    """Action, records and joins of a call, whose records are of no row of its file."""
    batch = unpack(call.block)
    assert set(as_ints(batch.column("record")).tolist()) == {-1} and call.rows == 0
    assert call.pos == ("D1",)
    return call.action.value, batch.column("records").to_pylist(), call.joins


def test_nothing_waits_nothing_is_sent(office: Any) -> None:
    assert close_short(office.pos["D1"], wire) == []
    office.take("shipments", shipped("A", 2, "T1"), shipped("B", 1, "T1"))
    assert close_short(office.pos["D1"], wire) == []


def test_shipments_that_wait_are_one_complete(office: Any) -> None:
    office.has("D1", (1, "A", 3), (2, "B", 1))
    office.take("shipments", shipped("A", 1, "T1"))
    office.take("shipments", shipped("A", 1, "T2"))
    (call,) = close_short(office.pos["D1"], wire)
    packages = [("s-3", "T1", [("A", 1)]), ("s-3", "T2", [("A", 1)])]
    assert said(call) == ("complete", [wire.complete_body("D1", packages)], (1, 2))


def test_acknowledgements_that_wait_are_accepted_with_their_dates(office: Any) -> None:
    office.take("acknowledgements", acknowledged("A", 1, estimated_ship_date=NOON))
    accept, date = close_short(office.pos["D1"], wire)
    assert said(accept) == ("mark_accepted", [wire.mark_record("D1", [(1, 1)])], (1,))
    assert said(date) == ("update_est_ship_date", [wire.ship_date_record("D1", NOON, [(1, 1)])], ())


def test_calls_stand_in_the_order_of_a_pos_way(office: Any) -> None:
    office.has("D1", (1, "A", 2), (2, "B", 1), status="ready")
    office.take("shipments", shipped("A", 1, "T1"))
    office.take("acknowledgements", acknowledged("A", 2))
    office.take("submissions", acknowledged("A", 1))
    actions = [said(call)[0] for call in close_short(office.pos["D1"], wire)]
    assert actions == ["mark_submitted", "mark_accepted", "complete"]


def test_what_the_vendor_refuses_stays(office: Any) -> None:
    office.take("acknowledgements", acknowledged("A", 2, status="rejected"))
    assert close_short(office.pos["D1"], wire) == []
