"""What RetailOps would show its people."""

import pytest

from filebridge.sandbox import DEFAULT_KEY, Sandbox, State, seed_orders


@pytest.fixture
def shipped(sandbox, client, record, package):
    """A client whose D1 was submitted, dated, accepted in part and shipped in two packages."""
    client.mark(record("D1"))
    client.date(record("D1") | {"estimated_ship_date": "2026-12-01T17:00:00Z"})
    client.accept({"po": "D1", "items": [{"po_item_id": 456, "quantity": 2}]})
    client.complete(
        "D1", package({"MAR-1": 2}, ship_class_id=7), package({"00120": 1}, tracking_number="9400\n1")
    )
    client.complete("D1", package())
    client.update(("MAR-1", 7))
    client.update(("00120", 3), ("MAR-1", 6))
    return client


def test_the_page_shows_pos_with_their_dates_and_packages(shipped):
    text = shipped.control("GET", "").text
    assert (
        "PURCHASE ORDERS: 1 complete, 2 ready\n"
        "  D1             vendor 27     complete   2 items, 3 units, due 2026-01-02T03:04:05Z, "
        "ships 2026-12-01T17:00:00Z\n"
        "      accepted: 456 x 2\n"
        "      package 1Z8420010000000011: FedEx Ground (7), 2 units: MAR-1 x 2\n"
        "      package '9400\\n1': UPS Ground (62), 1 units: 00120 x 1\n"
        "  D2             vendor 27     ready " in text
    )


def test_the_page_shows_the_latest_quantities_last_and_the_calls_with_what_was_said(shipped):
    lines = shipped.control("GET", "").text.splitlines()
    place = lines.index("INVENTORY ADVICE: 2 VPCs")
    assert [line.split()[2:4] for line in lines[place + 1 : place + 3]] == [
        ["'00120'", "3"],
        ["'MAR-1'", "6"],
    ]
    assert "CALLS since it was started: 7" in lines
    [refused] = [line for line in lines if line.startswith("  #5 ")]
    assert refused.endswith(
        "Vendor.PO.Complete 200, 0 changes: PO D1 status: complete, ineligible for this action"
    )
    assert "/_sandbox/view" in lines[-1]


def test_the_same_comes_as_json(shipped):
    seen = shipped.control("GET", "view").json
    first = seen["pos"][0]
    assert (first["po"], first["status"], first["units"]) == ("D1", "complete", 3)
    assert first["estimated_ship_date"] == "2026-12-01T17:00:00Z"
    assert [(one["tracking_number"], one["ship_class_name"]) for one in first["packages"]] == [
        ("1Z8420010000000011", "FedEx Ground"),
        ("9400\n1", "UPS Ground"),
    ]
    assert seen["po_counts"] == {"complete": 1, "ready": 2}
    assert [(one["vpc"], one["quantity"]) for one in seen["quantities"]] == [("00120", 3), ("MAR-1", 6)]
    assert all(one["at"].endswith("Z") for one in seen["quantities"])
    assert [call["effect_count"] for call in seen["calls"]] == [1, 1, 1, 1, 0, 1, 2]
    assert seen["calls"][4]["error"] == "PO D1 status: complete, ineligible for this action"
    assert (seen["call_count"], seen["held"], seen["late"], seen["faults"]) == (7, 0, 0, 0)
    assert seen["settings"]["short_complete"] == "accept"


def test_a_package_whose_class_has_gone_says_so(shipped):
    shipped.control("POST", "ship_classes/change", {"id": 7, "remove": True})
    assert "no such class any more (7), 2 units" in shipped.control("GET", "").text
    assert shipped.control("GET", "view").json["pos"][0]["packages"][0]["ship_class_name"] is None


def test_the_newest_are_shown_and_more_when_they_are_asked_for(connect):
    with Sandbox(State(seed_orders(27, 40))) as sandbox:
        client = connect(sandbox)
        text = client.control("GET", "").text
        assert ("D2700040" in text, "D2700015 " in text, "  … 15 earlier ones" in text) == (True, False, True)
        assert "earlier ones" not in client.control("GET", "?shown=40").text
        assert len(client.control("GET", "view?shown=3").json["pos"]) == 3
        assert client.control("GET", "view?shown=0").json["pos"] == []
        assert client.control("GET", "view?shown=x").status == 400


def test_the_key_stands_neither_on_the_page_nor_in_its_json(shipped):
    shipped.post(f"/vendor/po/complete.json?apikey={DEFAULT_KEY}", {"po": "D1"})
    shipped.post(f"/no/such.json?apikey={DEFAULT_KEY}", {})
    for route in ("", "view", "ship_classes"):
        assert DEFAULT_KEY not in shipped.control("GET", route).text
