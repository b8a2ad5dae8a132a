"""Files about POs, whole: the exact calls that RetailOps gets, and the exact answers that the vendor gets."""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from filebridge.ledger.connect import read_ledger
from filebridge.ledger.po_calls import waiting_calls
from filebridge.sandbox import Sandbox, State

PACK = {
    "shipments.yaml": """\
document: shipments
match: ["ship*"]
read: {fill_down: [PO]}
fields: {po: PO, vpc: Item, quantity: Qty, tracking_number: Tracking, carrier: Ship Via}
""",
    "boxes.yaml": """\
document: shipments
match: ["box*"]
fields:
  po: PO
  po_item_id: Line
  quantity: Qty
  tracking_number: {column: Tracking, split: [",", ";"]}
  ship_class_id: Class
  package: Box
  unit_count: Units
""",
    "acknowledgements.yaml": """\
document: acknowledgements
match: ["ack*"]
fields:
  po: PO
  vpc: Item
  quantity: Qty
  estimated_ship_date: {column: Ships, date: "%d.%m.%Y"}
  status: {column: Status, values: {Declined: rejected, Later: backordered}}
""",
    "ship-dates.yaml": """\
document: ship-dates
match: ["dates*"]
fields: {po: PO, vpc: Item, quantity: Qty, estimated_ship_date: {column: Ships, date: "%d.%m.%Y"}}
""",
    "submissions.yaml": 'document: submissions\nmatch: ["taken*"]\nfields: {po: PO}\n',
    "carriers.yaml": 'Brown: {class: "UPS Ground"}\n',
}
SHIPPED = "PO,Item,Qty,Tracking,Ship Via\n"
ACKNOWLEDGED = "PO,Item,Qty,Ships,Status\n"
DATED = "PO,Item,Qty,Ships\n"
NOON = "2026-12-01T19:00:00Z"
"""Noon in Denver of the first of December."""


class Trade:
    """A house with a pack for all documents, and POs of vendor 27: D1 of 2 A and 1 B, if nothing else is said."""

    def __init__(self, house: Any, status: str = "submitted") -> None:
        self.house, self.sandbox = house, house.sandbox
        house.pack(PACK)
        self.has("D1", A=2, B=1, status=status)

    def has(self, po: str, status: str = "submitted", **items: int) -> None:
        """Have RetailOps hold a PO; its items have the ids 1, 2 …"""
        lines = [
            {"po_item_id": number, "vpc": vpc, "quantity": count}
            for number, (vpc, count) in enumerate(items.items(), 1)
        ]
        date = "2026-11-20T17:00:00Z"
        self.sandbox.state.add_pos(
            [{"po": po, "vendor_id": 27, "status": status, "date_submit": date, "items": lines}]
        )

    def run(self, name: str = "", text: str = "") -> Any:
        """Drop a file, if one is given, and make a pass."""
        if name:
            self.house.drop(name, text)
        self.house.clock.move(60)
        return self.house.run()

    def receipt(self, name: str) -> Any:
        receipt = self.house.receipt(name)
        assert sum(receipt["outcomes"].values()) == receipt["file"]["rows"]
        return receipt

    def ends(self, name: str) -> tuple[str, dict[str, int]]:
        receipt = self.receipt(name)
        return receipt["status"], receipt["outcomes"]

    def rows(self, name: str) -> dict[int, str]:
        """Of each row its code, or its outcome where it has none."""
        rows = self.house.rows(self.receipt(name)["file"]["id"])
        return {row["row"]: row["code"] or row["outcome"] for row in rows}

    def said(self, name: str) -> str:
        return " ".join(row["message"] or "" for row in self.house.rows(self.receipt(name)["file"]["id"]))

    @property
    def calls(self) -> list[tuple[str, Any]]:
        """Every call that changes something: its short name and its body."""
        return [
            (call.action.rpartition(".")[2], json.loads(call.body))
            for call in self.sandbox.calls
            if not call.action.endswith(".fetch")
        ]

    @property
    def actions(self) -> list[str]:
        return [action for action, _ in self.calls]

    def status(self, po: str) -> str:
        return str(self.sandbox.state.po(po)["status"])

    def date(self, po: str) -> Any:
        return self.sandbox.state.po(po).get("estimated_ship_date")

    def packages(self, po: str) -> dict[str, tuple[Any, dict[str, int]]]:
        """What RetailOps was told of each parcel of a complete PO."""
        return {
            package["tracking_number"]: (
                package["ship_class_id"],
                {item["vpc"]: item["quantity"] for item in package["items"]},
            )
            for package in self.sandbox.state.po(po)["packages"]
        }

    def corrected(self, name: str, **cells: str) -> str:
        """The reject file of a file, with cells of all its rows changed."""
        rows = list(csv.DictReader(StringIO(self.house.replies()[f"{name}.rejects.csv"].decode())))
        written = StringIO(newline="")
        writer = csv.DictWriter(written, rows[0])
        writer.writeheader()
        writer.writerows(row | cells for row in rows)
        return written.getvalue()

    def file_id(self, name: str) -> str:
        return str(self.receipt(name)["file"]["id"])

    def waiting(self) -> list[tuple[str, str]]:
        """Code and file of all that waits."""
        ledger = read_ledger(self.house.workspace.ledger_url)
        with ledger.read() as connection:
            found = [(call.code, call.file_name) for call in waiting_calls(connection)]
        ledger.close()
        return found


MEMORY = Path("/dev/shm")


@pytest.fixture
def house(make_house: Callable[..., Any]) -> Iterator[Any]:
    """A house in memory, where there is a folder for that: none of these tests cuts the power."""
    in_memory = tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None)
    with in_memory as folder, Sandbox(State()) as sandbox:
        made = make_house(Path(folder), sandbox)
        yield made
        made.close()


@pytest.fixture
def trade(house: Any) -> Trade:
    return Trade(house)


@pytest.fixture
def ready(house: Any) -> Trade:
    """D1 is ready, not submitted."""
    return Trade(house, "ready")


def ship_class(trade: Trade) -> Any:
    (found,) = [one["id"] for one in trade.sandbox.state.ship_classes if one["name"] == "UPS Ground"]
    return found


def mark(action: str, po: str = "D1", **more: Any) -> Any:
    items = [{"po_item_id": 1, "quantity": 2}, {"po_item_id": 2, "quantity": 1}]
    return action, {"records": [{"po": po, **more, "items": items}]}


ACCEPT = mark("MarkAccepted")
DATE = mark("UpdateEstShipDate", estimated_ship_date=NOON)


# Shipments


def test_a_shipments_file_completes_its_pos(trade: Trade) -> None:
    trade.has("D2", A=1)
    report = trade.run("ship.csv", SHIPPED + "D1,A,2,T1,Brown\n,B,1,T2,UPS ground\nD2,,,T9,Brown\n")
    ups = ship_class(trade)
    assert report.exit_code == 0
    assert sorted(trade.calls, key=str) == [
        (
            "Complete",
            {
                "po": "D1",
                "packages": [
                    {
                        "ship_class_id": ups,
                        "tracking_number": "T1",
                        "items": [{"vpc": "A", "quantity": 2}],
                        "unit_count": 2,
                    },
                    {
                        "ship_class_id": ups,
                        "tracking_number": "T2",
                        "items": [{"vpc": "B", "quantity": 1}],
                        "unit_count": 1,
                    },
                ],
            },
        ),
        (
            "Complete",
            {
                "po": "D2",
                "packages": [
                    {
                        "ship_class_id": ups,
                        "tracking_number": "T9",
                        "items": [{"vpc": "A", "quantity": 1}],
                        "unit_count": 1,
                    }
                ],
            },
        ),
    ]
    assert trade.ends("ship.csv") == ("accepted", {"delivered": 3})


def test_boxes_lines_class_ids_and_parcels_in_one_cell(trade: Trade) -> None:
    ups = ship_class(trade)
    trade.has("D2", A=2)
    trade.run(
        "boxes.csv",
        "PO,Line,Qty,Tracking,Class,Box,Units\n"
        f'D1,1,2,T1,{ups},1,3\nD1,2,1,T1,{ups},1,3\nD2,,,"T2, T3",{ups},,\n',
    )
    assert trade.packages("D1") == {"T1": (ups, {"A": 2, "B": 1})}
    assert trade.packages("D2") == {"T2": (ups, {"A": 1}), "T3": (ups, {"A": 1})}
    assert trade.ends("boxes.csv") == ("accepted", {"delivered": 3})


def test_files_in_the_own_layout_need_no_mapping(trade: Trade) -> None:
    for name in (*PACK, "boxes.yaml"):
        (trade.house.root / "mappings/acme" / name).unlink(missing_ok=True)
    trade.run("acknowledgements.csv", "po,estimated_ship_date\nD1,2026-12-01\n")
    trade.run(
        "any name.csv",
        "po,vpc,quantity,tracking_number,carrier\nD1,A,2,T1,UPS Ground\nD1,B,1,T1,UPS Ground\n",
    )
    assert trade.actions == ["MarkAccepted", "UpdateEstShipDate", "Complete"]
    assert trade.ends("any name.csv") == ("accepted", {"delivered": 2})


def test_every_fault_of_a_file_is_told_on_its_row_and_nothing_is_sent_of_its_pos(trade: Trade) -> None:
    trade.has("D2", A=1)
    trade.has("D3", A=1)
    report = trade.run(
        "ship.csv",
        SHIPPED
        + "D1,A,3,T1,Brown\nD1,B,1,T1,Brown\nX7,,,T1,Brown\nD2,C,1,T1,Brown\n"
        + "D3,A,x,T1,Brown\nD3,A,1,T1,Brown\nD3,A,1,7.9E+17,Brown\n",
    )
    assert report.exit_code == 1
    assert trade.calls == []
    assert trade.rows("ship.csv") == {
        2: "too_many_units",
        3: "group_rejected",
        4: "unknown_po",
        5: "unknown_item",
        6: "bad_number",
        7: "group_rejected",
        8: "damaged_identifier",
    }
    assert "PO D2 has no C; it holds A (1 unit, item 1)." in trade.said("ship.csv")
    assert trade.ends("ship.csv") == ("rejected", {"rejected": 7})


def test_a_corrected_reject_file_completes_the_po(trade: Trade) -> None:
    trade.has("D2", A=1)
    trade.run("ship.csv", SHIPPED + "D1,A,2,T1,Pigeon\n,B,1,T2,Brown\nD2,A,1,T9,Brown\n")
    assert trade.ends("ship.csv") == ("accepted_with_rejects", {"rejected": 2, "delivered": 1})
    assert [body["po"] for _, body in trade.calls] == ["D2"]
    trade.run("mended.csv", trade.corrected("ship.csv", **{"Ship Via": "Brown"}))
    assert trade.ends("mended.csv") == ("accepted", {"delivered": 2})
    assert set(trade.packages("D1")) == {"T1", "T2"} and len(trade.calls) == 2


def test_parts_in_three_files_are_one_complete_and_every_file_is_answered_anew(trade: Trade) -> None:
    parts = {"ship-1.csv": "D1,A,1,T1,Brown\n", "ship-2.csv": "D1,B,1,T2,Brown\n"}
    for name, text in parts.items():
        report = trade.run(name, SHIPPED + text)
        assert (report.exit_code, trade.ends(name)) == (0, ("held", {"held": 1}))
        assert trade.rows(name) == {2: "partial_shipment"}
    assert trade.calls == []
    report = trade.run("ship-3.csv", SHIPPED + "D1,A,1,T3,Brown\n")
    ups = ship_class(trade)
    assert trade.packages("D1") == {"T1": (ups, {"A": 1}), "T2": (ups, {"B": 1}), "T3": (ups, {"A": 1})}
    assert trade.actions == ["Complete"]
    for name in (*parts, "ship-3.csv"):
        assert trade.ends(name) == ("accepted", {"delivered": 1})
    assert report.exit_code == 0 and {file.name for file in report.files} == {*parts, "ship-3.csv"}
    assert trade.run().files == []


def test_parts_that_come_at_once_are_one_complete(trade: Trade) -> None:
    for number, line in enumerate(("A,1,T1", "A,1,T2", "B,1,T3")):
        trade.house.drop(f"ship-{number}.csv", f"{SHIPPED}D1,{line},Brown\n")
    trade.run()
    assert trade.actions == ["Complete"]
    ends = [trade.ends(f"ship-{number}.csv") for number in range(3)]
    assert ends == [("accepted", {"delivered": 1})] * 3


def test_the_same_part_twice_counts_once(trade: Trade) -> None:
    trade.run("ship-1.csv", SHIPPED + "D1,A,1,T1,Brown\n")
    trade.run("ship-1-again.csv", SHIPPED + "D1,A,1,T1,Brown\n")
    assert trade.ends("ship-1.csv") == ("accepted", {"superseded": 1})
    assert trade.ends("ship-1-again.csv") == ("held", {"held": 1})
    trade.run("ship-2.csv", SHIPPED + "D1,A,1,T2,Brown\nD1,B,1,T2,Brown\n")
    trade.run("ship-3.csv", SHIPPED + "D1,A,1,T1,Brown\n")
    assert trade.actions == ["Complete"]
    assert trade.ends("ship-1-again.csv") == ("accepted", {"delivered": 1})
    assert trade.ends("ship-3.csv") == ("accepted", {"unchanged": 1})


def test_rows_said_again_beside_new_ones_share_the_end_of_what_waits(trade: Trade) -> None:
    trade.run("ship-1.csv", SHIPPED + "D1,A,1,T1,Brown\nD1,B,1,T1,Brown\n")
    trade.run("ship-2.csv", SHIPPED + "D1,A,1,T1,Brown\n")
    assert trade.ends("ship-2.csv") == ("held", {"held": 1})
    trade.run("ship-3.csv", SHIPPED + "D1,A,1,T2,Brown\nD1,B,1,T1,Brown\n")
    for number, count in ((1, 2), (2, 1), (3, 2)):
        assert trade.ends(f"ship-{number}.csv") == ("accepted", {"delivered": count})
    assert trade.actions == ["Complete"]


def test_a_part_that_differs_from_what_waits_is_refused_and_the_whole_replaces_it(trade: Trade) -> None:
    trade.run("ship-1.csv", SHIPPED + "D1,A,1,T1,Brown\nD1,B,1,T1,Brown\n")
    trade.run("ship-2.csv", SHIPPED + "D1,A,2,T1,Brown\n")
    assert trade.rows("ship-2.csv") == {2: "conflicting_rows"}
    trade.run("ship-3.csv", SHIPPED + "D1,A,2,T1,Brown\nD1,B,1,T1,Brown\n")
    assert trade.packages("D1") == {"T1": (ship_class(trade), {"A": 2, "B": 1})}
    assert trade.ends("ship-1.csv") == ("accepted", {"superseded": 2})
    assert trade.ends("ship-3.csv") == ("accepted", {"delivered": 2})


def test_a_refused_complete_rejects_the_rows_of_all_its_files_and_all_correct_it(trade: Trade) -> None:
    trade.run("ship-1.csv", SHIPPED + "D1,A,2,T1,Brown\n")
    trade.sandbox.faults.add(kind="error", action="complete", text="not today")
    report = trade.run("ship-2.csv", SHIPPED + "D1,B,1,T2,Brown\n")
    assert report.exit_code == 1
    for name in ("ship-1.csv", "ship-2.csv"):
        assert trade.ends(name) == ("rejected", {"rejected": 1})
        assert trade.rows(name) == {2: "refused_by_retailops"} and "not today" in trade.said(name)
    for name in ("ship-1.csv", "ship-2.csv"):
        trade.run(f"mended-{name}", trade.corrected(name))
    assert trade.actions == ["Complete", "Complete"] and trade.status("D1") == "complete"
    assert trade.ends("mended-ship-1.csv") == ("accepted", {"delivered": 1})


def test_partial_send_completes_with_what_there_is(trade: Trade) -> None:
    trade.house.pack(PACK | {"shipments.yaml": PACK["shipments.yaml"] + "partial: send\n"})
    trade.run("ship.csv", SHIPPED + "D1,A,1,T1,Brown\n")
    assert trade.packages("D1") == {"T1": (ship_class(trade), {"A": 1})}


def test_a_completed_po_again_is_unchanged_whatever_file_names_it(trade: Trade) -> None:
    text = SHIPPED + "D1,A,2,T1,Brown\nD1,B,1,T2,Brown\n"
    trade.run("ship-1.csv", text)
    trade.run("ship-2.csv", text)
    trade.run("ship-3.csv", SHIPPED + "D1,B,1,T2,Brown\n")
    trade.run("ship-4.csv", SHIPPED + "D1,A,1,T1,Brown\nD1,A,1,T7,Brown\nD1,B,1,T2,Brown\n")
    assert trade.ends("ship-2.csv") == ("duplicate", {"unchanged": 2})
    assert trade.ends("ship-3.csv") == ("accepted", {"unchanged": 1})
    assert trade.rows("ship-4.csv") == {2: "too_many_units", 3: "too_many_units", 4: "unchanged"}
    assert trade.actions == ["Complete"]


def test_a_file_with_a_delivered_and_a_waiting_po(trade: Trade) -> None:
    trade.has("D2", A=2)
    trade.run("ship.csv", SHIPPED + "D1,,,T1,Brown\nD2,A,1,T2,Brown\n")
    assert trade.ends("ship.csv") == ("accepted", {"delivered": 1, "held": 1})
    assert trade.receipt("ship.csv")["held_for"]["code"] == "partial_shipment"
    trade.run("ship-2.csv", SHIPPED + "D2,A,1,T3,Brown\n")
    assert trade.ends("ship.csv") == ("accepted", {"delivered": 2})


def test_reject_file_keeps_back_the_good_pos_too(trade: Trade) -> None:
    trade.house.pack(PACK | {"shipments.yaml": PACK["shipments.yaml"] + "on_reject: reject_file\n"})
    trade.has("D2", A=1)
    trade.run("ship.csv", SHIPPED + "D1,,,T1,Brown\nD2,A,1,T2,Pigeon\n")
    assert trade.rows("ship.csv") == {2: "too_many_rejects", 3: "not_in_crosswalk"}
    assert trade.calls == []


def test_a_vendor_on_trial_sends_nothing(trade: Trade) -> None:
    trade.house.pack(PACK | {"vendor.yaml": 'vendor_id: "27"\ntest: true\n'})
    for name, text in (
        ("ship.csv", SHIPPED + "D1,A,1,T1,Brown\n"),
        ("ack.csv", ACKNOWLEDGED + "D1,,,01.12.2026,\n"),
        ("dates.csv", DATED + "D1,,,01.12.2026\n"),
        ("taken.csv", "PO\nD1\n"),
    ):
        trade.run(name, text)
        assert trade.ends(name) == ("held", {"held": 1})
        assert trade.receipt(name)["held_for"]["code"] == "test_vendor"
    assert trade.calls == []


# What people decide


def test_a_po_closed_short_is_completed_with_what_came(trade: Trade) -> None:
    trade.run("ship-1.csv", SHIPPED + "D1,A,1,T1,Brown\n")
    trade.run("ship-2.csv", SHIPPED + "D1,B,1,T2,Brown\n")
    assert trade.house.decide("close", "acme/D1").startswith("PO D1 is closed short")
    assert trade.house.decide("close", "acme/D1").startswith("Not done: Nothing of PO D1 waits")
    trade.run()
    assert set(trade.packages("D1")) == {"T1", "T2"}
    for name in ("ship-1.csv", "ship-2.csv"):
        assert trade.ends(name) == ("accepted", {"delivered": 1})
    trade.run("ship-3.csv", SHIPPED + "D1,A,1,T3,Brown\n")
    assert trade.rows("ship-3.csv") == {2: "too_many_units"}


def test_a_po_that_retailops_does_not_take_short_says_so_on_every_row(trade: Trade) -> None:
    trade.run("ship-1.csv", SHIPPED + "D1,A,1,T1,Brown\n")
    trade.run("ship-2.csv", SHIPPED + "D1,B,1,T2,Brown\n")
    trade.house.decide("close", "acme/D1")
    trade.sandbox.settings = trade.sandbox.settings.changed({"short_complete": "refuse"})
    assert trade.run().exit_code == 1
    for name in ("ship-1.csv", "ship-2.csv"):
        assert trade.rows(name) == {2: "refused_by_retailops"}
    assert trade.status("D1") == "submitted"


def test_an_acceptance_closed_short_goes_with_its_date(trade: Trade) -> None:
    trade.run("ack.csv", ACKNOWLEDGED + "D1,A,2,01.12.2026,\n")
    assert trade.ends("ack.csv") == ("held", {"held": 1})
    trade.house.decide("close", "acme/D1")
    trade.run()
    items = [{"po_item_id": 1, "quantity": 2}]
    assert trade.calls == [
        ("MarkAccepted", {"records": [{"po": "D1", "items": items}]}),
        ("UpdateEstShipDate", {"records": [{"po": "D1", "estimated_ship_date": NOON, "items": items}]}),
    ]
    assert trade.ends("ack.csv") == ("accepted", {"delivered": 1})


def test_all_that_waits_of_a_closed_po_goes_in_the_order_of_its_way(ready: Trade) -> None:
    for name in ("acknowledgements.yaml", "submissions.yaml"):
        fields = PACK["submissions.yaml"].replace("{po: PO}", "{po: PO, vpc: Item, quantity: Qty}")
        ready.house.write(f"mappings/acme/{name}", PACK[name] if "ack" in name else fields)
    ready.run("ship.csv", SHIPPED + "D1,A,1,T1,Brown\n")
    ready.run("ack.csv", ACKNOWLEDGED + "D1,A,2,,\n")
    ready.run("taken.csv", "PO,Item,Qty\nD1,A,2\n")
    assert ready.calls == []
    ready.house.decide("close", "acme/D1")
    for _ in range(3):
        ready.run()
    # A mark of a part of a PO is refused by the sandbox: the acceptance and the shipment come after it.
    assert ready.actions == ["MarkSubmitted", "MarkAccepted", "Complete"]


def test_a_discarded_part_is_not_counted(trade: Trade) -> None:
    trade.run("ship-1.csv", SHIPPED + "D1,A,2,T1,Brown\n")
    trade.house.decide("discard", trade.file_id("ship-1.csv"))
    trade.run()
    assert trade.rows("ship-1.csv") == {2: "discarded"}
    trade.run("ship-2.csv", SHIPPED + "D1,B,1,T2,Brown\n")
    assert trade.ends("ship-2.csv") == ("held", {"held": 1}) and trade.calls == []
    trade.run("ship-3.csv", SHIPPED + "D1,A,2,T3,Brown\n")
    assert set(trade.packages("D1")) == {"T2", "T3"}


def test_rows_that_wait_are_discarded_though_others_of_their_file_are_delivered(trade: Trade) -> None:
    trade.has("D2", A=2)
    trade.run("ship.csv", SHIPPED + "D1,,,T1,Brown\nD2,A,1,T2,Brown\n")
    assert "is given up" in trade.house.decide("discard", trade.file_id("ship.csv"))
    trade.run()
    assert trade.rows("ship.csv") == {2: "delivered", 3: "discarded"}
    assert trade.ends("ship.csv") == ("accepted_with_rejects", {"delivered": 1, "rejected": 1})


def test_rows_that_follow_what_waits_can_be_discarded_too(trade: Trade) -> None:
    trade.run("ship-1.csv", SHIPPED + "D1,A,1,T1,Brown\nD1,B,1,T1,Brown\n")
    trade.run("ship-2.csv", SHIPPED + "D1,A,1,T1,Brown\n")
    trade.house.decide("discard", trade.file_id("ship-2.csv"))
    trade.run()
    assert trade.rows("ship-2.csv") == {2: "discarded"}
    assert trade.ends("ship-1.csv") == ("held", {"held": 2})


def test_what_a_discarded_file_was_to_carry_waits_again(trade: Trade) -> None:
    trade.run("ship-1.csv", SHIPPED + "D1,A,2,T1,Brown\n")
    trade.sandbox.faults.add(kind="dispatcher_shutdown", action="complete", times=0)
    assert trade.run("ship-2.csv", SHIPPED + "D1,B,1,T2,Brown\n").exit_code == 3
    assert trade.ends("ship-1.csv") == ("pending", {"pending": 1})
    trade.house.decide("discard", trade.file_id("ship-2.csv"))
    trade.sandbox.faults.clear()
    trade.run()
    assert trade.rows("ship-2.csv") == {2: "discarded"}
    assert trade.ends("ship-1.csv") == ("held", {"held": 1})
    assert trade.status("D1") == "submitted"
    trade.run("ship-3.csv", SHIPPED + "D1,B,1,T3,Brown\n")
    assert set(trade.packages("D1")) == {"T1", "T3"}
    assert trade.ends("ship-1.csv") == ("accepted", {"delivered": 1})


# Acknowledgements and ship dates


def test_an_acceptance_with_a_date_is_two_calls_of_one_row(trade: Trade) -> None:
    trade.run("ack.csv", ACKNOWLEDGED + "D1,,,01.12.2026,\n")
    assert trade.calls == [ACCEPT, DATE]
    receipt = trade.receipt("ack.csv")
    assert (receipt["status"], receipt["outcomes"], receipt["calls"]["count"]) == (
        "accepted",
        {"delivered": 1},
        2,
    )
    assert (trade.status("D1"), trade.date("D1")) == ("accepted", NOON)


def test_a_refused_date_says_what_took_effect_and_dropped_back_only_the_date_goes(trade: Trade) -> None:
    trade.sandbox.faults.add(kind="error", action="update_est_ship_date", text="a holiday")
    report = trade.run("ack.csv", ACKNOWLEDGED + "D1,,,01.12.2026,\n")
    assert report.exit_code == 1
    assert (trade.status("D1"), trade.ends("ack.csv")) == ("accepted", ("rejected", {"rejected": 1}))
    assert trade.rows("ack.csv") == {2: "refused_by_retailops"}
    assert "a holiday" in trade.said("ack.csv") and "accepted" in trade.said("ack.csv")
    trade.run("mended.csv", trade.corrected("ack.csv", Ships="02.12.2026"))
    assert trade.actions == ["MarkAccepted", "UpdateEstShipDate", "UpdateEstShipDate"]
    assert trade.date("D1") == "2026-12-02T19:00:00Z"
    assert trade.ends("mended.csv") == ("accepted", {"delivered": 1})


def test_a_refused_acceptance_sends_no_date(trade: Trade) -> None:
    trade.sandbox.faults.add(kind="error", action="mark_accepted", text="not yet")
    trade.run("ack.csv", ACKNOWLEDGED + "D1,,,01.12.2026,\n")
    assert trade.calls == [ACCEPT]
    assert trade.rows("ack.csv") == {2: "refused_by_retailops"} and "not yet" in trade.said("ack.csv")
    trade.run("mended.csv", trade.corrected("ack.csv"))
    assert trade.calls == [ACCEPT, ACCEPT, DATE]


def test_one_refused_acceptance_of_many_keeps_no_other_back(trade: Trade) -> None:
    trade.has("D2", A=2, B=1, status="ready")
    trade.has("D3", A=2, B=1)
    trade.run("ack.csv", ACKNOWLEDGED + "D1,,,01.12.2026,\nD2,,,01.12.2026,\nD3,A,2,,\nD3,B,1,02.12.2026,\n")
    assert trade.rows("ack.csv") == {
        2: "delivered",
        3: "refused_by_retailops",
        4: "delivered",
        5: "delivered",
    }
    assert [trade.status(po) for po in ("D1", "D2", "D3")] == ["accepted", "ready", "accepted"]
    assert [trade.date(po) for po in ("D1", "D2")] == [NOON, None]


def test_a_part_goes_with_the_rest_though_another_po_of_that_call_is_refused(trade: Trade) -> None:
    trade.has("D2", A=1, status="ready")
    trade.run("ack-1.csv", ACKNOWLEDGED + "D1,A,2,01.12.2026,\n")
    trade.run("ack-2.csv", ACKNOWLEDGED + "D2,,,,\nD1,B,1,,\n")
    assert trade.ends("ack-1.csv") == ("accepted", {"delivered": 1})
    assert trade.rows("ack-2.csv") == {2: "refused_by_retailops", 3: "delivered"}
    date = {"po": "D1", "estimated_ship_date": NOON, "items": [{"po_item_id": 1, "quantity": 2}]}
    assert trade.calls[-1] == ("UpdateEstShipDate", {"records": [date]})


def test_a_refused_po_is_listed_until_a_later_file_accepts_it(trade: Trade) -> None:
    report = trade.run("ack-1.csv", ACKNOWLEDGED + "D1,A,2,,Declined\nD1,B,1,,\n")
    assert (report.exit_code, trade.calls) == (1, [])
    assert trade.rows("ack-1.csv") == {2: "refused_by_vendor", 3: "refused_by_vendor"}
    assert trade.waiting() == [("refused_by_vendor", "ack-1.csv")]
    trade.run("ack-2.csv", ACKNOWLEDGED + "D1,,,,\n")
    assert (trade.calls, trade.waiting()) == ([ACCEPT], [])
    assert trade.ends("ack-1.csv") == ("accepted", {"superseded": 2})


def test_a_back_order_is_held_without_a_date_and_accepted_with_one(trade: Trade) -> None:
    trade.run("ack-1.csv", ACKNOWLEDGED + "D1,A,2,,Later\nD1,B,1,,\n")
    assert (trade.calls, trade.ends("ack-1.csv")) == ([], ("held", {"held": 2}))
    trade.run("ack-2.csv", ACKNOWLEDGED + "D1,A,2,01.12.2026,Later\nD1,B,1,,\n")
    date = {"po": "D1", "estimated_ship_date": NOON, "items": [{"po_item_id": 1, "quantity": 2}]}
    assert trade.calls == [ACCEPT, ("UpdateEstShipDate", {"records": [date]})]


def test_ship_dates_are_said_when_they_change_there_and_back_again(trade: Trade) -> None:
    for number, (day, outcome) in enumerate(
        (("01", "delivered"), ("01", "unchanged"), ("02", "delivered"), ("01", "delivered"))
    ):
        trade.run(f"dates-{number}.csv", f"{DATED}D1,,,{day}.12.2026\n")
        assert trade.receipt(f"dates-{number}.csv")["outcomes"] == {outcome: 1}
    assert [body["records"][0]["estimated_ship_date"][:10] for _, body in trade.calls] == [
        "2026-12-01",
        "2026-12-02",
        "2026-12-01",
    ]


def test_a_date_is_said_again_while_the_answer_of_another_is_owed(trade: Trade) -> None:
    trade.run("dates-1.csv", DATED + "D1,,,01.12.2026\n")
    trade.sandbox.faults.add(kind="drop_after", action="update_est_ship_date", times=0)
    assert trade.run("dates-2.csv", DATED + "D1,,,02.12.2026\n").exit_code == 3
    assert trade.date("D1") == "2026-12-02T19:00:00Z"
    trade.run("dates-3.csv", DATED + "D1,,,01.12.2026\n")
    trade.sandbox.faults.clear()
    trade.run()
    trade.run()
    assert trade.ends("dates-3.csv") == ("accepted", {"delivered": 1})
    trade.house.clock.move(3600)
    trade.run()
    assert trade.date("D1") == NOON


def test_a_ship_date_of_another_layout_is_refused_on_its_row(trade: Trade) -> None:
    trade.run("dates.csv", DATED + "D1,A,2,2026-12-01\nD1,B,1,01.12.2026\n")
    assert trade.rows("dates.csv") == {2: "bad_date", 3: "group_rejected"}
    assert trade.calls == []


# Submissions


def test_on_submission_a_file_marks_what_was_exported(ready: Trade) -> None:
    ready.house.pack(
        PACK
        | {
            "purchase-orders.yaml": "document: purchase-orders\nsubmit: on_submission\n"
            "columns: {PO: po, Item: vpc, Qty: quantity}\n"
        }
    )
    ready.run()
    assert ready.calls == []
    ready.run("taken.csv", "PO\nD1\n")
    assert ready.calls == [mark("MarkSubmitted")]
    assert ready.ends("taken.csv") == ("accepted", {"delivered": 1})
    ready.run("taken-2.csv", "PO\nD1\n")
    assert ready.ends("taken-2.csv")[1] == {"unchanged": 1}
    assert len(ready.calls) == 1


def test_all_documents_of_a_po_at_once_go_in_their_order(ready: Trade) -> None:
    ready.house.drop("ship.csv", SHIPPED + "D1,,,T1,Brown\n")
    ready.house.drop("ack.csv", ACKNOWLEDGED + "D1,,,01.12.2026,\n")
    ready.house.drop("taken.csv", "PO\nD1\n")
    ready.run()
    assert ready.actions == ["MarkSubmitted", "MarkAccepted", "UpdateEstShipDate", "Complete"]
    assert ready.status("D1") == "complete"


# POs that change


def test_a_po_that_changed_since_it_was_written_is_told_before_it_is_accepted(ready: Trade) -> None:
    ready.house.pack(
        PACK
        | {
            "vendor.yaml": 'vendor_id: "27"\ntime_zone: America/Denver\nchanges_after_submit: true\n',
            "purchase-orders.yaml": "document: purchase-orders\n"
            "columns: {PO: po, Item: vpc, Qty: quantity}\n",
        }
    )
    ready.run()
    orders = ready.house.root / "outbox/acme/orders"
    assert [path.name for path in orders.iterdir()] == ["PO_acme_000001.csv"]
    ready.sandbox.state.change_po("D1", items=[{"po_item_id": 1, "vpc": "A", "quantity": 3}])
    seen: list[list[str]] = []
    watch_calls(ready, "MarkAccepted", lambda: seen.append(sorted(path.name for path in orders.iterdir())))
    ready.run("ack.csv", ACKNOWLEDGED + "D1,,,,\n")
    assert seen == [["PO_acme_000001.csv", "PO_acme_000001_rev2.csv"]]
    assert ready.calls[-1] == (
        "MarkAccepted",
        {"records": [{"po": "D1", "items": [{"po_item_id": 1, "quantity": 3}]}]},
    )
    assert ready.ends("ack.csv") == ("accepted", {"delivered": 1})


def watch_calls(trade: Trade, action: str, then: Callable[[], None]) -> None:
    """Do something in the moment in which a call arrives, before it is applied."""
    take = trade.sandbox.faults.take

    def watched(name: str) -> Any:
        if name.endswith(action):
            then()
        return take(name)

    trade.sandbox.faults.take = watched


def test_rows_that_wait_for_units_that_a_changed_po_has_no_more_are_not_sent(trade: Trade) -> None:
    trade.house.pack(PACK | {"vendor.yaml": 'vendor_id: "27"\nchanges_after_submit: true\n'})
    trade.run("ship-1.csv", SHIPPED + "D1,A,2,T1,Brown\n")
    items = [{"po_item_id": 1, "vpc": "A", "quantity": 1}, {"po_item_id": 2, "vpc": "B", "quantity": 1}]
    trade.sandbox.state.change_po("D1", items=items)
    trade.run("ship-2.csv", SHIPPED + "D1,B,1,T2,Brown\n")
    assert trade.rows("ship-2.csv") == {2: "conflicting_rows"} and trade.calls == []
    trade.run("ship-3.csv", SHIPPED + "D1,A,1,T1,Brown\nD1,B,1,T2,Brown\n")
    assert trade.actions == ["Complete"] and trade.status("D1") == "complete"


def test_a_po_that_could_not_be_read_is_asked_for_again(trade: Trade) -> None:
    trade.has("D2", A=1)
    trade.sandbox.state.change_po("D2", items=[{"po_item_id": 1, "vpc": "A"}])
    trade.run("ship-1.csv", SHIPPED + "D2,,,T1,Brown\n")
    assert trade.rows("ship-1.csv") == {2: "unknown_item"} and trade.calls == []
    trade.sandbox.state.change_po("D2", items=[{"po_item_id": 1, "vpc": "A", "quantity": 1}])
    trade.run("ship-2.csv", SHIPPED + "D2,,,T1,Brown\n")
    assert trade.packages("D2") == {"T1": (ship_class(trade), {"A": 1})}


# What goes wrong outside

FILES = {
    "complete": ("ship.csv", SHIPPED + "D1,,,T1,Brown\n", "submitted", "complete"),
    "mark_accepted": ("ack.csv", ACKNOWLEDGED + "D1,,,,\n", "submitted", "accepted"),
    "mark_submitted": ("taken.csv", "PO\nD1\n", "ready", "submitted"),
}
APPLIED = ("timeout_after", "drop_after", "http_error_after")
NOT_APPLIED = ("drop_before", "http_error")


@pytest.fixture(params=FILES)
def lost(request: pytest.FixtureRequest, house: Any) -> Iterator[tuple[Trade, str, str, str, str]]:
    name, text, before, after = FILES[request.param]
    trade = Trade(house, before)
    house.write("filebridge.yaml", _impatient(house.root / "filebridge.yaml"))
    house.workspace = type(house.workspace).open(house.root, environment={})
    yield trade, request.param, name, text, after


def _impatient(path: Path) -> str:
    return path.read_text().replace("timeout: 5s", "timeout: 300ms").replace("deadline: 6s", "deadline: 1s")


@pytest.mark.parametrize("kind", [*APPLIED, *NOT_APPLIED])
def test_a_lost_answer_is_settled_by_a_look_and_takes_effect_once(lost: Any, kind: str) -> None:
    trade, action, name, text, after = lost
    trade.sandbox.faults.add(kind=kind, action=action, **({"seconds": 2} if "timeout" in kind else {}))
    trade.run(name, text)
    trade.run()
    trade.run()
    assert trade.ends(name) == ("accepted", {"delivered": 1})
    assert trade.status("D1") == after
    assert len(trade.calls) == (1 if kind in APPLIED else 2)


@pytest.mark.parametrize("kind", ["drop_after", "drop_before"])
def test_a_lost_complete_of_two_files_is_the_end_of_both(trade: Trade, kind: str) -> None:
    trade.run("ship-1.csv", SHIPPED + "D1,A,2,T1,Brown\n")
    trade.sandbox.faults.add(kind=kind, action="complete", times=0)
    trade.sandbox.faults.add(kind="html_502", action="Vendor.PO.fetch", times=0)
    assert trade.run("ship-2.csv", SHIPPED + "D1,B,1,T2,Brown\n").exit_code == 3
    for name in ("ship-1.csv", "ship-2.csv"):
        assert trade.ends(name) == ("pending", {"uncertain": 1})
    trade.sandbox.faults.clear()
    trade.run()
    for name in ("ship-1.csv", "ship-2.csv"):
        assert trade.ends(name) == ("accepted", {"delivered": 1})
    assert len(trade.sandbox.state.po("D1")["packages"]) == 2
    assert len(trade.calls) == (1 if kind == "drop_after" else 2)


def test_while_retailops_cannot_be_asked_the_file_stays_and_reads_do_not_count(trade: Trade) -> None:
    trade.run()
    trade.sandbox.faults.add(kind="html_502", action="fetch", times=0)
    for number in range(4):
        report = trade.run(*(("ship.csv", SHIPPED + "D1,,,T1,Brown\n") if not number else ()))
        assert report.exit_code == 3
    trade.sandbox.faults.clear()
    assert trade.run().exit_code == 0
    assert trade.ends("ship.csv") == ("accepted", {"delivered": 1})


def test_a_wrong_key_keeps_files_and_rejects_nothing(trade: Trade) -> None:
    trade.has("D2", A=1)
    key = trade.house.root / "key"
    right = key.read_text()
    key.write_text("not-the-key")
    for name, text in (
        ("ship.csv", SHIPPED + "D1,,,T1,Brown\n"),
        ("dates.csv", DATED + "D2,,,01.12.2026\n"),
    ):
        assert trade.run(name, text).exit_code == 3
    key.write_text(right)
    assert trade.run().exit_code == 0
    assert trade.ends("ship.csv") == ("accepted", {"delivered": 1})
    assert trade.ends("dates.csv") == ("accepted", {"delivered": 1})
    assert trade.actions == ["Complete", "UpdateEstShipDate"]


# Preview


def test_preview_before_the_first_run_does_not_judge_what_it_cannot_know(trade: Trade) -> None:
    path = trade.house.drop("ship.csv", SHIPPED + "D1,A,x,T1,Brown\nD1,B,1,T1,Brown\nX,,,T1,Brown\n")
    said = trade.house.preview(path).as_json()
    assert said["plan"] == []
    assert [(row["row"], row["outcome"], row["code"]) for row in said["rows"]] == [
        (2, "rejected", "bad_number"),
        (3, "pending", "not_fetched"),
        (4, "pending", "not_fetched"),
    ]
    assert len(trade.sandbox.calls) == 0


def test_preview_is_run_row_by_row_and_body_by_body(trade: Trade) -> None:
    trade.has("D2", A=2, B=1)
    trade.has("D3", A=1)
    trade.run("ack-0.csv", ACKNOWLEDGED + "X,,,,\nD2,A,2,01.12.2026,\nD3,,,,\n")
    trade.run("ship-0.csv", SHIPPED + "D1,A,1,T1,Brown\nD3,,,T9,Brown\n")
    for name, text in (
        ("ack-1.csv", ACKNOWLEDGED + "D1,A,2,02.12.2026,Declined\nD2,B,1,02.12.2026,\nD3,A,9,,\n"),
        ("dates-1.csv", DATED + "D1,A,2,03.12.2026\nD1,B,1,04.12.2026\nD2,,,01.12.2026\nD3,C,1,x\n"),
        ("ship-1.csv", SHIPPED + "D1,A,1,T1,Brown\nD2,A,2,T1,Brown\nD3,,,T9,Brown\nD3,A,1,T1,Brown\n"),
        ("ship-2.csv", SHIPPED + "D1,A,1,T1,Brown\nD1,A,1,T2,Brown\nD1,B,1,T2,Pigeon\n"),
        ("ship-3.csv", SHIPPED + 'D1,A,1,T1,Brown\nD1,A,1,T2,Brown\nD1,B,1,"T2",Brown\nD2,B,1,T3,Brown\n'),
        ("taken-1.csv", "PO\nD1\nD2\n"),
    ):
        trade.house.run_as_previewed(name, text)
        trade.house.clock.move(60)
    assert [trade.status(po) for po in ("D1", "D2", "D3")] == ["complete"] * 3


# The command line


def test_exit_codes_and_lists_of_the_command_line(office: Callable[..., Any], retailops: Any) -> None:
    made = office({"vendor.yaml": 'vendor_id: "27"\ntime_zone: America/Denver\n', **PACK})
    items = [{"po_item_id": 1, "vpc": "A", "quantity": 2}, {"po_item_id": 2, "vpc": "B", "quantity": 1}]
    pos = [{"po": po, "vendor_id": 27, "status": "submitted", "items": items} for po in ("D1", "D2")]
    retailops.ask("pos", [{**po, "date_submit": "2026-01-20T17:00:00Z"} for po in pos])
    made.write("inbox/acme/ship.csv", SHIPPED + "D1,A,1,T1,Brown\n")
    assert made.run("run")[0] == 0
    made.write("inbox/acme/ack.csv", ACKNOWLEDGED + "D2,A,2,,Declined\nD2,B,1,,\n")
    assert made.run("run")[0] == 1
    code, out, _ = made.run("exceptions", "--json")
    (listed,) = json.loads(out)["exceptions"]
    assert (code, listed["po"]) == (0, "D2")
    assert [(item["vpc"], item["status"]) for item in listed["items"]] == [
        ("A", "rejected"),
        ("B", "accepted"),
    ]
    assert made.run("orders", "close", "D1")[0] == 2
    assert made.run("orders", "close", "D1", "--short")[0] == 0
    assert made.run("run")[0] == 0
    (body,) = [json.loads(body) for path, body in retailops.calls() if path.endswith("Complete.json")]
    assert [package["tracking_number"] for package in body["packages"]] == ["T1"]
    assert made.receipt("ship.csv")["outcomes"] == {"delivered": 1}
