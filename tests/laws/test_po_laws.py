"""What holds of any files about POs, over the whole way in: real folders, a ledger, a sandbox."""

from __future__ import annotations

import csv
import json
from collections import Counter
from io import StringIO
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

PACK = {
    "shipments.yaml": """\
document: shipments
match: ["ship*"]
fields:
  po: PO
  vpc: Item
  quantity: Qty
  tracking_number: {column: Tracking, split: [","]}
  carrier: Ship Via
""",
    "acknowledgements.yaml": """\
document: acknowledgements
match: ["ack*"]
fields:
  po: PO
  vpc: Item
  quantity: Qty
  estimated_ship_date: {column: Ships, date: "%Y-%m-%d"}
  status: Status
""",
    "ship-dates.yaml": """\
document: ship-dates
match: ["dates*"]
fields: {po: PO, vpc: Item, quantity: Qty, estimated_ship_date: {column: Ships, date: "%Y-%m-%d"}}
""",
}
ORDERED = {"D1": {"A": 2, "B": 1}, "D2": {"A": 3}, "D3": {"A": 1, "B": 2, "C": 1}}
ITEMS = {
    "D1": [(1, "A", 2), (2, "B", 1)],
    "D2": [(1, "A", 2), (2, "A", 1)],
    "D3": [(1, "A", 1), (2, "B", 2), (3, "C", 1)],
}
PO = st.sampled_from(["D1", "D1", "D2", "D3", "X", ""])
ITEM = st.sampled_from(["A", "A", "B", "C", "", "1.23E+17"])
UNITS = st.sampled_from(["1", "1", "2", "3", "", "0", "x"])
DATE = st.sampled_from(["2026-12-01", "2026-12-02", "", "soon"])
ROW = {
    "ship": st.tuples(
        PO,
        ITEM,
        UNITS,
        st.sampled_from(["T1", "T2", "T3", "T4,T5", ""]),
        st.sampled_from(["UPS Ground", "UPS Ground", "UPS Ground", "Pigeon"]),
    ),
    "ack": st.tuples(PO, ITEM, UNITS, DATE, st.sampled_from(["", "", "accepted", "backordered", "rejected"])),
    "dates": st.tuples(PO, ITEM, UNITS, DATE),
}
HEAD = {
    "ship": ("PO", "Item", "Qty", "Tracking", "Ship Via"),
    "ack": ("PO", "Item", "Qty", "Ships", "Status"),
    "dates": ("PO", "Item", "Qty", "Ships"),
}
FILES = st.lists(
    st.sampled_from(["ship", "ship", "ack", "dates"]).flatmap(
        lambda kind: st.tuples(st.just(kind), st.lists(ROW[kind], min_size=1, max_size=6))
    ),
    min_size=1,
    max_size=4,
)
few = settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def csv_of(kind: str, rows: Any) -> str:
    written = StringIO(newline="")
    csv.writer(written).writerows([HEAD[kind], *rows])
    return written.getvalue()


def fill(house: Any) -> None:
    """Have RetailOps hold the POs, and the ledger know them and the ship classes."""
    date = "2026-11-20T17:00:00Z"
    house.sandbox.state.add_pos(
        {
            "po": po,
            "vendor_id": 27,
            "status": "submitted",
            "date_submit": date,
            "items": [{"po_item_id": number, "vpc": vpc, "quantity": count} for number, vpc, count in items],
        }
        for po, items in ITEMS.items()
    )
    house.drop("dates.csv", csv_of("dates", [(po, "", "", "2026-11-30") for po in ITEMS]))
    house.run()


def completes(house: Any) -> list[Any]:
    """The bodies of all calls that complete a PO."""
    return [json.loads(call.body) for call in house.sandbox.calls if call.action.endswith("Complete")]


def units_of(body: Any) -> Counter[str]:
    found: Counter[str] = Counter()
    for package in body["packages"]:
        for item in package["items"]:
            found[item["vpc"]] += item["quantity"]
    return found


@few
@given(files=FILES, partial=st.sampled_from(["hold", "send"]))
def test_any_file_is_sent_as_previewed_and_every_row_has_one_end(
    fresh_house: Any, files: Any, partial: str
) -> None:
    pack = {name: f"{text}partial: {partial}\n" for name, text in PACK.items()}
    with fresh_house(pack) as house:
        fill(house)
        for number, (kind, rows) in enumerate(files):
            name, before = f"{kind}-{number}.csv", len(house.bodies())
            house.clock.move(60)
            house.run_as_previewed(name, csv_of(kind, rows))
            receipt = house.receipt(name)
            ends = {row["row"]: row["outcome"] for row in house.rows(receipt["file"]["id"])}
            assert sum(receipt["outcomes"].values()) == receipt["file"]["rows"] == len(ends) == len(rows)
            assert Counter(ends.values()) == receipt["outcomes"]
            assert not {"pending", "uncertain"} & {*ends.values()}
            _check_calls(house, before, {rows[row - 2][0] for row, end in ends.items() if end == "rejected"})
            calls = len(house.bodies())
            assert (house.run().files, len(house.bodies())) == ([], calls)
        _check_completes(house, partial)


def _check_calls(house: Any, before: int, rejected: set[str]) -> None:
    """No call of a file is about a PO of which one of its rows is rejected, but for those that RetailOps refused."""
    for body in map(json.loads, house.bodies()[before:]):
        for record in body.get("records", [body]):
            refused = (
                house.sandbox.state.po(record["po"])["status"] == "complete" and "packages" not in record
            )
            assert refused or record["po"] not in rejected


def _check_completes(house: Any, partial: str) -> None:
    """Every PO is completed once at most, with what was ordered of it and no more."""
    sent = {body["po"]: units_of(body) for body in completes(house)}
    assert len(sent) == len(completes(house))
    for po, units in sent.items():
        assert house.sandbox.state.po(po)["status"] == "complete"
        assert units and all(0 < count <= ORDERED[po].get(vpc, 0) for vpc, count in units.items())
        assert partial == "send" or units == ORDERED[po]


PARCELS = [("D3", "A", "1", "T1"), ("D3", "B", "1", "T1"), ("D3", "B", "1", "T2"), ("D3", "C", "1", "T3")]


@few
@given(
    rows=st.permutations(PARCELS),
    cuts=st.sets(st.integers(1, 3)),
    again=st.lists(st.booleans(), min_size=4, max_size=4),
    at_once=st.booleans(),
)
def test_a_po_in_any_files_in_any_order_is_one_complete(
    fresh_house: Any, rows: Any, cuts: set[int], again: list[bool], at_once: bool
) -> None:
    with fresh_house(PACK) as house:
        fill(house)
        edges = [0, *sorted(cuts), 4]
        names = []
        for number, (start, end) in enumerate(pairwise(edges)):
            text = csv_of("ship", [(*row, "UPS Ground") for row in rows[start:end]])
            for copy in range(1 + again[number]):
                names.append((f"ship-{number}{copy}.csv", end - start))
                house.drop(names[-1][0], text)
                if not at_once:
                    house.run()
        house.run()
        (body,) = completes(house)
        packages = {
            package["tracking_number"]: {item["vpc"]: item["quantity"] for item in package["items"]}
            for package in body["packages"]
        }
        assert packages == {"T1": {"A": 1, "B": 1}, "T2": {"B": 1}, "T3": {"C": 1}}
        assert len(body["packages"]) == 3
        ends: Counter[str] = Counter()
        for name, count in names:
            outcomes = house.receipt(name)["outcomes"]
            assert sum(outcomes.values()) == count
            ends.update(outcomes)
        assert ends["delivered"] == 4 and set(ends) <= {"delivered", "superseded", "unchanged"}


LOST = st.lists(
    st.tuples(
        st.sampled_from(
            ["drop_after", "drop_before", "http_error", "http_error_after", "dispatcher_shutdown"]
        ),
        st.sampled_from(["complete", "mark_accepted", "update_est_ship_date", "Vendor.PO.fetch"]),
        st.integers(1, 3),
    ),
    max_size=3,
)
WHOLE = st.sampled_from(["D1", "D2"])
DAY = st.sampled_from(["2026-12-01", "2026-12-02", "2026-12-03"])
PLAIN = st.one_of(
    st.tuples(
        st.just("dates"), st.lists(st.tuples(WHOLE, st.just(""), st.just(""), DAY), min_size=1, max_size=1)
    ),
    st.tuples(
        st.just("ack"),
        st.lists(st.tuples(WHOLE, st.just(""), st.just(""), DAY, st.just("")), min_size=1, max_size=1),
    ),
    st.tuples(
        st.just("ship"),
        st.permutations([(*row, "UPS Ground") for row in PARCELS]).map(lambda rows: rows[:2]),
    ),
)


@few
@given(files=st.lists(st.tuples(PLAIN, LOST), min_size=1, max_size=5))
def test_whatever_answers_are_lost_what_is_told_is_what_retailops_holds(fresh_house: Any, files: Any) -> None:
    with fresh_house(PACK) as house:
        fill(house)
        names = []
        for number, ((kind, rows), lost) in enumerate(files):
            house.sandbox.faults.add(
                [{"kind": how, "action": action, "times": times} for how, action, times in lost]
            )
            house.clock.move(60)
            names.append((f"{kind}-{number}.csv", rows))
            house.drop(names[-1][0], csv_of(kind, rows))
            house.run()
        house.sandbox.faults.clear()
        for _ in range(4):
            house.clock.move(700)
            house.run()
        said: dict[str, str] = {}
        for name, rows in names:
            receipt = house.receipt(name)
            outcomes = {row["row"]: row["outcome"] for row in house.rows(receipt["file"]["id"])}
            assert not {"pending", "uncertain"} & {*outcomes.values()}
            for row, cells in enumerate(rows, 2):
                held = house.sandbox.state.po(cells[0])
                if outcomes[row] not in ("delivered", "unchanged"):
                    continue
                if name.startswith("ship"):
                    parcels = {
                        (one["tracking_number"], item["vpc"])
                        for one in held["packages"]
                        for item in one["items"]
                    }
                    assert (cells[3], cells[1]) in parcels
                else:
                    said[cells[0]] = cells[3]
                    assert name.startswith("dates") or held["status"] == "accepted"
        for po, date in said.items():
            assert house.sandbox.state.po(po)["estimated_ship_date"] == f"{date}T19:00:00Z"
