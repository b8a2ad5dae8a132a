"""Acknowledgements: POs accepted as a whole, with their dates after them; what has no call waits for a person."""

from __future__ import annotations

from typing import Any

import pytest

from filebridge.planning.known_pos import Mark

NOON = 1_800_014_400_000_000  # 2027-01-15T12:00:00Z
LATER = NOON + 86_400_000_000


def row(vpc: str = "", quantity: int | None = None, **more: Any) -> dict[str, Any]:
    return {"po": "D1", "vpc": vpc, "quantity": quantity} | more


def accepted(po: str, **items: int) -> Any:
    """A record of MarkAccepted; items are named by their ids, as `_1`."""
    return {"po": po, "items": [{"po_item_id": int(i[1:]), "quantity": q} for i, q in items.items()]}


def dated(po: str, day: int, **items: int) -> Any:
    return accepted(po, **items) | {"estimated_ship_date": f"2027-01-{day}T12:00:00Z"}


def test_a_row_that_names_only_the_po_accepts_all_of_it(office: Any) -> None:
    planned = office.plan("acknowledgements", row())
    assert planned.sent == [("mark_accepted", [accepted("D1", _1=2, _2=1)])]


def test_rows_of_items_are_one_record_in_the_order_of_the_po(office: Any) -> None:
    planned = office.plan("acknowledgements", row("B", 1), row("A", 1), row(quantity=1, po_item_id="1"))
    assert planned.sent == [("mark_accepted", [accepted("D1", _1=2, _2=1)])]
    assert planned.outcomes == {2: "call", 3: "call", 4: "call"}


def test_the_pos_of_a_file_are_one_call_and_their_dates_another(office: Any) -> None:
    office.has("D2", (9, "A", 1))
    planned = office.plan(
        "acknowledgements",
        row(estimated_ship_date=NOON),
        row(po="D2"),
        row("A", 1, po="D3"),
    )
    assert planned.sent == [
        ("mark_accepted", [accepted("D1", _1=2, _2=1), accepted("D2", _9=1)]),
        ("update_est_ship_date", [dated("D1", 15, _1=2, _2=1)]),
    ]
    assert planned.outcomes == {2: "call", 3: "call", 4: "pending"}


def test_a_thousand_pos_a_call(office: Any) -> None:
    pos = [f"P{number}" for number in range(1001)]
    for po in pos:
        office.has(po, (1, "A", 1))
    planned = office.plan("acknowledgements", *(row(po=po, estimated_ship_date=NOON) for po in pos))
    assert [(action, len(records)) for action, records in planned.sent] == [
        ("mark_accepted", 1000),
        ("mark_accepted", 1),
        ("update_est_ship_date", 1000),
        ("update_est_ship_date", 1),
    ]


def test_two_dates_of_a_po_are_two_records(office: Any) -> None:
    planned = office.plan(
        "acknowledgements",
        row("A", 1, estimated_ship_date=NOON),
        row("A", 1, estimated_ship_date=LATER),
        row("B", 1, estimated_ship_date=NOON),
    )
    assert planned.sent == [
        ("mark_accepted", [accepted("D1", _1=2, _2=1)]),
        ("update_est_ship_date", [dated("D1", 15, _1=1, _2=1), dated("D1", 16, _1=1)]),
    ]


def test_two_lines_of_one_vpc_are_filled_one_after_the_other(office: Any) -> None:
    office.has("D2", (1, "A", 2), (2, "A", 3))
    planned = office.plan("acknowledgements", row("A", 5, po="D2"))
    assert planned.sent == [("mark_accepted", [accepted("D2", _1=2, _2=3)])]


def test_a_line_that_is_named_by_its_id_takes_its_units_first(office: Any) -> None:
    office.has("D2", (1, "A", 2), (2, "A", 3))
    planned = office.plan("acknowledgements", row("A", 3, po="D2"), row(po="D2", quantity=2, po_item_id="1"))
    assert planned.sent == [("mark_accepted", [accepted("D2", _1=2, _2=3)])]


def test_more_than_was_ordered_of_a_vpc_or_of_a_line_is_refused(office: Any) -> None:
    office.has("D2", (1, "A", 2), (2, "A", 3))
    planned = office.plan("acknowledgements", row("A", 3), row("B", 1), row("A", 6, po="D2"))
    assert planned.codes == {2: ["too_many_units"], 3: ["group_rejected"], 4: ["too_many_units"]}
    planned = office.plan("acknowledgements", row(quantity=4, po="D2", po_item_id="1"))
    assert planned.codes == {2: ["too_many_units"]}
    assert "4 units of item 1 for PO D2, which has 2" in planned.message(2)


def test_what_is_not_on_the_po_is_refused_with_what_is(office: Any) -> None:
    planned = office.plan("acknowledgements", row("C", 1), row("A", 2), row("B", 1, po_item_id="1"))
    assert planned.codes == {2: ["unknown_item"], 3: ["group_rejected"], 4: ["unknown_item"]}
    assert planned.message(2) == "PO D1 has no C; it holds A (2 units, item 1), B (1 unit, item 2)."


def test_an_item_needs_a_quantity(office: Any) -> None:
    assert office.plan("acknowledgements", row("A")).codes == {2: ["required"]}


def test_a_po_that_holds_nothing_is_not_accepted(office: Any) -> None:
    office.has("D2")
    planned = office.plan("acknowledgements", row(po="D2"))
    assert (planned.sent, planned.codes) == ([], {2: ["unknown_item"]})


def test_a_bad_row_keeps_its_po_back_and_no_other(office: Any) -> None:
    office.has("D2", (9, "A", 1))
    planned = office.plan("acknowledgements", row("A", 2), row("B", 1), row(po="D2"), bad={"D1": 5})
    assert planned.codes == {2: ["group_rejected"], 3: ["group_rejected"]}
    assert planned.sent == [("mark_accepted", [accepted("D2", _9=1)])]


# Parts and statuses


def test_a_part_waits_for_the_rest(office: Any) -> None:
    planned = office.plan("acknowledgements", row("A", 2))
    (call,) = planned.plan.calls
    assert (call.waits.code, call.waits.message) == (
        "partial_shipment",
        "PO D1 waits for its other rows: it is accepted as a whole, and 1 unit of B to come.",
    )


def test_partial_send_accepts_what_there_is(office: Any) -> None:
    office.partial = "send"
    planned = office.plan("acknowledgements", row("A", 1))
    assert planned.sent == [("mark_accepted", [accepted("D1", _1=1)])]


@pytest.mark.parametrize("partial", ["hold", "send"])
def test_one_refused_item_holds_its_whole_po_for_a_person(office: Any, partial: str) -> None:
    office.partial = partial
    planned = office.plan("acknowledgements", row("A", 2), row("B", 1, status=" Rejected "))
    assert (planned.sent, planned.outcomes) == ([], {2: "waits", 3: "waits"})
    assert planned.holds == {"D1": "refused_by_vendor"}
    assert "refuses B (item 2) of PO D1" in planned.plan.calls[0].waits.message


def test_no_units_of_an_item_that_is_refused_mean_all_of_it(office: Any) -> None:
    planned = office.take(
        "acknowledgements",
        {"po": "D1", "vpc": "A", "quantity": 2},
        {"po": "D1", "vpc": "B", "quantity": 0, "status": "rejected"},
    )
    assert planned.outcomes == {2: "waits", 3: "waits"}
    assert planned.holds == {"D1": "refused_by_vendor"}
    accepted = office.take("acknowledgements", {"po": "D1", "vpc": "B", "quantity": 0})
    assert accepted.codes == {2: ["out_of_range"]}


def test_a_back_order_with_a_date_is_accepted_with_it_and_held_without(office: Any) -> None:
    planned = office.plan(
        "acknowledgements", row("A", 2, status="backordered", estimated_ship_date=NOON), row("B", 1)
    )
    assert planned.sent == [
        ("mark_accepted", [accepted("D1", _1=2, _2=1)]),
        ("update_est_ship_date", [dated("D1", 15, _1=2)]),
    ]
    planned = office.plan("acknowledgements", row("A", 2, status="backordered"), row("B", 1))
    assert planned.holds == {"D1": "refused_by_vendor"}
    assert "has back-ordered, without a date, A (item 1)" in planned.plan.calls[0].waits.message


def test_another_word_is_no_status(office: Any) -> None:
    planned = office.plan("acknowledgements", row("A", 2, status="maybe"), row("B", 1))
    assert planned.codes == {2: ["not_in_crosswalk"], 3: ["group_rejected"]}
    assert "'maybe' is no status" in planned.message(2)


# A PO that is accepted already


def test_an_accepted_po_again_is_unchanged(office: Any) -> None:
    office.take("acknowledgements", row("A", 2, estimated_ship_date=NOON), row("B", 1))
    for rows in ([row()], [row("A", 2)], [row("A", 2, estimated_ship_date=NOON), row("B", 1)]):
        planned = office.plan("acknowledgements", *rows)
        assert (planned.plan.calls, set(planned.outcomes.values())) == ((), {"unchanged"})


def test_a_new_date_of_an_accepted_po_is_sent_alone(office: Any) -> None:
    office.take("acknowledgements", row(estimated_ship_date=NOON))
    planned = office.plan("acknowledgements", row(estimated_ship_date=LATER))
    assert planned.sent == [("update_est_ship_date", [dated("D1", 16, _1=2, _2=1)])]
    assert planned.outcomes == {2: "call"}


def test_a_date_that_was_not_confirmed_is_sent_alone(office: Any) -> None:
    office.has("D1", (1, "A", 2), acceptances=(Mark(3, is_open=False, units={"1": 2}),), status="accepted")
    planned = office.plan("acknowledgements", row(estimated_ship_date=NOON))
    assert planned.sent == [("update_est_ship_date", [dated("D1", 15, _1=2)])]


@pytest.mark.parametrize("status", ["accepted", "receiving", "complete"])
def test_a_po_that_retailops_has_accepted_is_unchanged(office: Any, status: str) -> None:
    office.has("D1", (1, "A", 2), status=status)
    assert office.plan("acknowledgements", row()).outcomes == {2: "unchanged"}


@pytest.mark.parametrize("refusal", [{"status": "rejected"}, {"status": "backordered"}])
def test_an_acceptance_cannot_be_taken_back(office: Any, refusal: dict[str, str]) -> None:
    office.take("acknowledgements", row())
    planned = office.plan("acknowledgements", row("A", 2, **refusal), row("B", 1))
    assert planned.codes == {2: ["too_many_units"], 3: ["group_rejected"]}
    assert "cannot be taken back here" in planned.message(2)


def test_an_accepted_po_takes_no_further_units(office: Any) -> None:
    office.partial = "send"
    office.take("acknowledgements", row("A", 1))
    planned = office.plan("acknowledgements", row("A", 2))
    assert planned.codes == {2: ["too_many_units"]}
    assert "was accepted with 1 unit of item 1, and that is final" in planned.message(2)


def test_more_than_was_ordered_is_refused_of_a_po_that_somebody_else_accepted(office: Any) -> None:
    office.has("D1", (1, "A", 2), status="accepted")
    planned = office.plan("acknowledgements", row("A", 3, estimated_ship_date=NOON))
    assert (planned.sent, planned.codes) == ([], {2: ["too_many_units"]})


def test_a_po_that_is_being_accepted_shares_that_end(office: Any) -> None:
    mark = Mark(41, is_open=True, units={"1": 2, "2": 1})
    office.has("D1", (1, "A", 2), (2, "B", 1), acceptances=(mark,))
    planned = office.plan("acknowledgements", row())
    assert planned.sent == []
    assert [call.follows for call in planned.plan.calls] == [41]


def test_a_vendor_on_trial_sends_nothing_and_keeps_nothing(office: Any) -> None:
    office.test = True
    planned = office.plan("acknowledgements", row("A", 1), row(po="D3"))
    assert planned.plan.calls == ()
    assert set(planned.outcomes.values()) == {"held"}
