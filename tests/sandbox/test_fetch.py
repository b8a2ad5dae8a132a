"""Vendor.PO.fetch."""

import pytest

from filebridge.sandbox import Sandbox, Settings, State, seed_orders


def numbers(answer):
    return [po["po"] for po in answer.json["records"]]


@pytest.fixture
def mixed(po):
    """A sandbox with POs of two vendors in several statuses, one of them not due for years."""
    pos = [
        po("D1"),
        po("D2", status="open"),
        po("D3", date_submit="2099-01-01T00:00:00Z"),
        po("D4", status="Submitted"),
        po("E1", vendor_id="28"),
    ]
    with Sandbox(State(pos)) as sandbox:
        yield sandbox


@pytest.mark.parametrize(
    ("status", "found"),
    [
        ("ready", ["D1", "D3"]),
        (["open", "ready"], ["D1", "D2", "D3"]),
        ("READY", ["D1", "D3"]),
        ("submitted", ["D4"]),
        ("nonsense", []),
        ([], []),
        (None, ["D1", "D2", "D3", "D4"]),
    ],
)
def test_status_is_one_word_or_several_and_pos_of_the_future_are_returned(mixed, connect, status, found):
    assert numbers(connect(mixed).fetch(status=status)) == found


@pytest.mark.parametrize("vendor_id", [27, "27", "027", 27.0, " 27 "])
def test_the_vendor_id_may_be_a_number_or_text(mixed, connect, vendor_id):
    assert numbers(connect(mixed).fetch(vendor_id=vendor_id, status="ready")) == ["D1", "D3"]


@pytest.mark.parametrize("vendor_id", [None, "", True, [27]])
def test_a_call_without_a_vendor_is_refused(mixed, connect, vendor_id):
    assert connect(mixed).fetch(vendor_id=vendor_id).json["ERROR"] == "vendor_id is required"


def test_pages_are_cut_by_start_and_limit_and_the_answer_has_no_total(client):
    pages = [numbers(client.fetch(start=start, limit="2")) for start in (0, "2", 4)]
    assert pages == [["D1", "D2"], ["D3"], []]
    assert set(client.fetch(limit=1).json) == {"success", "records"}


@pytest.mark.parametrize(
    ("name", "value"), [("start", -1), ("limit", "many"), ("limit", 1.5), ("start", None)]
)
def test_a_start_or_limit_that_is_no_count_is_refused(client, name, value):
    assert "whole numbers" in client.fetch(**{name: value}).json["ERROR"]


def test_a_page_without_limit_has_100_records_and_max_limit_cuts_silently(connect):
    with Sandbox(State(seed_orders(27, 120)), settings=Settings()) as sandbox:
        client = connect(sandbox)
        assert len(numbers(client.fetch())) == 100
        assert len(numbers(client.fetch(limit=99999))) == 120
        client.control("POST", "settings", {"max_limit": 50})
        assert len(numbers(client.fetch(limit=99999))) == 50


@pytest.mark.parametrize(
    ("flag", "has_items"), [(True, True), (1, True), ("1", True), (False, False), ("0", False)]
)
def test_items_come_only_when_they_are_asked_for(client, flag, has_items):
    assert all(("items" in po) is has_items for po in client.fetch(with_items=flag).json["records"])


def test_ids_and_quantities_are_numbers_or_in_stringly_mode_text(sandbox, client):
    first = client.fetch().json
    assert (first["success"], first["records"][0]["items"][0]["po_item_id"]) == (1, 456)
    client.control("POST", "settings", {"stringly": True})
    first = client.fetch().json
    assert first["success"] == "1"
    assert first["records"][0]["vendor_id"] == "27"
    assert first["records"][0]["items"][0] == {"po_item_id": "456", "vpc": "MAR-1", "quantity": "2"}
    assert sandbox.state.po("D1")["vendor_id"] == 27


def test_the_id_of_an_item_may_be_called_id(sandbox, client, record):
    client.control("POST", "settings", {"item_id_name": "id"})
    assert client.fetch().json["records"][0]["items"][0] == {"id": 456, "vpc": "MAR-1", "quantity": 2}
    assert client.mark(record("D1")).json == {"success": 1}


def test_a_fetch_changes_nothing(sandbox, client):
    client.fetch()
    assert sandbox.state.effects == []
    assert not sandbox.calls[0].took_effect
