"""Ship dates: one record a PO and date, said again only where RetailOps was told something else."""

from __future__ import annotations

from typing import Any

NOON = 1_800_014_400_000_000  # 2027-01-15T12:00:00Z
DAY = 86_400_000_000


def row(vpc: str = "", quantity: int | None = None, day: int = 15, **more: Any) -> dict[str, Any]:
    found = {"po": "D1", "vpc": vpc, "quantity": quantity, "estimated_ship_date": NOON + (day - 15) * DAY}
    return found | more


def dated(po: str, day: int, **items: int) -> Any:
    """A record of UpdateEstShipDate; items are named by their ids, as `_1`."""
    told = [{"po_item_id": int(i[1:]), "quantity": q} for i, q in items.items()]
    return {"po": po, "estimated_ship_date": f"2027-01-{day}T12:00:00Z", "items": told}


def test_a_row_that_names_only_the_po_dates_all_of_it(office: Any) -> None:
    planned = office.plan("ship-dates", row())
    assert planned.sent == [("update_est_ship_date", [dated("D1", 15, _1=2, _2=1)])]


def test_one_record_a_po_and_date_and_one_call(office: Any) -> None:
    office.has("D2", (9, "A", 1))
    planned = office.plan("ship-dates", row("B"), row(po="D2"), row("A", 1), row("A", 1, day=17))
    assert planned.sent == [
        ("update_est_ship_date", [dated("D1", 15, _1=1, _2=1), dated("D1", 17, _1=1), dated("D2", 15, _9=1)])
    ]
    assert set(planned.outcomes.values()) == {"call"}


def test_an_item_without_a_quantity_means_the_ordered_one(office: Any) -> None:
    planned = office.plan("ship-dates", row("A"), row(po_item_id="2"))
    assert planned.sent == [("update_est_ship_date", [dated("D1", 15, _1=2, _2=1)])]


def test_a_row_a_line_of_one_vpc_without_quantities_is_said_once(office: Any) -> None:
    office.has("D2", (1, "A", 2), (2, "A", 3))
    planned = office.plan("ship-dates", row("A", po="D2"), row("A", po="D2"), row("A", po="D2"))
    assert planned.sent == [("update_est_ship_date", [dated("D2", 15, _1=2, _2=3)])]
    assert planned.outcomes == {2: "call", 3: "call", 4: "call"}


def test_a_date_of_a_part_is_sent_without_the_rest(office: Any) -> None:
    assert office.plan("ship-dates", row("A", 1)).sent == [("update_est_ship_date", [dated("D1", 15, _1=1)])]


def test_what_cannot_go_keeps_its_po_back(office: Any) -> None:
    office.has("D2", (9, "A", 1))
    office.unknown = frozenset({"X"})
    rows = (row("A", 3), row("B"), row(po="X"), row("C", po="D2"), row("A", 1, po="D2"))
    planned = office.plan("ship-dates", *rows)
    assert planned.codes == {
        2: ["too_many_units"],
        3: ["group_rejected"],
        4: ["unknown_po"],
        5: ["unknown_item"],
        6: ["group_rejected"],
    }
    assert planned.plan.calls == ()
    assert office.plan("ship-dates", row("A"), bad={"D1": 3}).codes == {2: ["group_rejected"]}


def test_two_dates_for_the_same_units_are_refused(office: Any) -> None:
    planned = office.plan("ship-dates", row("B"), row("B", day=17))
    assert planned.codes == {2: ["too_many_units"], 3: ["too_many_units"]}


def test_a_date_that_was_confirmed_is_unchanged_and_only_what_differs_is_sent(office: Any) -> None:
    office.take("ship-dates", row("A"), row("B"))
    assert office.plan("ship-dates", row()).outcomes == {2: "unchanged"}
    planned = office.take("ship-dates", row("A"), row("B", day=16), row("B", day=16))
    assert planned.sent == [("update_est_ship_date", [dated("D1", 16, _2=1)])]
    assert planned.outcomes == {2: "unchanged", 3: "call", 4: "call"}


def test_there_and_back_again_is_said_each_time(office: Any) -> None:
    for day in (15, 16, 15, 16):
        planned = office.take("ship-dates", row(day=day))
        assert planned.sent == [("update_est_ship_date", [dated("D1", day, _1=2, _2=1)])]
    assert office.take("ship-dates", row(day=16)).sent == []


def test_a_date_for_other_units_is_said(office: Any) -> None:
    office.take("ship-dates", row("A"))
    assert office.plan("ship-dates", row("A", 1)).outcomes == {2: "call"}


def test_a_vendor_on_trial_sends_nothing(office: Any) -> None:
    office.test = True
    planned = office.plan("ship-dates", row())
    assert (planned.plan.calls, planned.outcomes) == ((), {2: "held"})
