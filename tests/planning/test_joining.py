"""What a file says of a PO beside what waits of it: joined in any order, counted once, sent once."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st


def row(vpc: str, quantity: int, tracking: str = "T1", **more: Any) -> dict[str, Any]:
    return {
        "po": "D1",
        "vpc": vpc,
        "quantity": quantity,
        "tracking_number": tracking,
        "carrier": "UPS Ground",
    } | more


def ack(item: str, quantity: int, **more: Any) -> dict[str, Any]:
    return {"po": "D1", "po_item_id": item, "quantity": quantity} | more


PARTS = ([row("A", 1, "T1")], [row("A", 1, "T2")], [row("B", 1, "T3")])
WHOLE = [(7, "T1", {"A": 1}), (7, "T2", {"A": 1}), (7, "T3", {"B": 1})]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_three_files_in_any_order_are_one_complete(office: Any, order: Any) -> None:
    first, second, last = (office.take("shipments", *PARTS[place]) for place in order)
    assert first.sent == second.sent == []
    assert first.holds == second.holds == {"D1": "partial_shipment"}
    assert sorted(last.packages["D1"], key=str) == WHOLE
    assert last.plan.calls[0].joins == (1, 2)


def test_the_file_that_completes_a_po_carries_what_waited_in_the_order_in_which_it_came(office: Any) -> None:
    office.take("shipments", *PARTS[2])
    planned = office.take("shipments", *PARTS[0], *PARTS[1])
    assert [tracking for _, tracking, _ in planned.packages["D1"]] == ["T3", "T1", "T2"]


def test_a_package_may_come_in_two_files(office: Any) -> None:
    office.take("shipments", row("A", 2, package="1"))
    planned = office.take("shipments", row("B", 1, package="1", unit_count=3))
    assert planned.packages["D1"] == [(7, "T1", {"A": 2, "B": 1})]


def test_the_same_part_again_counts_once(office: Any) -> None:
    office.take("shipments", *PARTS[0])
    again = office.take("shipments", *PARTS[0])
    assert (again.sent, again.plan.replaces, again.outcomes) == ([], (1,), {2: "waits"})
    office.take("shipments", *PARTS[0])
    assert office.take("shipments", *PARTS[1]).sent == []
    assert sorted(office.take("shipments", *PARTS[2]).packages["D1"], key=str) == WHOLE
    assert office.take("shipments", *PARTS[0]).outcomes == {2: "unchanged"}


def test_rows_that_a_waiting_file_says_among_others_have_its_end(office: Any) -> None:
    office.take("shipments", *PARTS[0], *PARTS[2])
    again = office.take("shipments", *PARTS[0])
    assert again.plan.replaces == () and again.outcomes == {2: "waits"}
    assert [(call.follows, call.is_sent) for call in again.plan.calls] == [(1, False)]
    assert sorted(office.take("shipments", *PARTS[1]).packages["D1"], key=str) == WHOLE


def test_what_is_said_again_and_the_rest_of_it_are_one_complete(office: Any) -> None:
    office.take("shipments", *PARTS[0], *PARTS[2])
    planned = office.take("shipments", *PARTS[0], *PARTS[1])
    assert sorted(planned.packages["D1"], key=str) == WHOLE
    assert planned.outcomes == {2: "call", 3: "call"}


def test_a_part_that_is_said_anew_replaces_what_waits(office: Any) -> None:
    office.take("shipments", row("A", 2, "T1"))
    planned = office.take("shipments", row("A", 1, "T1"), row("A", 1, "T2"))
    assert planned.plan.replaces == (1,)
    assert office.take("shipments", *PARTS[2]).packages["D1"] == WHOLE


def test_the_whole_po_said_anew_replaces_what_waits(office: Any) -> None:
    office.take("shipments", row("A", 1, "T1", carrier="Truck"))
    planned = office.take("shipments", row("A", 2, "T1"), row("B", 1, "T1"))
    assert planned.plan.replaces == (1,) and planned.plan.calls[0].joins == ()
    assert planned.packages["D1"] == [(7, "T1", {"A": 2, "B": 1})]


def test_a_part_of_what_waits_that_differs_is_refused(office: Any) -> None:
    office.take("shipments", row("A", 1, "T1"), row("B", 1, "T3"))
    planned = office.take("shipments", row("A", 2, "T1"))
    assert planned.codes == {2: ["conflicting_rows"]}
    assert planned.message(2) == (
        "file-1.csv says 1 unit of A in T1, and waits; this file says 2 units. Drop all rows of the PO again, or "
        "discard what waits."
    )
    assert planned.plan.replaces == ()


@pytest.mark.parametrize("other", [{"carrier": "Truck"}, {"package": "9"}])
def test_a_part_of_what_waits_that_goes_another_way_is_refused(office: Any, other: Any) -> None:
    office.take("shipments", row("A", 1, "T1"), row("B", 1, "T3"))
    planned = office.take("shipments", row("A", 1, "T1", **other), row("A", 1, "T2"))
    assert "conflicting_rows" in planned.codes[2]
    assert planned.codes[3] == ["group_rejected"]


def test_a_package_of_two_files_has_one_tracking_number_and_one_carrier(office: Any) -> None:
    office.take("shipments", row("A", 2, "T1", package="1"))
    planned = office.take("shipments", row("B", 1, "T2", package="1"))
    assert planned.codes == {2: ["conflicting_rows"]}
    assert planned.message(2) == "The rows of package 1 name 2 tracking numbers: T1, T2."
    planned = office.take("shipments", row("B", 1, "T1", package="1", carrier="Truck"))
    assert planned.codes == {2: ["conflicting_rows"]}


def test_more_than_the_rest_is_refused_and_what_waits_waits_on(office: Any) -> None:
    office.take("shipments", *PARTS[0])
    planned = office.take("shipments", row("A", 2, "T2"), row("B", 1, "T2"))
    assert planned.codes == {2: ["too_many_units"], 3: ["group_rejected"]}
    assert "2 units of A for PO D1, and 1 unit wait from file-1.csv; the PO holds 2" in planned.message(2)
    office.take("shipments", *PARTS[1])
    assert sorted(office.take("shipments", *PARTS[2]).packages["D1"], key=str) == WHOLE


def test_a_rejected_part_leaves_what_waits_and_its_correction_completes_the_po(office: Any) -> None:
    office.take("shipments", *PARTS[0], *PARTS[1])
    planned = office.take("shipments", row("B", 1, "T3", carrier="Pigeon"))
    assert planned.codes == {2: ["not_in_crosswalk"]}
    assert office.take("shipments", *PARTS[2]).packages["D1"] == WHOLE


# Acknowledgements


def test_acknowledgements_of_parts_are_one_acceptance_with_the_dates_of_all(office: Any) -> None:
    day = 1_800_000_000_000_000
    office.take("acknowledgements", ack("2", 1, estimated_ship_date=day))
    planned = office.take("acknowledgements", ack("1", 2))
    items = [{"po_item_id": 1, "quantity": 2}, {"po_item_id": 2, "quantity": 1}]
    assert planned.sent == [
        ("mark_accepted", [{"po": "D1", "items": items}]),
        (
            "update_est_ship_date",
            [{"po": "D1", "estimated_ship_date": "2027-01-15T08:00:00Z", "items": items[1:]}],
        ),
    ]
    assert planned.plan.calls[0].joins == (1,)


def test_units_of_an_item_come_in_several_acknowledgements(office: Any) -> None:
    office.has("D1", (1, "A", 3))
    office.take("acknowledgements", ack("1", 1))
    assert office.take("acknowledgements", ack("1", 1)).plan.replaces == (1,)
    planned = office.take("acknowledgements", ack("1", 2))
    assert planned.sent == [("mark_accepted", [{"po": "D1", "items": [{"po_item_id": 1, "quantity": 3}]}])]


def test_units_of_an_item_said_anew_with_no_room_for_both_replace_what_waits(office: Any) -> None:
    office.has("D1", (1, "A", 3))
    office.take("acknowledgements", ack("1", 2))
    planned = office.take("acknowledgements", ack("1", 3))
    assert planned.plan.replaces == (1,)
    assert planned.sent == [("mark_accepted", [{"po": "D1", "items": [{"po_item_id": 1, "quantity": 3}]}])]


def test_a_po_that_is_shipped_leaves_no_acknowledgement_open(office: Any) -> None:
    office.take("acknowledgements", ack("1", 2, status="rejected"))
    planned = office.take("shipments", row("A", 2), row("B", 1))
    assert planned.plan.replaces == (1,)
    assert [action for action, _ in planned.sent] == ["complete"]


def test_an_item_whose_date_is_said_otherwise_by_a_part_is_refused(office: Any) -> None:
    office.has("D1", (1, "A", 2), (2, "B", 1), (3, "C", 1))
    office.take("acknowledgements", ack("1", 2, estimated_ship_date=86_400_000_000), ack("2", 1))
    planned = office.take("acknowledgements", ack("1", 2, estimated_ship_date=172_800_000_000), ack("3", 1))
    assert planned.codes == {2: ["conflicting_rows"], 3: ["group_rejected"]}
    assert "the same units with another ship date or status" in planned.message(2)


def test_an_item_that_was_refused_is_accepted_by_the_whole_po_said_anew(office: Any) -> None:
    refused = office.take("acknowledgements", ack("1", 2, status="rejected"), ack("2", 1))
    assert refused.holds == {"D1": "refused_by_vendor"}
    alone = office.take("acknowledgements", ack("1", 2))
    assert alone.codes == {2: ["conflicting_rows"]}
    planned = office.take("acknowledgements", ack("1", 2), ack("2", 1))
    assert planned.plan.replaces == (1,)
    assert [action for action, _ in planned.sent] == ["mark_accepted"]


def test_what_waits_of_an_item_that_is_on_the_po_no_more_keeps_the_rest(office: Any) -> None:
    office.take("acknowledgements", ack("2", 1))
    waiting = office.pos["D1"].acknowledgements_waiting
    office.has("D1", (1, "A", 2), acknowledgements_waiting=waiting)
    planned = office.take("acknowledgements", ack("1", 2))
    assert planned.codes == {2: ["conflicting_rows"]}
    assert "1 unit of item 2 wait from file-1.csv, and the PO holds 0 by now" in planned.message(2)


# Laws

VPCS = ("A", "B", "C")
PARCELS = ("T1", "T2", "T3", "T4")
ITEMS = st.lists(st.tuples(st.sampled_from(VPCS), st.integers(1, 4)), min_size=1, max_size=4)


@st.composite
def a_po_in_parcels(draw: Any) -> tuple[list[Any], list[dict[str, Any]]]:
    """Items of a PO, and rows that ship all of it: one row for each parcel and VPC."""
    items = [(number, vpc, count) for number, (vpc, count) in enumerate(draw(ITEMS), 1)]
    units: dict[tuple[str, str], int] = {}
    for _, vpc, count in items:
        for _ in range(count):
            key = (vpc, draw(st.sampled_from(PARCELS)))
            units[key] = units.get(key, 0) + 1
    return items, [row(vpc, count, parcel) for (vpc, parcel), count in units.items()]


@settings(max_examples=150, deadline=None)
@given(made=a_po_in_parcels(), data=st.data())
def test_any_split_of_a_po_over_files_in_any_order_is_the_same_single_complete(
    new_office: Any, made: Any, data: Any
) -> None:
    items, rows = made
    whole = new_office().has("D1", *items).take("shipments", *rows)
    rows = data.draw(st.permutations(rows))
    cuts = sorted(data.draw(st.sets(st.integers(1, max(1, len(rows) - 1)))))
    office, sent = new_office().has("D1", *items), []
    for start, end in zip([0, *cuts], [*cuts, len(rows)], strict=True):
        for _ in range(data.draw(st.integers(1, 2))):
            planned = office.take("shipments", *rows[start:end])
            sent += planned.packages.get("D1", [])
            assert set(planned.outcomes.values()) <= {"waits", "call", "unchanged"}
    assert sorted(sent, key=lambda one: one[1]) == sorted(whole.packages["D1"], key=lambda one: one[1])


ROWS = st.lists(
    st.builds(
        row,
        st.sampled_from(("A", "B", "C", "")),
        st.sampled_from((None, 0, 1, 1, 2, 3)),
        st.sampled_from(PARCELS),
        po=st.sampled_from(("D1", "D2", "X")),
        po_item_id=st.sampled_from(("", "", "1", "2", "9")),
        package=st.sampled_from(("", "", "1")),
        carrier=st.sampled_from(("UPS Ground", "UPS Ground", "Truck", "FedEx 2Day", "")),
        unit_count=st.sampled_from((None, None, 1, 2)),
    ),
    max_size=6,
)


@settings(max_examples=150, deadline=None)
@given(
    one=ITEMS,
    other=ITEMS,
    files=st.lists(st.tuples(ROWS, st.booleans()), max_size=4),
    partial=st.sampled_from(("hold", "send")),
)
def test_whatever_files_say_every_row_has_one_end_and_no_more_is_sent_than_was_ordered(
    new_office: Any, one: Any, other: Any, files: Any, partial: str
) -> None:
    office = new_office(unknown=frozenset({"X"}), partial=partial)
    ordered: dict[str, dict[str, int]] = {}
    for po, items in (("D1", one), ("D2", other)):
        office.has(po, *((number, vpc, count) for number, (vpc, count) in enumerate(items, 1)))
        ordered[po] = {vpc: sum(count for own, count in items if own == vpc) for vpc, _ in items}
    completed: list[str] = []
    for rows, has_bad in files:
        planned = office.take("shipments", *rows, bad={"D1": 2 + len(rows)} if has_bad else {})
        outcomes = planned.outcomes
        assert sorted(outcomes) == list(range(2, 2 + len(rows) + has_bad))
        called = {number for number, end in outcomes.items() if end in ("call", "waits")}
        ended = {rows[number - 2]["po"] for number in called}
        refused = {rows[number - 2]["po"] for number in planned.codes if number != 2 + len(rows)}
        assert not ended & refused - set(completed)
        assert not (has_bad and "D1" in ended - set(completed))
        for po, packages in planned.packages.items():
            assert packages and po not in completed
            sent = {vpc: sum(units.get(vpc, 0) for _, _, units in packages) for vpc in ordered[po]}
            assert sum(sent.values()) == sum(sum(units.values()) for _, _, units in packages)
            assert all(0 <= sent[vpc] <= count for vpc, count in ordered[po].items())
            assert partial == "send" or sent == ordered[po]
            completed.append(po)
