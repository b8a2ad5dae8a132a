"""Vendor.PO.MarkSubmitted."""

import pytest

from filebridge.sandbox import Sandbox, State, seed_orders


def statuses(sandbox):
    return {po: one["status"] for po, one in sandbox.state.pos.items()}


def test_a_po_that_is_open_or_ready_becomes_submitted(sandbox, client, record):
    sandbox.state.change_po("D2", fields={"status": "open"})
    assert client.mark(record("D1"), record("D2")).json == {"success": 1}
    assert statuses(sandbox) == {"D1": "submitted", "D2": "submitted", "D3": "ready"}
    assert [(e.action, e.vendor_id, e.key, e.value, e.call_seq) for e in sandbox.state.effects] == [
        ("Vendor.PO.MarkSubmitted", "27", "D1", {"status": "submitted", "was": "ready"}, 1),
        ("Vendor.PO.MarkSubmitted", "27", "D2", {"status": "submitted", "was": "open"}, 1),
    ]
    assert sandbox.calls[0].effect_count == 2


def test_a_repeat_is_an_error_that_names_the_status(sandbox, client, record):
    client.mark(record("D1"))
    for records in ([record("D1")], [record("D2"), record("D2")]):
        error = client.mark(*records).json["ERROR"]
        assert "status: submitted" in error
        assert "ineligible for this action" in error
    assert statuses(sandbox)["D2"] == "ready"
    assert [call.took_effect for call in sandbox.calls] == [True, False, False]


@pytest.mark.parametrize("status", ["submitted", "accepted", "complete", "canceled", "receiving"])
def test_any_other_status_is_refused_by_name(sandbox, client, record, status):
    sandbox.state.change_po("D1", fields={"status": status})
    assert f"PO D1 status: {status}, ineligible" in client.mark(record("D1")).json["ERROR"]


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ([{"po_item_id": 456, "quantity": 2}], "po_item_id 457 is missing"),
        (
            [{"po_item_id": 456, "quantity": 2}, {"po_item_id": 457, "quantity": 3}],
            "quantity 3, the PO has 1",
        ),
        ([{"po_item_id": 456, "quantity": 2}, {"po_item_id": 458, "quantity": 1}], "458 is not on the PO"),
        ([{"po_item_id": 456, "quantity": 2}] * 2, "given twice"),
        ([], "456, 457 is missing"),
        (None, "must be an array"),
        (["456"], "must be an array of objects"),
    ],
)
def test_items_that_are_not_those_of_the_po_are_an_error_that_names_it(sandbox, client, items, words):
    error = client.mark({"po": "D1", "items": items}).json["ERROR"]
    assert error.startswith("for field idx 0: PO D1 items do not match")
    assert words in error
    assert sandbox.state.effects == []


def test_ids_and_quantities_may_be_text_and_one_record_may_stand_without_an_array(sandbox, client):
    items = [{"po_item_id": "457", "quantity": "1"}, {"po_item_id": "456", "quantity": "2.0"}]
    body = {"records": {"po": "D1", "items": items}}
    assert client.post("/vendor/po/marksubmitted.json", body).json == {"success": 1}


@pytest.mark.parametrize("po", ["D9", None, "", 7, ["D1"], {"a": 1}])
def test_a_po_that_does_not_exist_is_refused_by_its_place(client, record, po):
    error = client.mark(record("D1"), {"po": po, "items": []}).json["ERROR"]
    assert error.startswith("for field idx 1: invalid po")


@pytest.mark.parametrize("records", [None, "D1", 3])
def test_records_must_be_there(client, records):
    assert (
        "records is required"
        in client.post("/vendor/po/marksubmitted.json", {"records": records}).json["ERROR"]
    )


def test_one_bad_record_refuses_the_whole_call(sandbox, client, record):
    assert "for field idx 1" in client.mark(record("D1"), record("D2", 9, 9), record("D3")).json["ERROR"]
    assert set(statuses(sandbox).values()) == {"ready"}


def test_with_per_record_a_bad_record_fails_alone(sandbox, client, record):
    client.control("POST", "settings", {"per_record": True})
    answer = client.mark(record("D1"), record("D2", 9, 9), record("D3")).json
    assert answer["success"] == 1
    assert [(one["po"], one["success"]) for one in answer["records"]] == [("D1", 1), ("D2", 0), ("D3", 1)]
    assert "PO D2" in answer["records"][1]["ERROR"]
    assert statuses(sandbox) == {"D1": "submitted", "D2": "ready", "D3": "submitted"}


@pytest.mark.parametrize("per_record", [False, True])
def test_a_thousand_pos_are_taken_and_one_more_refuses_them_all(connect, per_record):
    with Sandbox(State(seed_orders(27, 1001))) as sandbox:
        client = connect(sandbox)
        client.control("POST", "settings", {"per_record": per_record})
        fetched = client.fetch(limit=2000).json["records"]
        assert "too many records: 1001" in client.mark(*fetched).json["ERROR"]
        assert sandbox.state.effects == []
        assert client.mark(*fetched[:1000]).json["success"] == 1
        assert len(sandbox.state.effects) == 1000
