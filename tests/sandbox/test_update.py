"""Product.ExternalSku.update: inventory advice."""

import threading

import pytest

from filebridge.sandbox import Sandbox

UPDATE = "/product/externalsku/update~2.json"


def test_advice_is_an_absolute_quantity_and_keeps_its_history(sandbox, client):
    assert client.update(("MAR-1", 5), ("00120", "7")).json == {"success": 1}
    client.update(("MAR-1", 0))
    assert sandbox.state.quantities("27") == {"MAR-1": 0, "00120": 7}
    assert sandbox.state.history("27", "MAR-1") == [5, 0]
    assert [effect.seq for effect in sandbox.state.effects] == [1, 2, 3]
    assert [effect.call_seq for effect in sandbox.state.effects] == [1, 1, 2]
    assert sandbox.state.effects[1].value == {"vendor_id": 27, "vpc": "00120", "quantity": "7"}


@pytest.mark.parametrize("vpc", ["NA", "00120", "1E5", "MAR-1", "TRUE", " x ", "Ø-9", "null", "\ud800"])
def test_a_vpc_is_kept_as_it_came(sandbox, client, vpc):
    assert client.update((vpc, 1)).json == {"success": 1}
    assert sandbox.state.quantity("27", vpc) == 1
    assert client.control("GET", "state").json["quantities"][0]["vpc"] == vpc


@pytest.mark.parametrize(
    ("given", "kept"), [(12, 12), ("12", 12), (12.0, 12), ("12.00", 12), (" 3 ", 3), (0, 0)]
)
def test_quantities_may_be_numbers_or_text(sandbox, client, given, kept):
    client.update(("A", given))
    assert sandbox.state.quantity("27", "A") == kept


@pytest.mark.parametrize("quantity", [None, "", "many", -1, "-1", 1.5, True, [1], "9" * 400])
def test_a_quantity_that_is_no_count_refuses_the_whole_call(sandbox, client, quantity):
    assert client.update(("A", 1), ("B", quantity)).json["ERROR"] == "for field idx 1: invalid quantity"
    assert sandbox.state.advice == {}


@pytest.mark.parametrize("vpc", [None, "", "  ", True, ["A"]])
def test_a_vpc_that_is_no_text_refuses_the_whole_call(client, vpc):
    assert client.update(("A", 1), (vpc, 1)).json["ERROR"] == "for field idx 1: invalid vpc"


def test_a_record_that_is_no_object_is_refused_by_its_place(client):
    body = {"records": [{"vendor_id": 27, "vpc": "A", "quantity": 1}, "B"]}
    assert "for field idx 1" in client.post(UPDATE, body).json["ERROR"]


def test_a_vpc_that_retailops_shall_not_know_is_refused_by_its_place(sandbox, client):
    client.control("POST", "settings", {"refuse_vpcs": ["B", "C"]})
    answer = client.update(("A", 1), ("B", 2), ("C", 3))
    assert answer.json == {"ERROR": "for field idx 1: invalid vpc", "ERRORCODE": "general"}
    assert sandbox.state.advice == {}
    client.control("POST", "settings", {"per_record": True})
    records = client.update(("A", 1), ("B", 2), ("C", 3)).json["records"]
    assert [(one["vpc"], one["success"]) for one in records] == [("A", 1), ("B", 0), ("C", 0)]
    assert sandbox.state.quantities("27") == {"A": 1}


def test_a_vendor_may_be_given_by_its_name(sandbox, client):
    client.control("POST", "settings", {"vendor_names": {"Marlowe": 27}})
    good = {
        "records": [{"vendor_name": "Marlowe", "vpc": "A", "quantity": 1, "active": "1", "unit_cost": 2.5}]
    }
    assert client.post(UPDATE, good).json == {"success": 1}
    assert sandbox.state.quantity("27", "A") == 1
    bad = {"records": [{"vendor_name": "Nobody", "vpc": "A", "quantity": 1}]}
    assert client.post(UPDATE, bad).json["ERROR"] == "for field idx 0: invalid vendor"


def test_a_thousand_records_are_taken_and_one_more_refuses_them_all(sandbox, client):
    pairs = [(f"V{n}", n) for n in range(1001)]
    assert "too many records: 1001" in client.update(*pairs).json["ERROR"]
    assert sandbox.state.advice == {}
    assert client.update(*pairs[:1000]).json == {"success": 1}
    assert len(sandbox.state.effects) == 1000


def test_many_clients_at_once_lose_no_effect(connect):
    with Sandbox() as sandbox:
        clients = [connect(sandbox) for _ in range(8)]

        def work(number, client):
            for quantity in range(40):
                client.update((f"V{number}", quantity), ("shared", quantity))

        threads = [threading.Thread(target=work, args=pair) for pair in enumerate(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        effects = sandbox.state.effects
        assert [effect.seq for effect in effects] == list(range(1, 641))
        assert sorted({effect.call_seq for effect in effects}) == list(range(1, 321))
        assert all(sandbox.state.history("27", f"V{n}") == list(range(40)) for n in range(8))
