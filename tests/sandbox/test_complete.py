"""Vendor.PO.Complete."""

import pytest

COMPLETE = "/vendor/po/complete.json"


@pytest.fixture
def submitted(sandbox):
    """The sandbox with D1 submitted."""
    sandbox.state.change_po("D1", fields={"status": "submitted"})
    return sandbox


def error_of(client, *packages):
    return client.complete("D1", *packages).json["ERROR"]


@pytest.mark.parametrize("status", ["submitted", "accepted", "Submitted"])
def test_a_po_that_is_submitted_or_accepted_becomes_complete_with_its_packages(
    sandbox, client, package, status
):
    sandbox.state.change_po("D1", fields={"status": status})
    packages = [package({"MAR-1": 2}), package({"00120": 1}, ship_class_id=57, tracking_number="1ZB")]
    assert client.complete("D1", *packages).json == {"success": 1}
    held = sandbox.state.po("D1")
    assert (held["status"], held["packages"]) == ("complete", packages)
    assert [(e.action, e.vendor_id, e.key, e.value) for e in sandbox.state.effects] == [
        ("Vendor.PO.Complete", "27", "D1", {"po": "D1", "packages": packages})
    ]
    assert sandbox.calls[0].effect_count == 1


def test_a_repeat_is_an_error_that_names_the_status(submitted, client, package):
    client.complete("D1", package())
    assert error_of(client, package()) == "PO D1 status: complete, ineligible for this action"
    assert [call.took_effect for call in submitted.calls] == [True, False]


@pytest.mark.parametrize("status", ["open", "ready", "complete", "canceled", "receiving"])
def test_any_other_status_is_refused_by_name(sandbox, client, package, status):
    sandbox.state.change_po("D1", fields={"status": status})
    assert error_of(client, package()) == f"PO D1 status: {status}, ineligible for this action"
    assert sandbox.state.effects == []


@pytest.mark.parametrize("po", ["D9", None, "", 7, ["D1"]])
def test_a_po_that_does_not_exist_is_refused(client, package, po):
    assert client.complete(po, package()).json["ERROR"].startswith("invalid po")


@pytest.mark.parametrize("packages", [None, [], {}, "1Z", ["1Z"], [None]])
def test_packages_must_be_there(submitted, client, packages):
    answer = client.post(COMPLETE, {"po": "D1", "packages": packages}).json
    assert answer["ERROR"] == "PO D1 packages must be an array of objects, not empty"
    assert submitted.state.effects == []


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"tracking_number": None}, "tracking_number is required"),
        ({"tracking_number": " "}, "tracking_number is required"),
        ({"tracking_number": ["1Z"]}, "tracking_number is required"),
        ({"ship_class_id": 999}, "invalid ship_class_id 999"),
        ({"ship_class_id": "UPS Ground"}, "invalid ship_class_id UPS Ground"),
        ({"ship_class_id": None}, "invalid ship_class_id None"),
        ({"items": []}, "items must be an array"),
        ({"items": None}, "items must be an array"),
        ({"items": ["MAR-1"]}, "items must be an array"),
        ({"items": [{"vpc": "X", "quantity": 1}]}, "invalid vpc X: not on the PO"),
        ({"items": [{"po_item_id": 456, "quantity": 1}]}, "invalid vpc None"),
        ({"items": [{"vpc": "MAR-1"}]}, "invalid quantity of vpc MAR-1"),
        ({"items": [{"vpc": "MAR-1", "quantity": 0}]}, "invalid quantity of vpc MAR-1"),
        ({"items": [{"vpc": "MAR-1", "quantity": 1.5}]}, "invalid quantity of vpc MAR-1"),
        ({"unit_count": 1}, "unit_count 1, its items have 2"),
        ({"unit_count": None}, "unit_count None, its items have 2"),
    ],
)
def test_what_is_wrong_with_a_package_is_said_with_its_place(submitted, client, package, values, words):
    error = error_of(client, package({"00120": 1}), package({"MAR-1": 2}, **values))
    assert error.startswith("PO D1 package idx 1: ")
    assert words in error
    assert submitted.state.effects == []
    assert submitted.state.po("D1")["status"] == "submitted"


def test_no_vpc_goes_beyond_the_units_that_were_ordered(submitted, client, package):
    error = error_of(client, package({"MAR-1": 2}), package({"MAR-1": 1, "00120": 1}))
    assert error == "PO D1 vpc MAR-1: 3 units, the PO has 2"


def test_two_lines_of_one_vpc_cannot_be_told_apart(sandbox, client, package):
    items = [{"po_item_id": n, "vpc": "A", "quantity": n} for n in (1, 2)]
    sandbox.state.change_po("D1", fields={"status": "submitted"}, items=items)
    assert "4 units, the PO has 3" in error_of(client, package({"A": 4}))
    assert client.complete("D1", package({"A": 3})).json == {"success": 1}


def test_fewer_units_than_ordered_are_taken_or_refused_as_it_is_set(submitted, client, package):
    client.control("POST", "settings", {"short_complete": "refuse"})
    assert error_of(client, package({"MAR-1": 1})) == "PO D1 vpc MAR-1: 1 units, the PO has 2"
    assert error_of(client, package({"MAR-1": 2})) == "PO D1 vpc 00120: 0 units, the PO has 1"
    client.control("POST", "settings", {"short_complete": "accept"})
    assert client.complete("D1", package({"MAR-1": 1})).json == {"success": 1}
    assert submitted.state.po("D1")["status"] == "complete"


def test_ids_quantities_and_tracking_numbers_may_be_numbers_or_text(submitted, client, package):
    one = package({"MAR-1": "2"}, ship_class_id="62", unit_count="2")
    assert (
        client.complete("D1", one, package({"00120": 1}, tracking_number=794612345001)).json["success"] == 1
    )


def test_a_tracking_number_is_never_compared_with_the_carrier(submitted, client, package):
    # RetailOps' own sample has a UPS number with the id that is FedEx Ground here.
    assert client.complete("D1", package(ship_class_id=7, tracking_number="1Z999AA10123456784")).json == {
        "success": 1
    }


def test_what_retailops_keeps_beside_the_po_is_not_fetched(submitted, client, package):
    client.complete("D1", package())
    [fetched] = client.fetch(status="complete").json["records"]
    assert "packages" not in fetched
    assert fetched["items"][0] == {"po_item_id": 456, "vpc": "MAR-1", "quantity": 2}
