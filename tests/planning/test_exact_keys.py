"""Identifiers of rows and POs are compared as they are, to the letter."""

from __future__ import annotations

from typing import Any

import pytest

STATED = {
    "shipments": {"tracking_number": "T1", "carrier": "UPS Ground", "quantity": 2},
    "acknowledgements": {"quantity": 2},
    "ship-dates": {"quantity": 2, "estimated_ship_date": 1_800_000_000_000_000},
    "submissions": {"quantity": 2},
}


@pytest.mark.parametrize("document", STATED)
@pytest.mark.parametrize(
    ("key", "code"),
    [
        ({"vpc": "a"}, "unknown_item"),
        ({"vpc": "A "}, "unknown_item"),
        ({"po_item_id": "01"}, "unknown_item"),
    ],
    ids=["case", "space", "zero"],
)
def test_an_item_is_found_by_its_very_vpc_or_id(
    office: Any, document: str, key: dict[str, str], code: str
) -> None:
    planned = office.plan(document, {"po": "D1", **STATED[document], **key})
    assert planned.codes == {2: [code]}
    assert planned.sent == []


@pytest.mark.parametrize("document", STATED)
def test_two_items_that_differ_in_case_alone_are_two(office: Any, document: str) -> None:
    status = "open" if document == "submissions" else "submitted"
    office.has("D2", (1, "A", 2), (2, "a", 2), status=status)
    rows = [{"po": "D2", **STATED[document], "vpc": vpc} for vpc in ("A", "a")]
    planned = office.plan(document, *rows)
    assert planned.codes == {}
    assert len(planned.sent) == 1


@pytest.mark.parametrize("document", STATED)
def test_a_po_is_found_by_its_very_number(office: Any, document: str) -> None:
    office.unknown = frozenset({"d1"})
    planned = office.plan(document, {"po": "d1", **STATED[document], "vpc": "A"})
    assert planned.codes == {2: ["unknown_po"]}
