"""Purchase orders as RetailOps may send them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filebridge.clock import from_micros
from filebridge.documents.ship_classes import ShipClass
from filebridge.retailops.paging import MOST_PASSES, read_all
from filebridge.retailops.reading import (
    OrderItem,
    OrdersPage,
    date_submit_of,
    items_of,
    po_of,
    read_json,
    read_orders,
    read_ship_classes,
    status_of,
    whole_number,
)


@pytest.mark.parametrize(
    "given_date",
    [
        "2015-07-02T14:47:47Z",
        "2015-07-02T14:47:47+0000",
        "2015-07-02T08:47:47-06:00",
        "2015-07-02T14:47:47",
        "2015-07-02 14:47:47",
        " 2015-07-02 14:47:47 ",
        1435848467,
        "1435848467",
        1435848467.0,
        "1435848467000",
    ],
)
def test_a_submit_date_is_read_in_every_likely_form(given_date):
    assert from_micros(date_submit_of({"date_submit": given_date})).isoformat() == "2015-07-02T14:47:47+00:00"


@pytest.mark.parametrize(
    "given_date", [None, "", "soon", "0000-00-00 00:00:00", 0, -5, True, [], 1e300, "9" * 400]
)
def test_what_is_no_date_is_none(given_date):
    assert date_submit_of({"date_submit": given_date}) is None


def test_a_date_alone_is_the_beginning_of_that_day_in_utc():
    assert (
        from_micros(date_submit_of({"date_submit": "2015-07-02"})).isoformat() == "2015-07-02T00:00:00+00:00"
    )


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (2, 2),
        ("2", 2),
        (2.0, 2),
        ("2.00", 2),
        (" 7 ", 7),
        (2.5, None),
        ("x", None),
        (True, None),
        (None, None),
    ],
)
def test_whole_numbers_are_read_from_numbers_and_text(value, number):
    assert whole_number(value) == number


def test_items_keep_the_type_of_their_id_and_take_either_name_for_it():
    record = {"po": 123, "status": " Ready ", "items": [{"po_item_id": 456, "vpc": "00120", "quantity": "2"}]}
    assert (po_of(record), status_of(record)) == ("123", "ready")
    assert items_of(record) == (OrderItem(456, "00120", 2),)
    assert items_of({"items": [{"id": "A7", "vpc": 5, "quantity": 1}]}) == (OrderItem("A7", "5", 1),)


@pytest.mark.parametrize(
    "items",
    [
        None,
        {},
        [None],
        [{"vpc": "A", "quantity": 1}],
        [{"id": 1, "quantity": 1}],
        [{"id": 1, "vpc": "A"}],
        [{"id": 1, "vpc": "A", "quantity": 1.5}],
    ],
)
def test_items_that_lack_what_is_needed_are_none(items):
    assert items_of({"items": items}) is None


def test_an_unreadable_record_is_reported_and_the_page_is_kept():
    reply, _ = read_json(
        b'{"success":1,"records":[{"po":"D1"},{"status":"ready"},7,{"po":"D2","note":"\\ud800"}]}'
    )
    page = read_orders(reply, start=100)
    assert page.orders == ({"po": "D1"},)
    assert page.records == 4
    assert [fault.partition(" (")[0] for fault in page.faults] == [
        "record 102 has no PO number",
        "record 103 is no object",
        "record 104 cannot be kept",
    ]


@pytest.mark.parametrize("records", [b"null", b'"none"', b"7"])
def test_an_answer_without_a_list_is_no_page(records):
    reply, _ = read_json(b'{"success":1,"records":' + records + b"}")
    assert read_orders(reply) is None
    assert read_orders({"success": 1}) is None


def test_a_bare_object_is_a_list_of_one():
    assert read_orders({"records": {"po": "D1"}}).orders == ({"po": "D1"},)


# Paging


class Shop:
    """A set of POs that changes after each page is read."""

    def __init__(self, names, changes=(), *, limit=3):
        self.names = list(names)
        self.changes = list(changes)
        self.limit = limit
        self.pages = 0

    def __call__(self, start):
        self.pages += 1
        page = [{"po": name} for name in self.names[start : start + self.limit]]
        if self.changes:
            self.changes.pop(0)(self.names)
        return OrdersPage(tuple(page), (), len(page))


def found_in(shop, **options):
    return [record["po"] for record in read_all(shop, **options)[0]]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 6, 7, 20])
def test_every_page_is_read(count):
    names = [f"D{number}" for number in range(count)]
    assert found_in(Shop(names)) == names


def test_a_server_that_gives_fewer_than_asked_for_hides_nothing():
    names = [f"D{number}" for number in range(10)]
    assert found_in(Shop(names, limit=4)) == names


def test_pos_that_leave_while_pages_are_read_shift_nothing_out_of_sight():
    names = [f"D{number}" for number in range(9)]
    shop = Shop(names, [lambda held: held.__delitem__(slice(0, 3))])
    assert set(found_in(shop)) == set(names)


def test_a_server_that_ignores_start_is_not_asked_for_ever():
    pages = []

    def same(start):
        pages.append(start)
        return OrdersPage(({"po": "D1"}, {"po": "D2"}), (), 2)

    assert len(read_all(same)[0]) == 2
    assert len(pages) == 4


def test_reading_ends_when_the_wanted_pos_are_found():
    shop = Shop([f"D{number}" for number in range(30)])
    assert "D4" in found_in(shop, wanted={"D4"})
    assert shop.pages == 2


def test_a_set_that_never_rests_is_read_a_few_times_only():
    def insert(held):
        held.insert(0, f"N{len(held)}")

    shop = Shop([f"D{number}" for number in range(3)], [insert] * 1000)
    read_all(shop)
    assert shop.pages < 20 * MOST_PASSES


@settings(deadline=None)
@given(st.data())
def test_what_stays_in_the_set_is_found_whatever_else_leaves_it(data):
    stays = [f"S{number}" for number in range(data.draw(st.integers(0, 12)))]
    goes = [f"G{number}" for number in range(data.draw(st.integers(0, 3)))]
    names = data.draw(st.permutations(stays + goes))
    removals = [lambda held, name=name: name in held and held.remove(name) for name in goes]
    shop = Shop(names, data.draw(st.permutations(removals)), limit=data.draw(st.integers(1, 5)))
    assert set(stays) <= set(found_in(shop))


# Ship classes


def test_a_ship_class_keeps_the_type_of_its_id_and_the_spelling_of_its_name():
    reply = {
        "success": 1,
        "records": [
            {"id": 7, "name": "FedEx Ground ", "active": "1", "code": "FG"},
            {"id": "62", "name": "UPS Ground"},
            {"id": 5.0, "name": 2},
            {"id": "A-1", "name": "LTL", "active": None},
        ],
    }
    assert read_ship_classes(reply) == (
        (
            ShipClass(7, "FedEx Ground ", True),
            ShipClass("62", "UPS Ground", True),
            ShipClass(5, "2", True),
            ShipClass("A-1", "LTL", True),
        ),
        (),
    )


@pytest.mark.parametrize(
    ("given_value", "active"),
    [
        *((one, True) for one in (1, "1", True, "yes", None)),
        *((one, False) for one in (0, "0", False, "", " ", "False")),
    ],
)
def test_a_ship_class_is_active_unless_it_says_otherwise(given_value, active):
    found, _ = read_ship_classes({"records": [{"id": 1, "name": "A", "active": given_value}]})
    assert found[0].active is active


def test_records_that_are_no_ship_classes_are_told_and_the_others_are_kept():
    records = [
        {"id": 1, "name": "UPS Ground"},
        "UPS",
        {"name": "UPS Ground"},
        {"id": True, "name": "UPS Ground"},
        {"id": 1.5, "name": "UPS Ground"},
        {"id": 2, "name": " "},
        {"id": 3, "name": "\ud800"},
        {"id": 10**30, "name": "UPS Ground"},
        {"id": "1", "name": "FedEx"},
        {"id": "1", "name": "UPS Ground"},
    ]
    found, faults = read_ship_classes({"records": records})
    assert found == (ShipClass(1, "UPS Ground", True),)
    assert [fault.split(" (")[0] for fault in faults] == [
        "record 2 is no object",
        "record 3 has no id",
        "record 4 has no id",
        "record 5 has no id",
        "record 6 has the id 2 and no name",
        "record 7 cannot be kept",
        "record 8 cannot be kept",
        "record 9 has the id 1, as has 'UPS Ground'",
    ]


def test_one_ship_class_by_itself_is_a_list_of_one_and_anything_else_is_none():
    one = {"id": 1, "name": "UPS Ground"}
    assert read_ship_classes({"records": one}) == ((ShipClass(1, "UPS Ground", True),), ())
    assert read_ship_classes({"records": []}) == ((), ())
    assert read_ship_classes({"records": "none"}) is None
    assert read_ship_classes({}) is None
