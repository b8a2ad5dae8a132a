"""Vendor.PO.UpdateEstShipDate."""

import pytest

DATE = "/vendor/po/updateestshipdate.json"
# As the guide prints it, without a comma after the date.
GUIDE = b"""{"records":[{"po":"D123", "estimated_ship_date": "2015-07-02T14:47:47Z"
"items":[{"po_item_id": 456, "quantity": 1}]}]}"""


@pytest.fixture
def dated(record):
    """Make a record of both items of a PO."""

    def make(number, date="2026-12-01T17:00:00Z", **values):
        return record(number) | {"estimated_ship_date": date} | values

    return make


def test_the_guides_sample_is_no_json_and_the_mended_one_is_taken(sandbox, client, po):
    sandbox.state.add_pos([po("D123", items=[{"po_item_id": 456, "vpc": "A", "quantity": 1}])])
    assert client.post(DATE, GUIDE).json["ERROR"].startswith("malformed JSON string")
    assert sandbox.state.effects == []
    assert client.post(DATE, GUIDE.replace(b'Z"', b'Z",')).json == {"success": 1}
    assert sandbox.state.po("D123")["estimated_ship_date"] == "2015-07-02T14:47:47Z"


@pytest.mark.parametrize("status", ["open", "ready", "submitted", "accepted"])
def test_the_date_is_kept_with_the_po_and_its_items_and_the_status_stays(sandbox, client, dated, status):
    sandbox.state.change_po("D1", fields={"status": status})
    assert client.date(dated("D1")).json == {"success": 1}
    held = sandbox.state.po("D1")
    assert (held["status"], held["estimated_ship_date"]) == (status, "2026-12-01T17:00:00Z")
    assert [item["estimated_ship_date"] for item in held["items"]] == ["2026-12-01T17:00:00Z"] * 2
    assert [(e.action, e.vendor_id, e.key, e.value) for e in sandbox.state.effects] == [
        ("Vendor.PO.UpdateEstShipDate", "27", "D1", dated("D1"))
    ]
    [fetched] = client.fetch(status=status, limit=1).json["records"]
    assert fetched["estimated_ship_date"] == "2026-12-01T17:00:00Z"


def test_items_of_one_po_may_have_dates_of_their_own(sandbox, client, dated):
    first = dated("D1", "2026-12-01T17:00:00Z", items=[{"po_item_id": "456", "quantity": "1"}])
    second = dated("D1", "2026-12-09T17:00:00Z", items=[{"po_item_id": 457, "quantity": 1}])
    assert client.date(first, second).json == {"success": 1}
    held = sandbox.state.po("D1")
    assert held["estimated_ship_date"] == "2026-12-09T17:00:00Z"
    assert [item["estimated_ship_date"] for item in held["items"]] == [
        "2026-12-01T17:00:00Z",
        "2026-12-09T17:00:00Z",
    ]


def test_a_date_may_be_moved_as_often_as_one_likes(sandbox, client, dated):
    for day in ("01", "02", "01"):
        assert client.date(dated("D1", f"2026-12-{day}T17:00:00Z")).json == {"success": 1}
    assert sandbox.state.po("D1")["estimated_ship_date"] == "2026-12-01T17:00:00Z"
    assert len(sandbox.state.effects) == 3


@pytest.mark.parametrize(
    "date",
    [
        "2015-07-02T14:47:47Z",
        "2015-07-02T14:47:47+0000",
        "2015-07-02T14:47:47-06:00",
        "2015-07-02T14:47:47.250Z",
        "2015-07-02 14:47Z",
    ],
)
def test_a_date_has_z_or_an_offset(client, dated, date):
    assert client.date(dated("D1", date)).json == {"success": 1}


@pytest.mark.parametrize(
    "date",
    [
        "2015-07-02T14:47:47",
        "2015-07-02",
        "2015-02-30T14:47:47Z",
        "2015-07-02T25:00:00Z",
        "07/02/2015",
        "2015-W27-4T14:47:47Z",
        "2015-07-02T14:47:47Z\n",
        "",
        None,
        1435848467,
        ["2015-07-02T14:47:47Z"],
    ],
)
def test_anything_else_is_refused_by_its_place(sandbox, client, dated, date):
    error = client.date(dated("D1"), dated("D2", date)).json["ERROR"]
    assert error == f"for field idx 1: PO D2 invalid estimated_ship_date {date}"
    assert sandbox.state.effects == []
    assert "estimated_ship_date" not in sandbox.state.po("D1")


@pytest.mark.parametrize("status", ["complete", "canceled", "receiving"])
def test_any_other_status_is_refused_by_name(sandbox, client, dated, status):
    sandbox.state.change_po("D1", fields={"status": status})
    assert f"PO D1 status: {status}, ineligible for this action" in client.date(dated("D1")).json["ERROR"]


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ([{"po_item_id": 999, "quantity": 1}], "999 is not on the PO"),
        ([{"po_item_id": 456, "quantity": 3}], "quantity 3, the PO has 2"),
        ([], "items is empty"),
        (None, "items must be an array of objects"),
    ],
)
def test_items_must_be_those_of_the_po(client, dated, items, words):
    assert words in client.date(dated("D1", items=items)).json["ERROR"]


def test_with_per_record_a_bad_record_fails_alone(sandbox, client, dated):
    client.control("POST", "settings", {"per_record": True})
    answer = client.date(dated("D1"), dated("D9"), dated("D2", "soon"), dated("D3")).json["records"]
    assert [one["success"] for one in answer] == [1, 0, 0, 1]
    assert "invalid po D9" in answer[1]["ERROR"]
    assert [effect.key for effect in sandbox.state.effects] == ["D1", "D3"]


def test_a_thousand_and_one_records_are_refused(client, dated):
    assert "too many records: 1001" in client.date(*[dated("D1")] * 1001).json["ERROR"]
    assert client.date(*[dated("D1")] * 1000).json == {"success": 1}
