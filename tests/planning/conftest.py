"""Files about POs for the pure planners: rows in, plan out, and a small memory of what plans have said."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from filebridge.clock import SECOND
from filebridge.columns import unpack
from filebridge.documents.po_rows import PoRow
from filebridge.documents.purchase_orders import PoItem
from filebridge.documents.ship_classes import Carriers, ShipClass
from filebridge.mapping.mapped import BY_RECORD, MappedFile, RowRuns
from filebridge.mapping.model import Mapping as Feed
from filebridge.outcomes import OUTCOME_BY_CODE, OUTCOME_CODES, Outcome
from filebridge.planning.acknowledgements import plan_acknowledgements, plan_submissions
from filebridge.planning.known import FileFacts, KnownFeed
from filebridge.planning.known_pos import Completion, KnownPo, KnownPos, Mark, Waiting, summed
from filebridge.planning.plan import Action, Plan, PlannedCall
from filebridge.planning.po_file import PoFile
from filebridge.planning.ship_dates import plan_ship_dates
from filebridge.planning.shipments import plan_shipments
from filebridge.retailops import wire
from filebridge.tables.table import ReadHow

NOW = 1_800_000_000 * SECOND
DAY = 86_400 * SECOND
FIELDS = {
    "shipments": (
        *("vpc", "po_item_id", "quantity", "tracking_number"),
        *("carrier", "ship_class_id", "package", "unit_count"),
    ),
    "acknowledgements": ("vpc", "po_item_id", "quantity", "estimated_ship_date", "status"),
    "ship-dates": ("estimated_ship_date", "vpc", "po_item_id", "quantity"),
    "submissions": ("vpc", "po_item_id", "quantity"),
}
HEADERS = {"po": "PO", "vpc": "Item", "quantity": "Qty", "tracking_number": "Tracking", "carrier": "Ship Via"}
CLASSES = (
    ShipClass(7, "UPS Ground"),
    ShipClass(60, "FedEx 2Day"),
    ShipClass(94, "FedEx 2Day"),
    ShipClass("s-3", "Truck"),
    ShipClass(12, "Old Post", active=False),
)
CARRIERS = Carriers(CLASSES, {"Brown": "7", "Gone": "999"}, "mappings/acme/carriers.yaml")


@dataclass(frozen=True)
class Planned:
    """What a planner made of a file, in words that a test can compare."""

    plan: Plan

    @property
    def outcomes(self) -> dict[int, str]:
        """Outcome by row; `call` where it is that of a call to be sent, `waits` where the row is kept."""
        rows, codes, records = self.plan.runs.rows()
        kept = self.plan.waiting()
        words = [
            ("waits" if record in kept else "call") if code == BY_RECORD else OUTCOME_BY_CODE[code].value
            for code, record in zip(codes.tolist(), records.tolist(), strict=True)
        ]
        return dict(zip(rows.tolist(), words, strict=True))

    @property
    def codes(self) -> dict[int, list[str]]:
        """The codes of the rows that cannot go."""
        found: dict[int, list[str]] = {}
        for reject in self.plan.rejects:
            found.setdefault(reject.row, []).append(reject.code)
        return found

    def message(self, row: int) -> str:
        return " ".join(reject.message for reject in self.plan.rejects if reject.row == row)

    @property
    def sent(self) -> list[tuple[str, list[Any]]]:
        """Each call that is sent: its action, and its records."""
        return [(one.action.value, records_of(one)) for one in self.plan.calls if one.is_sent]

    @property
    def holds(self) -> dict[str, str]:
        """The code for which each PO waits."""
        return {one.pos[0]: one.waits.code for one in self.plan.calls if one.waits}

    @property
    def packages(self) -> dict[str, list[tuple[Any, str, dict[str, int]]]]:
        """The packages of each PO that is completed: ship class, tracking number, units by VPC."""
        found: dict[str, list[tuple[Any, str, dict[str, int]]]] = {}
        for action, records in self.sent:
            for record in records if action == "complete" else ():
                assert record["po"] not in found, "a PO is completed once"
                found[record["po"]] = []
                for package in record["packages"]:
                    units = {item["vpc"]: item["quantity"] for item in package["items"]}
                    assert package["unit_count"] == sum(units.values())
                    assert len(units) == len(package["items"])
                    about = (package["ship_class_id"], package["tracking_number"], units)
                    found[record["po"]].append(about)
        return found


def records_of(call: PlannedCall) -> list[Any]:
    return [json.loads(text) for text in unpack(call.block).column("records").to_pylist()]


@dataclass
class Office:
    """Plans files one after the other. RetailOps confirms all that is sent; what waits is kept."""

    pos: dict[str, KnownPo] = field(default_factory=dict)
    carriers: Carriers | None = CARRIERS
    partial: str = "hold"
    keys: dict[str, Any] = field(default_factory=dict)
    """More keys of the mapping."""
    unknown: frozenset[str] = frozenset()
    test: bool = False
    _calls: int = 0
    _files: int = 0

    def has(self, po: str, *items: tuple[Any, str, int], status: str = "submitted", **past: Any) -> Office:
        """RetailOps has this PO, which the ledger knows; items are id, VPC and units."""
        self.pos[po] = KnownPo(po, status, tuple(PoItem(*item) for item in items), **past)
        return self

    def plan(
        self,
        document: str,
        *rows: Mapping[str, Any],
        bad: Mapping[str, int] | None = None,
        split: str = "",
        sha256: str = "new",
        feed: KnownFeed | None = None,
    ) -> Planned:
        """The plan of a file of these rows from row 2 on; `bad` are POs with a row that could not be read."""
        steps: dict[str, Any] = {name: HEADERS.get(name, name) for name in ("po", *FIELDS[document])}
        if split:
            steps["tracking_number"] = {"column": "Tracking", "split": list(split)}
        mapping = Feed.model_validate(
            {"document": document, "fields": steps, "partial": self.partial, **self.keys}
        )
        found = [PoRow(number, **row) for number, row in enumerate(rows, 2)]
        file = PoFile(
            _mapped(document, len(rows), bad or {}),
            found,
            FileFacts(sha256=sha256, received_at=NOW, now=NOW, test=self.test),
            mapping,
            KnownPos(dict(self.pos), self.unknown),
            wire,
        )
        known_feed = feed or KnownFeed()
        if document == "shipments":
            return Planned(plan_shipments(file, self.carriers, known_feed))
        planner = {
            "acknowledgements": plan_acknowledgements,
            "ship-dates": plan_ship_dates,
            "submissions": plan_submissions,
        }[document]
        return Planned(planner(file, known_feed))

    def take(self, document: str, *rows: Mapping[str, Any], **how: Any) -> Planned:
        """Plan a file and have what it says be done: calls are confirmed, what waits is kept."""
        planned = self.plan(document, *rows, **how)
        self._files += 1
        for call in planned.plan.calls:
            self._do(call, document)
        self._forget(planned.plan.replaces)
        return planned

    def _do(self, call: PlannedCall, document: str) -> None:
        self._calls += 1
        self._forget(call.joins)
        if call.follows:
            return
        for record in records_of(call):
            self.pos[record["po"]] = self._after(call, record, document)

    def _after(self, call: PlannedCall, record: Any, document: str) -> KnownPo:
        po = self.pos[record["po"]]
        if call.waits:
            name = {
                "shipments": "shipments_waiting",
                "acknowledgements": "acknowledgements_waiting",
                "submissions": "submissions_waiting",
            }[document]
            waiting = Waiting(self._calls, f"file-{self._files}.csv", record, call.waits.code)
            return replace(po, **{name: (*getattr(po, name), waiting)})
        if call.action is Action.COMPLETE:
            done = Completion(self._calls, is_open=False, units=_parcels(record))
            return replace(po, status="complete", completions=(*po.completions, done))
        items = [(str(item["po_item_id"]), item["quantity"]) for item in record["items"]]
        if call.action is Action.UPDATE_EST_SHIP_DATE:
            at = wire_instant(record["estimated_ship_date"])
            return replace(
                po, dates={**po.dates, **{item: frozenset({(at, count)}) for item, count in items}}
            )
        mark = Mark(self._calls, is_open=False, units=summed(items))
        if call.action is Action.MARK_ACCEPTED:
            return replace(po, status="accepted", acceptances=(*po.acceptances, mark))
        return replace(po, status="submitted", submissions=(*po.submissions, mark))

    def _forget(self, ids: Sequence[int]) -> None:
        names = ("shipments_waiting", "acknowledgements_waiting", "submissions_waiting")
        for po in self.pos.values():
            kept = {name: tuple(one for one in getattr(po, name) if one.call_id not in ids) for name in names}
            self.pos[po.po] = replace(po, **kept)


def wire_instant(text: str) -> int:
    from filebridge.retailops.reading import instant_of

    return instant_of(text) or 0


def _parcels(record: Any) -> dict[tuple[str, str], int]:
    return summed(
        ((package["tracking_number"], item["vpc"]), item["quantity"])
        for package in record["packages"]
        for item in package["items"]
    )


def _mapped(document: str, count: int, bad: Mapping[str, int]) -> MappedFile:
    """A mapped file of `count` good rows from row 2 on, and after them a bad row of each PO of `bad`."""
    rows = np.array([*range(2, 2 + count), *bad.values()], np.int32)
    outcomes = [BY_RECORD] * count + [OUTCOME_CODES[Outcome.REJECTED]] * len(bad)
    records = [*range(count), *[-1] * len(bad)]
    fields = ("po", *FIELDS[document])
    return MappedFile(
        document=document,
        fields=fields,
        headers=tuple(HEADERS.get(name, name) for name in fields),
        how=ReadHow("csv", header_row=1),
        rows=len(rows),
        records=count,
        rejects=len(bad),
        runs=RowRuns.of_rows(rows, np.array(outcomes, np.int32), np.array(records, np.int32)),
        rejected_keys=tuple(bad),
        rejected_key_rows=tuple(bad.values()),
    )


@pytest.fixture
def office() -> Office:
    """A ledger that knows PO D1: 2 units of A (item 1) and 1 of B (item 2)."""
    return Office().has("D1", (1, "A", 2), (2, "B", 1))


@pytest.fixture(scope="session")
def new_office() -> type[Office]:
    """Offices for tests that need several; they know no PO."""
    return Office
