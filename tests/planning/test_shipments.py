"""Shipments: rows become packages, packages one Complete a PO, and nothing is sent that was not ordered."""

from __future__ import annotations

from typing import Any

import pytest

from filebridge.documents.ship_classes import Carriers, ShipClass
from filebridge.planning.known import KnownFeed
from filebridge.planning.known_pos import Completion, Waiting


def row(vpc: str = "", quantity: int | None = None, tracking: str = "T1", **more: Any) -> dict[str, Any]:
    found = {"po": "D1", "vpc": vpc, "quantity": quantity, "tracking_number": tracking}
    return found | ({} if "ship_class_id" in more else {"carrier": "UPS Ground"}) | more


def complete(po: str, *packages: tuple[Any, str, dict[str, int]]) -> Any:
    made = [
        {
            "ship_class_id": ship_class,
            "tracking_number": tracking,
            "items": [{"vpc": vpc, "quantity": count} for vpc, count in units.items()],
            "unit_count": sum(units.values()),
        }
        for ship_class, tracking, units in packages
    ]
    return ("complete", [{"po": po, "packages": made}])


# What a PO's rows become


def test_a_row_that_names_only_the_po_ships_every_item_at_its_ordered_quantity(office: Any) -> None:
    planned = office.plan("shipments", row())
    assert planned.sent == [complete("D1", (7, "T1", {"A": 2, "B": 1}))]
    assert planned.outcomes == {2: "call"}


def test_rows_group_into_packages_by_tracking_number_and_units_of_a_vpc_are_added(office: Any) -> None:
    planned = office.plan("shipments", row("A", 1), row("B", 1, "T2"), row("A", 1))
    assert planned.sent == [complete("D1", (7, "T1", {"A": 2}), (7, "T2", {"B": 1}))]


def test_the_package_column_groups_before_the_tracking_number(office: Any) -> None:
    planned = office.plan(
        "shipments", row("A", 1, package="1"), row("A", 1, package="2"), row("B", 1, package="1")
    )
    assert planned.sent == [complete("D1", (7, "T1", {"A": 1, "B": 1}), (7, "T1", {"A": 1}))]


def test_each_po_of_a_file_is_one_call(office: Any) -> None:
    office.has("D2", (9, "A", 1))
    planned = office.plan("shipments", row("A", 2), row("A", 1, "T9", po="D2"), row("B", 1))
    assert planned.sent == [
        complete("D1", (7, "T1", {"A": 2, "B": 1})),
        complete("D2", (7, "T9", {"A": 1})),
    ]
    assert planned.outcomes == {2: "call", 3: "call", 4: "call"}


def test_an_item_is_found_by_its_id(office: Any) -> None:
    planned = office.plan("shipments", row(quantity=2, po_item_id="1"), row(quantity=1, po_item_id="2"))
    assert planned.sent == [complete("D1", (7, "T1", {"A": 2, "B": 1}))]


def test_item_ids_that_are_text_at_retailops_are_found(office: Any) -> None:
    office.has("D2", ("x-1", "A", 1))
    planned = office.plan("shipments", row(quantity=1, po_item_id="x-1", po="D2"))
    assert planned.sent == [complete("D2", (7, "T1", {"A": 1}))]


def test_an_item_id_and_a_vpc_that_disagree_are_refused(office: Any) -> None:
    planned = office.plan("shipments", row("A", 2, po_item_id="1"), row("A", 1, po_item_id="2"))
    assert planned.codes == {2: ["group_rejected"], 3: ["unknown_item"]}
    assert planned.message(3) == "Item 2 of PO D1 is B, and the row says A."
    assert planned.sent == []


def test_two_lines_of_one_vpc_are_one_vpc_in_the_call(office: Any) -> None:
    office.has("D2", (1, "A", 2), (2, "A", 3))
    planned = office.plan("shipments", row("A", 4, po="D2"), row("A", 1, "T2", po="D2"))
    assert planned.packages == {"D2": [(7, "T1", {"A": 4}), (7, "T2", {"A": 1})]}


def test_more_of_a_line_than_was_ordered_of_it_is_refused_though_another_line_has_room(office: Any) -> None:
    office.has("D2", (1, "A", 2), (2, "A", 3))
    planned = office.plan(
        "shipments", row(quantity=3, po_item_id="1", po="D2"), row(quantity=2, po_item_id="2", po="D2")
    )
    assert planned.codes == {2: ["too_many_units"], 3: ["group_rejected"]}
    assert planned.sent == []


def test_a_line_of_no_units_is_not_shipped(office: Any) -> None:
    office.has("D2", (1, "A", 2), (2, "B", 0))
    assert office.plan("shipments", row(po="D2")).packages == {"D2": [(7, "T1", {"A": 2})]}


@pytest.mark.parametrize("items", [(), ((1, "A", 0),)], ids=["no items", "no units"])
def test_a_po_that_holds_nothing_is_not_completed(office: Any, items: Any) -> None:
    office.has("D2", *items)
    planned = office.plan("shipments", row(po="D2"))
    assert planned.sent == []
    assert planned.codes == {2: ["unknown_item"]}


# What is refused


def test_more_units_than_ordered_marks_every_row_of_that_vpc_and_po(office: Any) -> None:
    office.has("D2", (9, "A", 9))
    planned = office.plan(
        "shipments", row("A", 2), row("B", 1), row("A", 1, "T2"), row("A", 9, po="D2"), bad={}
    )
    assert planned.codes == {2: ["too_many_units"], 3: ["group_rejected"], 4: ["too_many_units"]}
    assert planned.message(2) == (
        "The file says 3 units of A for PO D1; the PO holds 2: A (2 units, item 1), B (1 unit, item 2)."
    )
    assert planned.packages == {"D2": [(7, "T1", {"A": 9})]}


def test_an_unknown_po_is_refused_and_the_others_go(office: Any) -> None:
    office.unknown = frozenset({"X9"})
    planned = office.plan("shipments", row(po="X9"), row(po="X9"), row())
    assert planned.codes == {2: ["unknown_po"], 3: ["unknown_po"]}
    assert planned.outcomes[4] == "call"


def test_a_vpc_that_is_not_on_the_po_is_told_what_the_po_holds(office: Any) -> None:
    planned = office.plan("shipments", row("A", 2), row("C", 1))
    assert planned.codes == {2: ["group_rejected"], 3: ["unknown_item"]}
    assert planned.message(3) == "PO D1 has no C; it holds A (2 units, item 1), B (1 unit, item 2)."


def test_an_item_id_that_is_not_on_the_po_is_told_what_the_po_holds(office: Any) -> None:
    planned = office.plan("shipments", row(quantity=1, po_item_id="77"))
    assert planned.codes == {2: ["unknown_item"]}
    assert "no item 77; it holds A (2 units, item 1)" in planned.message(2)


def test_a_row_that_names_an_item_needs_a_quantity_and_one_with_a_quantity_an_item(office: Any) -> None:
    planned = office.plan("shipments", row("A"), row(quantity=1), row("B", 0))
    assert planned.codes == {2: ["required"], 3: ["required"], 4: ["out_of_range"]}


def test_a_po_with_a_row_that_could_not_be_read_is_not_sent(office: Any) -> None:
    planned = office.plan("shipments", row("A", 2), row("B", 1), bad={"D1": 4})
    assert planned.codes == {2: ["group_rejected"], 3: ["group_rejected"]}
    assert planned.message(2).startswith("Row 4 of PO D1 was rejected, and a PO is sent whole or not at all.")
    assert planned.plan.calls == ()


# Packages


def test_a_package_with_two_tracking_numbers_or_two_carriers_is_refused(office: Any) -> None:
    planned = office.plan("shipments", row("A", 2, package="1"), row("B", 1, "T2", package="1"))
    assert planned.codes == {2: ["conflicting_rows"], 3: ["conflicting_rows"]}
    assert planned.message(2) == "The rows of package 1 name 2 tracking numbers: T1, T2."
    planned = office.plan("shipments", row("A", 2), row("B", 1, carrier="Truck"))
    assert planned.codes == {2: ["conflicting_rows"], 3: ["conflicting_rows"]}
    assert (
        planned.message(2)
        == "The rows of package T1 name 2 ship classes: 7, s-3. This file says UPS Ground, Truck."
    )


def test_unit_count_agrees_with_its_package_or_its_rows_are_refused(office: Any) -> None:
    rows = [row("A", 2, unit_count=3), row("B", 1, unit_count=3)]
    assert office.plan("shipments", *rows).outcomes == {2: "call", 3: "call"}
    planned = office.plan("shipments", row("A", 2, unit_count=2), row("B", 1, "T2", unit_count=2))
    assert planned.codes == {2: ["group_rejected"], 3: ["conflicting_rows"]}
    assert planned.message(3) == "unit_count says 2 units, and the rows of package T2 are 1."


@pytest.mark.parametrize("cell", ["T1,T2,T3", "T1; T2 / T3", "T1\nT2\nT3\n"])
def test_as_many_parcels_in_a_cell_as_units_is_one_unit_a_parcel(office: Any, cell: str) -> None:
    planned = office.plan("shipments", row(tracking=cell), split=",;/\n")
    assert planned.packages == {"D1": [(7, "T1", {"A": 1}), (7, "T2", {"A": 1}), (7, "T3", {"B": 1})]}


def test_one_parcel_in_a_cell_that_may_hold_several_holds_all_units(office: Any) -> None:
    planned = office.plan("shipments", row("A", 2, "T1,"), row("B", 1, "T2"), split=",")
    assert planned.packages == {"D1": [(7, "T1", {"A": 2}), (7, "T2", {"B": 1})]}


def test_parcels_that_do_not_fit_the_units_are_refused(office: Any) -> None:
    planned = office.plan("shipments", row("A", 2, "T1,T2,T3"), row("B", 1), split=",")
    assert planned.codes == {2: ["cannot_split"], 3: ["group_rejected"]}
    assert planned.message(2).startswith("The cell names 3 parcels and the row 2 units:")


def test_a_damaged_parcel_in_a_cell_is_refused(office: Any) -> None:
    planned = office.plan("shipments", row("A", 2, "T1,7.9E+17"), row("B", 1), split=",")
    assert planned.codes == {2: ["damaged_identifier"], 3: ["group_rejected"]}


def test_marks_alone_are_no_tracking_number(office: Any) -> None:
    assert office.plan("shipments", row(tracking=" , ;"), split=",;").codes == {2: ["required"]}


def test_without_split_a_cell_is_one_tracking_number(office: Any) -> None:
    assert office.plan("shipments", row(tracking="T1,T2")).packages["D1"] == [(7, "T1,T2", {"A": 2, "B": 1})]


# Carriers


@pytest.mark.parametrize(
    ("word", "ship_class"),
    [("Brown", 7), ("b.r o-w n", 7), ("UPS Ground", 7), ("ups-ground", 7), ("TRUCK", "s-3")],
)
def test_a_carrier_is_a_line_of_the_crosswalk_or_retailops_own_name(
    office: Any, word: str, ship_class: Any
) -> None:
    assert office.plan("shipments", row(carrier=word)).packages["D1"][0][0] == ship_class


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("FedEx 2Day", "the ids 60 and 94"),
        ("Pigeon", "carriers.yaml"),
        ("Gone", "999"),
        ("Old Post", "inactive"),
    ],
    ids=["ambiguous", "unknown", "its class vanished", "inactive"],
)
def test_a_carrier_that_is_not_clear_is_refused_with_what_to_do(office: Any, word: str, said: str) -> None:
    planned = office.plan("shipments", row("A", 2, carrier=word), row("B", 1))
    assert planned.codes == {2: ["not_in_crosswalk"], 3: ["group_rejected"]}
    assert said in planned.message(2)
    assert planned.sent == []


@pytest.mark.parametrize(("cell", "ship_class"), [("94", 94), ("s-3", "s-3")])
def test_a_ship_class_id_is_taken_as_retailops_has_it(office: Any, cell: str, ship_class: Any) -> None:
    assert office.plan("shipments", row(ship_class_id=cell)).packages["D1"][0][0] == ship_class


def test_a_ship_class_id_decides_over_the_carrier_and_must_exist(office: Any) -> None:
    both = row(ship_class_id="94", carrier="UPS Ground")
    assert office.plan("shipments", both).packages["D1"][0][0] == 94
    planned = office.plan("shipments", row(ship_class_id="7000", carrier="UPS Ground"))
    assert planned.codes == {2: ["not_in_crosswalk"]}


def test_a_row_without_a_carrier_is_refused(office: Any) -> None:
    planned = office.plan("shipments", row("A", 2), row("B", 1, carrier=""))
    assert planned.codes == {2: ["group_rejected"], 3: ["required"]}


def test_while_no_classes_are_fetched_rows_are_not_judged(office: Any) -> None:
    office.carriers = None
    planned = office.plan("shipments", row("A", 2), row("B", 1))
    assert planned.outcomes == {2: "pending", 3: "pending"}
    assert planned.codes == {2: ["not_fetched"], 3: ["not_fetched"]}


def test_a_po_that_was_not_looked_up_is_not_judged(office: Any) -> None:
    planned = office.plan("shipments", row(po="D8"), row())
    assert planned.outcomes == {2: "pending", 3: "call"}
    assert planned.codes == {2: ["not_fetched"]}


# A part of a PO


def test_a_part_of_a_po_waits_and_says_for_what(office: Any) -> None:
    planned = office.plan("shipments", row("A", 1))
    assert (planned.sent, planned.outcomes) == ([], {2: "waits"})
    (hold,) = [call.waits for call in planned.plan.calls]
    assert (hold.code, hold.message) == (
        "partial_shipment",
        "PO D1 waits for its other rows: 1 unit of A, 1 unit of B to come.",
    )


def test_partial_send_completes_with_what_there_is(office: Any) -> None:
    office.partial = "send"
    assert office.plan("shipments", row("A", 1)).sent == [complete("D1", (7, "T1", {"A": 1}))]


# A PO that is complete


def test_a_completed_po_dropped_again_is_unchanged(office: Any) -> None:
    rows = [row("A", 2), row("B", 1, "T2")]
    office.take("shipments", *rows)
    for some in (rows, rows[:1], [row("A", 1), row("A", 1)], [row("A", 1)]):
        planned = office.plan("shipments", *some)
        assert planned.plan.calls == ()
        assert set(planned.outcomes.values()) == {"unchanged"}


def test_other_rows_of_a_completed_po_are_too_many_units(office: Any) -> None:
    office.take("shipments", row("A", 2), row("B", 1))
    planned = office.plan("shipments", row("A", 1), row("A", 1, "T9"), row("B", 1))
    assert planned.codes == {2: ["too_many_units"], 3: ["too_many_units"]}
    assert planned.outcomes[4] == "unchanged"
    assert "was completed with other rows" in planned.message(2)


def test_a_po_that_somebody_else_completed_is_told_so(office: Any) -> None:
    office.has("D1", (1, "A", 2), status="complete")
    planned = office.plan("shipments", row("A", 2))
    assert planned.codes == {2: ["too_many_units"]}
    assert "is complete at RetailOps, though no file here completed it" in planned.message(2)


def test_a_po_that_is_being_completed_shares_that_end(office: Any) -> None:
    done = Completion(41, is_open=True, units={("T1", "A"): 2, ("T1", "B"): 1})
    office.has("D1", (1, "A", 2), (2, "B", 1), completions=(done,))
    planned = office.plan("shipments", row("A", 2), row("B", 1))
    assert planned.sent == []
    assert [call.follows for call in planned.plan.calls] == [41]
    assert "is being completed" in office.plan("shipments", row("A", 3)).message(2)


def test_the_same_bytes_again_are_a_duplicate(office: Any) -> None:
    office.take("shipments", row())
    feed = KnownFeed(applied_files=1, last_id="f1", last_sha256="new", last_rows=1)
    assert office.plan("shipments", row(), feed=feed).plan.duplicate_of == "f1"


# The whole file


def test_a_vendor_on_trial_sends_nothing(office: Any) -> None:
    office.test = True
    planned = office.plan("shipments", row("A", 2), row("C", 1, po="D1"), row("A", 1, po="D2"))
    assert planned.plan.calls == ()
    assert planned.plan.hold is not None and planned.plan.hold.code == "test_vendor"
    assert planned.outcomes == {2: "rejected", 3: "rejected", 4: "held"}


def test_on_reject_reject_file_keeps_every_po_back_and_what_waits_waits_on(office: Any) -> None:
    office.take("shipments", row("A", 1))
    office.has("D2", (9, "A", 1))
    office.keys = {"on_reject": "reject_file"}
    planned = office.plan("shipments", row("A", 2), row("B", 1), row("A", 9, po="D2"))
    assert planned.plan.refused is not None and planned.plan.refused[0] == "too_many_rejects"
    assert planned.plan.calls == () and planned.plan.replaces == ()
    assert set(planned.outcomes.values()) == {"rejected"}


def test_a_renamed_class_under_the_same_id_still_goes_by_its_id(office: Any) -> None:
    office.carriers = Carriers((ShipClass(7, "UPS Surface"),), {"Brown": "7"})
    assert office.plan("shipments", row(carrier="Brown")).packages["D1"][0][0] == 7


def test_what_waits_of_a_changed_po_never_ships_more_than_is_ordered_now(office: Any) -> None:
    waits = Waiting(5, "old.csv (f5)", {"po": "D1", "lines": [["A", 2, "T1", 7, ""]]})
    office.has("D1", (1, "A", 1), (2, "B", 1), shipments_waiting=(waits,))
    planned = office.plan("shipments", row("B", 1, "T2"))
    assert planned.sent == []
    assert planned.codes == {2: ["conflicting_rows"]}
    assert "old.csv (f5)" in planned.message(2) and "the PO holds 1" in planned.message(2)


def test_a_parcel_that_was_completed_is_unchanged_though_its_ship_class_is_gone(office: Any) -> None:
    rows = (row("A", 2), row("B", 1))
    office.take("shipments", *rows)
    office.carriers = Carriers((ShipClass(9, "Truck"),))
    assert office.take("shipments", *rows).outcomes == {2: "unchanged", 3: "unchanged"}
