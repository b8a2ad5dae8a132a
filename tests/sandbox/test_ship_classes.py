"""Constant.Ship.CarrierClass.fetch, and ship classes that change."""

import json

import pytest

from filebridge.sandbox import Sandbox, State, StateError

CLASSES = {
    3: "FedEx Priority Overnight",
    4: "FedEx Standard Overnight",
    5: "FedEx 2Day",
    6: "FedEx Express Saver",
    7: "FedEx Ground",
    8: "FedEx Home Delivery",
    9: "FedEx International Priority",
    10: "FedEx International Economy",
    34: "USPS Priority Mail",
    35: "USPS Parcel Select Nonpresort",
    37: "USPS Media Mail Single-Piece",
    38: "USPS Bnd Prt Mtr Single Piece",
    39: "USPS First-Class Mail",
    50: "USPS Priority Mail Express",
    57: "UPS Next Day Air",
    58: "UPS Next Day Air Saver",
    59: "UPS 2nd Day Air A.M.",
    60: "UPS 2nd Day Air",
    62: "UPS Ground",
    63: "UPS Worldwide Expedited",
    64: "UPS Worldwide Express Plus",
    65: "UPS Worldwide Express",
    66: "UPS Worldwide Express Saver",
    67: "UPS Standard Canada",
    71: "FedEx SmartPost Parcel Select",
    74: "FedEx SmartPost Standard Mail",
    113: "FedEx Ground",
    114: "LTL",
}


def listed(client):
    return {one["id"]: one["name"] for one in client.classes().json["records"]}


@pytest.fixture
def submitted(sandbox):
    """The sandbox with D1 submitted."""
    sandbox.state.change_po("D1", fields={"status": "submitted"})
    return sandbox


def test_the_list_is_that_of_one_live_account(sandbox, client):
    answer = client.classes().json
    assert answer == {"success": 1, "records": [{"id": n, "name": name} for n, name in CLASSES.items()]}
    assert sandbox.state.effects == []


def test_in_stringly_mode_ids_are_text_and_are_taken_as_text(submitted, client, package):
    client.control("POST", "settings", {"stringly": True})
    first = client.classes().json
    assert (first["success"], first["records"][0]) == ("1", {"id": "3", "name": "FedEx Priority Overnight"})
    assert client.complete("D1", package(ship_class_id="3")).json == {"success": "1"}


@pytest.mark.parametrize(("given", "class_id"), [(7, 7), ("7", 7), (7.0, 7), ("x1", "x1"), (7, "7")])
def test_the_id_of_a_class_may_be_a_number_or_text(submitted, client, package, given, class_id):
    client.control("PUT", "ship_classes", [{"id": class_id, "name": "Any"}])
    assert client.complete("D1", package(ship_class_id=given)).json == {"success": 1}


def test_classes_that_are_not_active_come_only_when_all_are_asked_for(submitted, client, package):
    client.control("POST", "ship_classes", [{"id": 7, "name": "FedEx Ground", "active": "0"}])
    assert 7 in listed(client)
    assert 7 not in {one["id"] for one in client.classes(all=0).json["records"]}
    assert client.complete("D1", package(ship_class_id=7)).json == {"success": 1}


def test_a_class_is_renamed_renumbered_and_taken_away(submitted, client, package):
    change = "ship_classes/change"
    client.control("POST", change, {"id": 7, "set": {"name": "FedEx Ground (old)"}})
    assert listed(client)[7] == "FedEx Ground (old)"
    client.control("POST", change, {"id": "113", "set": {"id": 2101}})
    assert listed(client)[2101] == "FedEx Ground"
    assert (113 in listed(client), list(listed(client))[-2:]) == (False, [2101, 114])
    shown = client.control("POST", change, {"id": 62, "remove": True}).json["ship_classes"]
    assert [one["id"] for one in shown] == list(listed(client))
    assert "invalid ship_class_id 62" in client.complete("D1", package()).json["ERROR"]
    assert client.complete("D1", package(ship_class_id=2101)).json == {"success": 1}


def test_the_list_is_added_to_and_replaced(client):
    client.control("POST", "ship_classes", {"id": 200, "name": "Van"})
    client.control("POST", "ship_classes", {"ship_classes": [{"id": "200", "name": "Big van"}]})
    assert listed(client)["200"] == "Big van"
    assert len(listed(client)) == len(CLASSES) + 1
    client.control("PUT", "ship_classes", {"ship_classes": [{"id": 1, "name": "Only", "code": "O"}]})
    assert client.classes().json["records"] == [{"id": 1, "name": "Only", "code": "O"}]
    assert client.control("GET", "ship_classes").json == {
        "ship_classes": [{"id": 1, "name": "Only", "code": "O"}]
    }
    assert client.control("PUT", "ship_classes", []).json == {"ship_classes": []}
    client.control("POST", "reset")
    assert listed(client) == CLASSES


def test_classes_change_between_the_look_up_and_the_shipment(submitted, client, package):
    submitted.faults.add(
        action="carriers", kind="class_change", remove=[62], insert=[{"id": 2201, "name": "UPS Ground"}]
    )
    assert listed(client)[62] == "UPS Ground"
    assert "invalid ship_class_id 62" in client.complete("D1", package()).json["ERROR"]
    assert [number for number, name in listed(client).items() if name == "UPS Ground"] == [2201]
    assert client.complete("D1", package(ship_class_id=2201)).json == {"success": 1}


@pytest.mark.parametrize(
    ("method", "route", "body", "words"),
    [
        ("PUT", "ship_classes", [{"id": 1}], "ship class must be an object"),
        ("PUT", "ship_classes", [{"name": "A"}], "ship class must be an object"),
        ("PUT", "ship_classes", ["A"], "ship class must be an object"),
        ("PUT", "ship_classes", "A", "must be a ship class"),
        ("PUT", "ship_classes", [{"id": 1, "name": "A"}, {"id": "1", "name": "B"}], "two ship classes"),
        ("POST", "ship_classes", {"id": 1}, "ship class must be an object"),
        ("POST", "ship_classes/change", {"id": 999, "set": {}}, "there is no ship class 999"),
        ("POST", "ship_classes/change", {"set": {}}, "there is no ship class None"),
        ("POST", "ship_classes/change", {"id": 7, "set": {"id": 113}}, "two ship classes with the id 113"),
        ("POST", "ship_classes/change", {"id": 7, "set": 1}, "set must be an object"),
        ("POST", "ship_classes/change", {"id": 7, "remove": "yes"}, "remove true or false"),
    ],
)
def test_what_is_wrong_with_a_change_is_said_and_changes_nothing(client, method, route, body, words):
    answer = client.control(method, route, body)
    assert (answer.status, words in answer.json["error"]) == (400, True)
    assert listed(client) == CLASSES


def test_a_state_file_may_bring_classes_of_its_own(tmp_path, connect, po):
    whole = {"pos": [po("D1", status="submitted")], "ship_classes": [{"id": 62, "name": "Van"}]}
    (tmp_path / "state.json").write_text(json.dumps(whole))
    with Sandbox(State.load(tmp_path / "state.json")) as sandbox:
        assert listed(connect(sandbox)) == {62: "Van"}
        sandbox.state.save(tmp_path / "again.json")
    assert State.load(tmp_path / "again.json").ship_classes == [{"id": 62, "name": "Van"}]


@pytest.mark.parametrize("classes", [7, None, "Van", [7], [{"id": 1}]])
def test_classes_of_another_shape_in_a_state_file_are_refused_in_words(tmp_path, classes):
    (tmp_path / "state.json").write_text(json.dumps({"pos": [], "ship_classes": classes}))
    with pytest.raises(StateError, match="ship class"):
        State.load(tmp_path / "state.json")
