"""Vendor.PO.MarkAccepted."""

import pytest

from filebridge.sandbox import Sandbox, State


@pytest.fixture
def submitted(sandbox):
    """The sandbox with all its POs submitted."""
    for po in sandbox.state.pos:
        sandbox.state.change_po(po, fields={"status": "submitted"})
    return sandbox


def statuses(sandbox):
    return {po: one["status"] for po, one in sandbox.state.pos.items()}


def test_a_po_that_is_submitted_becomes_accepted(submitted, client, record):
    assert client.accept(record("D1"), record("D2")).json == {"success": 1}
    assert statuses(submitted) == {"D1": "accepted", "D2": "accepted", "D3": "submitted"}
    assert [(e.action, e.vendor_id, e.key, e.value, e.call_seq) for e in submitted.state.effects] == [
        ("Vendor.PO.MarkAccepted", "27", "D1", {"status": "accepted", "was": "submitted"}, 1),
        ("Vendor.PO.MarkAccepted", "27", "D2", {"status": "accepted", "was": "submitted"}, 1),
    ]


def test_a_repeat_is_an_error_that_names_the_status(submitted, client, record):
    client.accept(record("D1"))
    for records in ([record("D1")], [record("D2"), record("D2")]):
        assert "status: accepted, ineligible for this action" in client.accept(*records).json["ERROR"]
    assert statuses(submitted)["D2"] == "submitted"


@pytest.mark.parametrize("status", ["open", "ready", "accepted", "complete", "canceled"])
def test_any_other_status_is_refused_by_name(sandbox, client, record, status):
    sandbox.state.change_po("D1", fields={"status": status})
    assert f"PO D1 status: {status}, ineligible" in client.accept(record("D1")).json["ERROR"]
    assert sandbox.state.effects == []


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ([{"po_item_id": 456, "quantity": 3}], "po_item_id 456 quantity 3, the PO has 2"),
        ([{"po_item_id": 456, "quantity": 0}], "po_item_id 456 quantity 0, the PO has 2"),
        ([{"po_item_id": 456}], "po_item_id 456 quantity None"),
        ([{"po_item_id": 999, "quantity": 1}], "po_item_id 999 is not on the PO"),
        ([{"po_item_id": 456, "quantity": 1}, {"po_item_id": "456", "quantity": 1}], "is given twice"),
        ([], "items is empty"),
        (None, "items must be an array of objects"),
    ],
)
def test_items_that_are_not_on_the_po_or_too_many_are_an_error(submitted, client, items, words):
    error = client.accept({"po": "D1", "items": items}).json["ERROR"]
    assert error.startswith("for field idx 0: PO D1 items do not match: ")
    assert words in error
    assert submitted.state.effects == []


def test_a_part_of_a_po_is_taken_or_refused_as_it_is_set(submitted, client):
    part = {"po": "D1", "items": [{"po_item_id": "456", "quantity": "1"}]}
    client.control("POST", "settings", {"short_accept": "refuse"})
    assert "quantity 1, the PO has 2" in client.accept(part).json["ERROR"]
    part["items"][0]["quantity"] = "2"
    assert "po_item_id 457 is missing" in client.accept(part).json["ERROR"]
    client.control("POST", "settings", {"short_accept": "accept"})
    assert client.accept(part).json == {"success": 1}
    held = submitted.state.po("D1")
    assert (held["status"], held["accepted_items"]) == ("accepted", part["items"])
    assert [item["quantity"] for item in held["items"]] == [2, 1]
    assert "accepted_items" not in client.fetch(status="accepted").json["records"][0]


def test_a_po_is_edited_between_submit_and_accept(submitted, client, record):
    items = [{"po_item_id": 456, "vpc": "MAR-1", "quantity": 1}]
    submitted.faults.add(action="fetch", kind="edit_po", po="D1", items=items)
    client.fetch(status="submitted")
    assert "quantity 2, the PO has 1" in client.accept(record("D1")).json["ERROR"]
    assert client.accept(record("D1", 1)).json == {"success": 1}


def test_one_bad_record_refuses_the_whole_call_or_with_per_record_fails_alone(submitted, client, record):
    records = [record("D1"), record("D2", 9, 9), record("D3")]
    assert "for field idx 1" in client.accept(*records).json["ERROR"]
    assert set(statuses(submitted).values()) == {"submitted"}
    client.control("POST", "settings", {"per_record": True})
    answer = client.accept(*records).json["records"]
    assert [(one["po"], one["success"]) for one in answer] == [("D1", 1), ("D2", 0), ("D3", 1)]
    assert statuses(submitted) == {"D1": "accepted", "D2": "submitted", "D3": "accepted"}


def test_a_thousand_pos_are_taken_and_one_more_refuses_them_all(connect, po, record):
    pos = [po(f"D{n}", status="submitted") for n in range(1001)]
    with Sandbox(State(pos)) as sandbox:
        client = connect(sandbox)
        records = [record(one["po"]) for one in pos]
        assert "too many records: 1001" in client.accept(*records).json["ERROR"]
        assert client.accept(*records[:1000]).json == {"success": 1}
        assert len(sandbox.state.effects) == 1000


def test_marking_submitted_still_wants_the_whole_po(client):
    part = {"po": "D1", "items": [{"po_item_id": 456, "quantity": 2}]}
    assert "po_item_id 457 is missing" in client.mark(part).json["ERROR"]
