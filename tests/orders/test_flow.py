"""POs out: each revision in one file, published before it is marked, marked with exactly what was exported."""

from collections.abc import Callable
from typing import Any

import pytest

from filebridge import orders
from filebridge.errors import UserError
from filebridge.ledger.schema import OrderFileState, OrderState
from filebridge.sandbox import Fault

Make = Callable[..., Any]
HEADER = "PO,Item,Qty,To\r\n"
FIRST = "PO_acme_000001.csv"
LAYOUT = (
    "document: purchase-orders\ncolumns: {PO: po, Item: vpc, Qty: quantity, To: ship_address.addressee}\n"
)


def with_write(write: str, rest: str = "") -> str:
    return f"{LAYOUT}write: {{{write}}}\n{rest}"


def test_a_po_that_is_due_is_written_and_then_marked_with_exactly_its_items(trade: Make, po: Make) -> None:
    one = trade(po("D1"))
    one.run()
    assert one.files() == {FIRST: HEADER + "D1,00120,2,Ana Pérez\r\nD1,TG-7,1,Ana Pérez\r\n"}
    assert one.marks() == [
        {"po": "D1", "items": [{"po_item_id": 11, "quantity": 2}, {"po_item_id": 12, "quantity": 1}]}
    ]
    assert one.status("D1") == "submitted"
    assert one.order("D1").state is OrderState.MARKED
    assert [row.state for row in one.order_files()] == [OrderFileState.MARKED]


def test_a_second_pass_writes_and_marks_nothing(trade: Make, po: Make) -> None:
    one = trade(po("D1"))
    one.run()
    one.take()
    one.run()
    assert one.files() == {}
    assert len(one.marks()) == 1


def test_a_po_of_the_future_waits_until_it_is_due(trade: Make, po: Make) -> None:
    one = trade(po("D1", date_submit="2026-11-23T13:00:00Z"))
    one.run()
    assert (one.files(), one.order("D1").state) == ({}, OrderState.SEEN)
    one.clock.sleep(3600)
    one.run()
    assert list(one.files()) == [FIRST]


def test_rows_stand_by_date_submit_then_po(trade: Make, po: Make) -> None:
    one = trade(
        po("B", date_submit="2026-11-20T17:00:00Z"),
        po("C", date_submit="2026-11-19T17:00:00Z"),
        po("A", date_submit="2026-11-20T17:00:00Z"),
    )
    one.run()
    lines = one.files()[FIRST].splitlines()[1:]
    assert [line.split(",")[0] for line in lines] == ["C", "C", "A", "A", "B", "B"]


def test_a_po_that_is_not_this_vendors_is_left_out_and_said(trade: Make, po: Make) -> None:
    one = trade(po("D1"))

    class Mixed:
        def fetch_orders(self, *args: Any, **named: Any) -> list[dict[str, Any]]:
            return [*one.client.fetch_orders(*args, **named), po("X9", vendor_id="028")]

    fetched = orders.fetch(one.ledger, Mixed(), one.pack, one.clock)
    assert [note.code for note in fetched.said] == ["wrong_vendor"]
    assert fetched.said[0].message == (
        "PO X9 was sent to this vendor but belongs to vendor 028; it was left out"
    )
    assert fetched.seen == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"items": []}, "PO D1 has no items"),
        ({"date_submit": "soon"}, "PO D1 has no `date_submit` that can be read"),
    ],
)
def test_a_po_that_lacks_something_is_held_alone(
    trade: Make, po: Make, change: dict[str, Any], message: str
) -> None:
    one = trade(po("D1", **change), po("D2"))
    one.run()
    row = one.order("D1")
    assert (row.state, row.code, row.message) == (OrderState.HELD, "incomplete_po", message)
    assert [record["po"] for record in one.marks()] == ["D2"]
    one.sandbox.state.change_po("D1", fields=po("D1"))
    one.run()
    assert [record["po"] for record in one.marks()] == ["D2", "D1"]


def test_a_po_that_cannot_be_laid_out_is_held_alone_until_it_can(trade: Make, po: Make) -> None:
    bo, yamada = {"addressee": "Bo"}, {"addressee": "山田"}
    one = trade(
        po("D1", ship_address=yamada), po("D2", ship_address=bo), layout=with_write("encoding: cp1252")
    )
    one.run()
    row = one.order("D1")
    assert (row.state, row.code) == (OrderState.HELD, "unencodable")
    assert row.message == "PO D1, column To: cp1252 has no 山"
    assert [record["po"] for record in one.marks()] == ["D2"]
    one.run()
    assert one.order("D1").state is OrderState.HELD
    one.sandbox.state.change_po("D1", fields={"ship_address": {"addressee": "Yamada"}})
    one.run()
    assert one.order("D1").state is OrderState.MARKED
    assert list(one.files()) == [FIRST, "PO_acme_000002.csv"]


def test_one_file_a_po_with_a_done_file_after_each(trade: Make, po: Make) -> None:
    one = trade(po("D1"), po("a/b"), layout=with_write('one_file_per: po, name: "{po}.csv", done_file: true'))
    one.run()
    assert sorted(one.files()) == ["D1.csv", "D1.csv.done", "a_b-c14cddc0.csv", "a_b-c14cddc0.csv.done"]
    assert one.files()["D1.csv.done"] == ""


def test_the_sequence_has_neither_gaps_nor_repeats(trade: Make, po: Make) -> None:
    one = trade(*(po(f"D{number}") for number in range(3)), layout=with_write("one_file_per: po"))
    one.run()
    one.restart()
    one.sandbox.state.add_pos([po("D9")])
    one.run()
    assert list(one.files()) == [f"PO_acme_{number:06d}.csv" for number in (1, 2, 3, 4)]


def test_an_empty_run_writes_a_file_only_where_that_is_wanted(trade: Make) -> None:
    skips, writes = trade(), trade(layout=with_write("when_empty: write"))
    skips.run()
    writes.run()
    assert (skips.files(), writes.files()) == ({}, {FIRST: HEADER})
    assert [row.state for row in writes.order_files()] == [OrderFileState.MARKED]


def test_at_most_a_thousand_pos_go_into_a_mark(trade: Make, po: Make) -> None:
    one = trade(*(po(f"D{number:04d}") for number in range(1001)))
    one.run()
    sizes = [len(call.body) for call in one.sandbox.calls if call.action == "Vendor.PO.MarkSubmitted"]
    assert len(sizes) == 2
    assert len(one.marks()) == len({record["po"] for record in one.marks()}) == 1001
    assert all(row.state is OrderFileState.MARKED for row in one.order_files())


# Changes


def changed(po: Make, number: str = "D1", quantity: int = 5) -> list[dict[str, Any]]:
    return [{"po_item_id": 11, "vpc": "00120", "quantity": quantity}]


def test_a_po_that_changed_before_its_mark_gives_a_change_file_and_is_marked_with_what_that_holds(
    trade: Make, po: Make
) -> None:
    one = trade(po("D1"), po("D2"))
    orders.fetch(one.ledger, one.client, one.pack, one.clock)
    orders.export(one.ledger, one.pack, one.outbox, one.clock)
    one.sandbox.state.change_po("D1", items=changed(po))
    one.run()
    assert one.files()["PO_acme_000001_rev2.csv"] == HEADER + "D1,00120,5,Ana Pérez\r\n"
    assert {record["po"]: record["items"] for record in one.marks()} == {
        "D1": [{"po_item_id": 11, "quantity": 5}],
        "D2": [{"po_item_id": 11, "quantity": 2}, {"po_item_id": 12, "quantity": 1}],
    }
    assert all(row.state is OrderFileState.MARKED for row in one.order_files())


def test_a_po_that_changed_between_reading_again_and_the_mark_ends_marked_as_it_is(
    trade: Make, po: Make
) -> None:
    one = trade(po("D1"), po("D2"))
    one.sandbox.faults.add(
        Fault("edit_po", action="mark_submitted", when="before", po="D1", items=changed(po))
    )
    one.run()
    assert sorted(one.files()) == [FIRST, "PO_acme_000001_rev2.csv"]
    assert (one.status("D1"), one.status("D2")) == ("submitted", "submitted")
    assert one.order("D1").state is OrderState.MARKED


def test_a_po_that_changed_just_after_the_mark_gives_a_change_file_without_a_second_mark(
    trade: Make, po: Make
) -> None:
    one = trade(po("D1"))
    one.sandbox.faults.add(Fault("edit_po", action="mark_submitted", po="D1", items=changed(po)))
    one.run()
    assert sorted(one.files()) == [FIRST, "PO_acme_000001_rev2.csv"]
    assert len(one.marks()) == 1
    assert one.order("D1").state is OrderState.MARKED


def test_later_changes_are_looked_for_where_the_retailer_makes_them(trade: Make, po: Make) -> None:
    vendor = 'vendor_id: "27"\nchanges_after_submit: true\n'
    one = trade(po("D1"), po("D2"), vendor=vendor)
    one.run()
    for quantity in (7, 8):
        one.sandbox.state.change_po("D1", items=changed(po, quantity=quantity))
        one.run()
    one.sandbox.state.change_po("D2", items=changed(po, quantity=3))
    one.run()
    assert sorted(one.files()) == [
        FIRST,
        "PO_acme_000001_rev2.csv",
        "PO_acme_000001_rev3.csv",
        "PO_acme_000001_rev4.csv",
    ]
    assert one.files()["PO_acme_000001_rev4.csv"] == HEADER + "D2,00120,3,Ana Pérez\r\n"
    assert len(one.marks()) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"status": "open"},
        {"date_updated": "2026-11-23T11:00:00Z"},
        {"ship_address": {"postal_code": "02109", "addressee": "Ana Pérez", "address2": None}},
        {"date_submit": "2026-11-20 17:00:00"},
    ],
)
def test_what_does_not_concern_the_vendor_is_no_change(trade: Make, po: Make, change: dict[str, Any]) -> None:
    one = trade(po("D1"), vendor='vendor_id: "27"\norders: {status: [open, ready]}\n')
    orders.fetch(one.ledger, one.client, one.pack, one.clock)
    orders.export(one.ledger, one.pack, one.outbox, one.clock)
    one.sandbox.state.change_po("D1", fields=change)
    one.run()
    assert list(one.files()) == [FIRST]
    assert one.status("D1") == "submitted"


def test_numbers_that_come_as_text_are_no_change(trade: Make, po: Make) -> None:
    one = trade(po("D1"))
    orders.fetch(one.ledger, one.client, one.pack, one.clock)
    orders.export(one.ledger, one.pack, one.outbox, one.clock)
    one.sandbox.settings = one.sandbox.settings.changed({"stringly": True})
    one.run()
    assert list(one.files()) == [FIRST]


def test_a_new_column_in_the_layout_changes_no_po(trade: Make, po: Make) -> None:
    one = trade(po("D1"), vendor='vendor_id: "27"\nchanges_after_submit: true\n')
    one.run()
    layout = LAYOUT.replace("Qty: quantity", "Qty: quantity, Cost: unit_cost")
    one.pack = trade(po("D1"), layout=layout, vendor='vendor_id: "27"\nchanges_after_submit: true\n').pack
    one.run()
    assert list(one.files()) == [FIRST]
    one.sandbox.state.change_po("D1", items=changed(po))
    one.run()
    assert sorted(one.files()) == [FIRST, "PO_acme_000001_rev2.csv"]


def test_a_cancelled_po_is_said_and_never_marked(trade: Make, po: Make) -> None:
    one = trade(po("D1"), po("D2"))
    orders.fetch(one.ledger, one.client, one.pack, one.clock)
    orders.export(one.ledger, one.pack, one.outbox, one.clock)
    one.sandbox.state.change_po("D1", fields={"status": "canceled"})
    assert orders.fetch(one.ledger, one.client, one.pack, one.clock).vanished == ("D1",)
    one.run()
    assert [record["po"] for record in one.marks()] == ["D2"]
    row = one.order("D1")
    assert (row.state, row.code) == (OrderState.VANISHED, "vanished")
    assert row.message == "PO D1 is in a file, but gone from RetailOps before it could be marked submitted"


@pytest.mark.parametrize("submit", ["when_written", "when_picked_up"])
def test_a_po_that_was_gone_and_is_back_is_marked_for_the_file_that_holds_it(
    submit: str, trade: Make, po: Make
) -> None:
    one = trade(po("D1"), po("D2"), layout=f"{LAYOUT}submit: {submit}\n")
    one.sandbox.faults.add(Fault("cancel_po", action="mark_submitted", when="before", po="D1"))
    for _ in range(3):
        one.run()
        one.take()
        one.clock.sleep(61)
    assert one.order("D1").state is OrderState.VANISHED
    one.sandbox.state.change_po("D1", fields={"status": "ready"})
    one.run()
    assert (one.status("D1"), one.order("D1").state) == ("submitted", OrderState.MARKED)
    assert one.files() == {}
    assert [row.state for row in one.order_files()] == [OrderFileState.MARKED]


def test_an_older_answer_decides_nothing_while_a_newer_mark_is_open(trade: Make, po: Make) -> None:
    one = trade(po("D1"), po("D2"))
    one.sandbox.faults.add(Fault("cancel_po", action="mark_submitted", when="before", po="D1"))
    one.run()
    one.sandbox.state.change_po("D1", fields={"status": "ready"})
    orders.fetch(one.ledger, one.client, one.pack, one.clock)
    assert len(orders.plan_marks(one.ledger, one.client, one.pack, one.outbox, one.clock)) == 1
    one.restart()
    orders.recover(one.ledger, one.pack, one.outbox, one.clock)
    assert one.order("D1").state is OrderState.EXPORTED
    one.run()
    assert one.order("D1").state is OrderState.MARKED


def test_a_po_that_was_cancelled_before_it_was_due_is_in_no_file(trade: Make, po: Make) -> None:
    one = trade(po("D1", date_submit="2026-11-23T13:00:00Z"))
    one.run()
    one.sandbox.state.change_po("D1", fields={"status": "canceled"})
    one.clock.sleep(3600)
    one.run()
    assert one.files() == {}
    assert one.order("D1").code == ""


def test_a_po_that_somebody_else_submitted_counts_as_marked(trade: Make, po: Make) -> None:
    one = trade(po("D1"))
    orders.fetch(one.ledger, one.client, one.pack, one.clock)
    orders.export(one.ledger, one.pack, one.outbox, one.clock)
    one.sandbox.state.change_po("D1", fields={"status": "submitted"})
    one.run()
    assert one.marks() == []
    assert one.order("D1").state is OrderState.MARKED


def test_a_po_that_somebody_else_submitted_before_it_was_due_is_not_gone(trade: Make, po: Make) -> None:
    one = trade(po("D1", date_submit="2026-11-23T13:00:00Z"))
    one.run()
    one.sandbox.state.change_po("D1", fields={"status": "submitted"})
    one.run()
    row = one.order("D1")
    assert (row.state, row.status) == (OrderState.SEEN, "submitted")


def test_pos_that_were_only_looked_at_are_not_gone_when_a_pass_does_not_read_them(
    trade: Make, po: Make
) -> None:
    one = trade(po("D1", status="submitted"), po("D2", status="complete"))
    orders.fetch(one.ledger, one.client, one.pack, one.clock, every_status=True)
    one.run()
    assert [one.order(number).state for number in ("D1", "D2")] == [OrderState.SEEN, OrderState.SEEN]


def test_a_po_that_is_cancelled_after_its_mark_is_said_where_such_changes_are_looked_for(
    trade: Make, po: Make
) -> None:
    one = trade(po("D1"), po("D2"), vendor='vendor_id: "27"\nchanges_after_submit: true\n')
    one.run()
    one.sandbox.state.change_po("D1", fields={"status": "canceled"})
    one.sandbox.state.change_po("D2", fields={"status": "complete"})
    assert orders.fetch(one.ledger, one.client, one.pack, one.clock).vanished == ("D1",)
    row = one.order("D1")
    assert (row.state, row.code) == (OrderState.MARKED, "vanished")
    assert one.order("D2").code == ""
    assert orders.fetch(one.ledger, one.client, one.pack, one.clock).vanished == ()


def test_a_record_that_cannot_be_read_is_said_and_the_others_are_kept(trade: Make, po: Make) -> None:
    one = trade(po("D1"))

    class Odd:
        def fetch_orders(self, *args: Any, on_fault: Any, **named: Any) -> list[dict[str, Any]]:
            on_fault("record 2 of the page has no PO number (`po`)")
            return one.client.fetch_orders(*args, **named)

    fetched = orders.fetch(one.ledger, Odd(), one.pack, one.clock)
    assert [note.code for note in fetched.said] == ["incomplete_po"]
    assert fetched.seen == 1


# Lost answers and refusals


def test_a_mark_whose_answer_was_lost_is_not_made_twice(trade: Make, po: Make) -> None:
    one = trade(po("D1"))
    one.sandbox.faults.add(Fault("drop_after", action="mark_submitted"))
    one.run()
    assert len(one.marks()) == 1
    assert one.order("D1").state is OrderState.MARKED


def test_a_refused_mark_holds_its_po_alone_in_retailops_own_words(trade: Make, po: Make) -> None:
    one = trade(po("D1"))
    one.sandbox.faults.add(Fault("error", action="mark_submitted", text="PO is locked by an agent"))
    one.run()
    row = one.order("D1")
    assert (row.state, row.code) == (OrderState.HELD, "refused_by_retailops")
    assert "PO is locked by an agent" in row.message
    assert [file.state for file in one.order_files()] == [OrderFileState.MARKED]


# When they are marked


def test_under_when_picked_up_the_mark_waits_until_the_file_is_gone_at_two_looks(
    trade: Make, po: Make
) -> None:
    one = trade(po("D1"), layout=LAYOUT + "submit: when_picked_up\n")
    one.run()
    one.run()
    assert one.marks() == []
    one.take()
    one.run()
    assert one.marks() == []
    one.clock.sleep(60)
    one.run()
    assert len(one.marks()) == 1


def test_a_file_that_comes_back_was_not_picked_up(trade: Make, po: Make) -> None:
    one = trade(po("D1"), layout=LAYOUT + "submit: when_picked_up\n")
    one.run()
    text = one.take()[FIRST]
    one.run()
    (one.outbox / "orders" / FIRST).write_text(text)
    one.clock.sleep(90)
    one.run()
    one.take()
    one.run()
    assert one.marks() == []


def test_under_on_submission_we_never_mark(trade: Make, po: Make) -> None:
    one = trade(po("D1"), layout=LAYOUT + "submit: on_submission\n")
    one.run()
    assert (list(one.files()), one.marks()) == ([FIRST], [])
    assert [file.state for file in one.order_files()] == [OrderFileState.MARKED]
    one.run()
    assert len(one.order_files()) == 1
    one.sandbox.state.change_po("D1", fields={"status": "submitted"})
    one.run()
    assert one.order("D1").state is OrderState.MARKED


def test_a_vendor_on_test_gets_files_and_marks_nothing(trade: Make, po: Make) -> None:
    one = trade(po("D1"), vendor='vendor_id: "27"\ntest: true\n')
    one.run()
    assert (list(one.files()), one.marks()) == ([FIRST], [])


# Names and people


def test_a_name_that_somebody_has_taken_leaves_the_file_staged_until_it_is_free(
    trade: Make, po: Make
) -> None:
    one = trade(po("D1"))
    (one.outbox / "orders").mkdir()
    (one.outbox / "orders" / FIRST).write_text("not ours")
    assert [row.state for row in one.run()] == [OrderFileState.STAGED]
    assert one.marks() == []
    assert one.files() == {FIRST: "not ours"}
    one.take()
    one.run()
    assert one.files()[FIRST].startswith(HEADER)
    assert len(one.marks()) == 1


def test_a_change_never_reaches_the_vendor_before_the_file_that_it_changes(trade: Make, po: Make) -> None:
    one = trade(po("D1"))
    folder = one.outbox / "orders"
    folder.mkdir()
    (folder / FIRST).write_text("somebody else's")
    one.run()
    one.sandbox.state.change_po("D1", items=changed(po))
    one.run()
    assert one.take() == {FIRST: "somebody else's"}
    assert one.marks() == []
    orders.recover(one.ledger, one.pack, one.outbox, one.clock)
    assert list(one.take()) == [FIRST]
    one.run()
    assert list(one.files()) == ["PO_acme_000001_rev2.csv"]
    assert one.status("D1") == "submitted"


def test_a_template_that_gives_a_name_again_gets_the_number(trade: Make, po: Make) -> None:
    one = trade(po("D1"), layout=with_write('one_file_per: po, name: "{po}.csv"'))
    one.run()
    one.sandbox.state.add_pos([po("d1")])
    one.run()
    assert sorted(one.files()) == ["D1.csv", "d1_000002.csv"]


def test_sent_again_the_name_says_so_and_nothing_is_marked(trade: Make, po: Make) -> None:
    one = trade(po("D1"), po("D2"))
    one.run()
    one.take()
    for _ in range(2):
        orders.resend(one.ledger, one.pack, one.outbox, ["D1"], one.clock)
    one.run()
    assert sorted(one.files()) == ["PO_acme_000001_resend1.csv", "PO_acme_000001_resend2.csv"]
    assert one.files()["PO_acme_000001_resend1.csv"].count("D1") == 2
    assert len(one.marks()) == 2
    assert [row.kind for row in one.order_files()] == ["order", "resend", "resend"]


def test_only_what_was_sent_can_be_sent_again(trade: Make, po: Make) -> None:
    one = trade(po("D1", date_submit="2099-01-01T00:00:00Z"))
    one.run()
    with pytest.raises(UserError, match="PO D1 is in no file yet"):
        orders.resend(one.ledger, one.pack, one.outbox, ["D1"], one.clock)
    with pytest.raises(UserError, match="PO D9 is not known here"):
        orders.resend(one.ledger, one.pack, one.outbox, ["D9"], one.clock)


def test_a_look_up_finds_a_po_in_any_status_and_its_change_is_told_by_the_next_pass(
    trade: Make, po: Make
) -> None:
    one = trade(po("D1"))
    one.run()
    one.sandbox.state.change_po("D1", items=changed(po))
    row = orders.lookup(one.client, one.ledger, one.pack, "D1", one.clock)
    assert row is not None and row.has_changed
    assert list(one.files()) == [FIRST]
    assert orders.lookup(one.client, one.ledger, one.pack, "D9", one.clock) is None
    one.run()
    assert sorted(one.files()) == [FIRST, "PO_acme_000001_rev2.csv"]
    assert len(one.marks()) == 1


def test_to_look_at_a_submitted_po_is_not_to_export_it(trade: Make, po: Make) -> None:
    one = trade(po("D1", status="submitted"))
    orders.fetch(one.ledger, one.client, one.pack, one.clock, every_status=True)
    one.run()
    assert (one.files(), one.marks()) == ({}, [])


def test_a_share_that_is_not_mounted_stops_the_vendor_and_loses_nothing(trade: Make, po: Make) -> None:
    one = trade(po("D1"), layout=LAYOUT + "submit: when_picked_up\n")
    one.run()
    away = one.outbox.with_name("away")
    one.outbox.rename(away)
    one.outbox.mkdir()
    with pytest.raises(UserError, match="Mount the share"):
        one.run()
    one.outbox.rmdir()
    away.rename(one.outbox)
    one.take()
    one.run()
    one.clock.sleep(60)
    one.run()
    assert len(one.marks()) == 1
