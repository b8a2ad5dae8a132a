"""Submissions: the vendor says which POs it has taken."""

from __future__ import annotations

from typing import Any

import pytest

from filebridge.planning.known_pos import Mark


def row(vpc: str = "", quantity: int | None = None, **more: Any) -> dict[str, Any]:
    return {"po": "D1", "vpc": vpc, "quantity": quantity} | more


def submitted(po: str, **items: int) -> Any:
    return {"po": po, "items": [{"po_item_id": int(i[1:]), "quantity": q} for i, q in items.items()]}


@pytest.fixture
def ready(office: Any) -> Any:
    return office.has("D1", (1, "A", 2), (2, "B", 1), status="ready").has("D2", (9, "A", 1), status="open")


def test_pos_are_submitted_in_one_call_with_all_their_items(ready: Any) -> None:
    planned = ready.plan("submissions", row(), row(po="D2"), row())
    assert planned.sent == [("mark_submitted", [submitted("D1", _1=2, _2=1), submitted("D2", _9=1)])]
    assert planned.outcomes == {2: "call", 3: "call", 4: "call"}


def test_items_may_be_named_with_or_without_their_units(ready: Any) -> None:
    planned = ready.plan("submissions", row("A"), row(po_item_id="2"))
    assert planned.sent == [("mark_submitted", [submitted("D1", _1=2, _2=1)])]


def test_a_part_waits_for_the_rest_and_both_are_one_mark(ready: Any) -> None:
    assert ready.take("submissions", row("A", 2)).holds == {"D1": "partial_shipment"}
    planned = ready.take("submissions", row("B", 1))
    assert planned.sent == [("mark_submitted", [submitted("D1", _1=2, _2=1)])]
    assert planned.plan.calls[0].joins == (1,)


def test_partial_send_submits_what_there_is(ready: Any) -> None:
    ready.partial = "send"
    assert ready.plan("submissions", row("B")).sent == [("mark_submitted", [submitted("D1", _2=1)])]


@pytest.mark.parametrize("status", ["submitted", "accepted", "complete"])
def test_a_po_that_is_submitted_is_unchanged(ready: Any, status: str) -> None:
    ready.has("D1", (1, "A", 2), status=status)
    assert ready.plan("submissions", row()).outcomes == {2: "unchanged"}


def test_a_po_of_which_the_mark_is_under_way_shares_its_end(ready: Any) -> None:
    ready.has("D1", (1, "A", 2), status="ready", submissions=(Mark(8, is_open=True, units={"1": 2}),))
    planned = ready.plan("submissions", row())
    assert planned.sent == []
    assert [call.follows for call in planned.plan.calls] == [8]


def test_what_cannot_go_is_said(ready: Any) -> None:
    ready.unknown = frozenset({"X"})
    planned = ready.plan("submissions", row(po="X"), row("A", 3), row("C", po="D2"))
    assert planned.codes == {2: ["unknown_po"], 3: ["too_many_units"], 4: ["unknown_item"]}
    assert ready.plan("submissions", row(), bad={"D1": 3}).codes == {2: ["group_rejected"]}


def test_an_acceptance_that_waits_is_no_submission(ready: Any) -> None:
    ready.take("acknowledgements", row("A", 2))
    planned = ready.take("submissions", row())
    assert planned.plan.calls[0].joins == () and planned.plan.replaces == ()
    assert len(ready.pos["D1"].acknowledgements_waiting) == 1
