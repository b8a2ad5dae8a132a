"""When a PO is said to wait too long: once, at the first look after its time, and from the first rows on."""

from typing import Any

SHIPMENTS = """\
document: shipments
match: ["ship*"]
fields: {po: PO, vpc: Item, quantity: Qty, tracking_number: Tracking, carrier: Via}
hold_for: 2d
"""
HEAD = "PO,Item,Qty,Tracking,Via\n"
DAY = 86_400


def start(house: Any, *pos: str) -> None:
    house.pack({"shipments.yaml": SHIPMENTS})
    items = [
        {"po_item_id": 1, "vpc": "A", "quantity": 2},
        {"po_item_id": 2, "vpc": "B", "quantity": 1},
    ]
    date = "2026-11-20T17:00:00Z"
    house.sandbox.state.add_pos(
        [
            {"po": po, "vendor_id": 27, "status": "submitted", "date_submit": date, "items": items}
            for po in pos
        ]
    )


def rows(*pos: str) -> str:
    return HEAD + "".join(f"{po},A,2,1Z{po},UPS Ground\n" for po in pos)


def said(report: Any) -> list[str]:
    return [note.message for note in report.said]


def test_an_overdue_po_is_said_once_and_ends_that_pass_with_1(house: Any) -> None:
    start(house, "D1")
    house.drop("ship-1.csv", rows("D1"))
    assert (house.run().exit_code, said(house.run())) == (0, [])
    house.clock.move(2 * DAY - 60)
    assert said(house.run()) == []
    house.clock.move(120)
    report = house.run()
    assert report.exit_code == 1
    (message,) = said(report)
    assert message == (
        "PO D1: its shipment waits for its other rows since Mon 23 Nov 05:00, longer than 2 days. 1 unit of B to come. "
        "Send them, or what is there:  filebridge orders close D1 --short"
    )
    house.clock.move(60)
    assert (house.run().exit_code, said(house.run())) == (0, [])


def test_saying_the_same_again_every_day_keeps_nothing_from_being_overdue(house: Any) -> None:
    start(house, "D1")
    heard = []
    for day in range(4):
        house.drop(f"ship-{day}.csv", rows("D1"))
        heard += said(house.run())
        house.clock.move(DAY)
    assert len(heard) == 1


def test_a_po_that_is_completed_in_time_is_not_said(house: Any) -> None:
    start(house, "D1")
    house.drop("ship-1.csv", rows("D1"))
    house.run()
    house.clock.move(2 * DAY + 60)
    house.drop("ship-2.csv", f"{HEAD}D1,B,1,1ZB,UPS Ground\n")
    report = house.run()
    assert (report.exit_code, said(report)) == (0, [])


def test_of_many_at_once_the_first_are_said_one_by_one(house: Any) -> None:
    pos = [f"D{number}" for number in range(1, 9)]
    start(house, *pos)
    house.drop("ship-1.csv", rows(*pos))
    house.run()
    house.clock.move(3 * DAY)
    messages = said(house.run())
    assert len(messages) == 6
    assert (
        messages[-1] == "Also overdue with their other rows: D6, D7 and D8. `filebridge status` lists them."
    )


def test_without_hold_for_nothing_is_ever_overdue(house: Any) -> None:
    start(house, "D1")
    house.pack({"shipments.yaml": SHIPMENTS.replace("hold_for: 2d\n", "")})
    house.drop("ship-1.csv", rows("D1"))
    house.run()
    house.clock.move(300 * DAY)
    report = house.run()
    assert (report.exit_code, said(report)) == (0, [])
