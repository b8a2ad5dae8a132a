"""A ledger on disk, a RetailOps stand-in that listens, and calls that wait to be delivered."""

import json
import time
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
import sqlalchemy as sa

from filebridge.clock import SECOND, SystemClock, to_micros
from filebridge.columns import int_array, pack, text_column, unpack
from filebridge.delivery import Channel, deliver, restate_due
from filebridge.delivery.journal import keys_of
from filebridge.ledger import calls
from filebridge.ledger.connect import open_ledger
from filebridge.ledger.schema import call, call_block, call_po, file, order_file, row_block
from filebridge.mapping.mapped import BY_RECORD, RowRuns
from filebridge.planning.plan import Action, PlannedCall
from filebridge.retailops.client import RetailOps, Timeouts
from filebridge.retailops.wire import complete_body, mark_record, ship_date_record
from filebridge.sandbox import Sandbox, State

KEY = "invented-key-0123456789"


class SteppingClock(SystemClock):
    """The machine's clock, which a test can set forward."""

    ahead = 0

    def now(self):
        return super().now() + self.ahead

    def advance(self, seconds):
        self.ahead += round(seconds * SECOND)


@pytest.fixture
def clock():
    return SteppingClock()


@pytest.fixture
def sandbox():
    with Sandbox(State(), keys={KEY: None}) as running:
        yield running


@pytest.fixture
def ledger(tmp_path):
    opened = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield opened
    opened.close()


@pytest.fixture
def channel(sandbox):
    client = RetailOps(
        sandbox.url, KEY, timeouts=Timeouts(connect=1, read=0.5, whole=1), retry_seconds=0.01, attempts=3
    )
    yield Channel("acme", "27", client, concurrency=4, attempts=3, backoff_seconds=0.01)
    client.close()


class Book:
    """Plans calls in the ledger, has them delivered, and says what became of them."""

    def __init__(self, ledger, channel, clock, sandbox):
        self.ledger = ledger
        self.channel = channel
        self.clock = clock
        self.sandbox = sandbox
        self.files = 0
        self.said = Said()

    def add(self, *numbers, status="submitted"):
        """Have RetailOps hold these POs, of the usual items."""
        self.sandbox.state.add_pos([_po(number, status=status) for number in numbers])

    def deliver(self, *, channel=None, **options):
        return deliver(self.ledger, channel or self.channel, clock=self.clock, **options)

    def restate(self):
        return restate_due(self.ledger, self.channel, clock=self.clock)

    def lose(self, **of):
        """The program ended while the calls were under way, and starts again."""
        with self.ledger.begin() as connection:
            if of:
                calls.mark_sending(connection, [one.id for one in self.calls(**of)], self.clock.now())
            calls.lost(connection, self.clock.now())

    def quantities(self):
        """What RetailOps holds now: quantity by VPC."""
        return {vpc: record["quantity"] for (_, vpc), record in self.sandbox.state.advice.items()}

    def sent(self):
        """The keys of the records of every write that reached RetailOps, a list a call."""
        return [keys for _, keys in self.sent_by_action()]

    def sent_by_action(self):
        """The short name of every write that reached RetailOps, with the keys of its records."""
        found = []
        for one in self.sandbox.calls:
            if one.action != "Vendor.PO.fetch":
                body = json.loads(one.body)
                keys = [record.get("vpc") or record["po"] for record in body.get("records", [body])]
                found.append((one.action.rpartition(".")[2], keys))
        return found

    def plan_update(self, *batches, order_at=None, feed="inventory", planned_ago=0):
        """A file whose calls carry these records, pairs of VPC and quantity; its id."""
        self.files += 1
        file_id = f"F{self.files}"
        now = self.clock.now() - planned_ago
        total = sum(len(batch) for batch in batches)
        numbers = np.arange(total, dtype=np.int32)
        runs = RowRuns.of_rows(numbers + 2, np.full(total, BY_RECORD, dtype=np.int32), numbers)
        planned, first = [], 0
        for batch in batches:
            columns = [
                text_column([vpc for vpc, _ in batch]),
                int_array(np.array([quantity for _, quantity in batch], dtype=np.int32)),
                int_array(numbers[first : first + len(batch)]),
            ]
            block = pack(pa.RecordBatch.from_arrays(columns, names=["vpc", "quantity", "record"]))
            planned.append(PlannedCall(Action.UPDATE, len(batch), len(batch), block, order_at or now))
            first += len(batch)
        self._add_file(file_id, feed, runs, planned, now)
        return file_id

    def plan_pos(self, *planned, rows_per_po=1, planned_ago=0):
        """A file about POs: calls as pairs of an action and records, which are pairs of PO and JSON text; its id."""
        self.files += 1
        file_id = f"F{self.files}"
        now = self.clock.now() - planned_ago
        pos = list(dict.fromkeys(po for _, records in planned for po, _ in records))
        numbers = np.repeat(np.arange(len(pos), dtype=np.int32), rows_per_po)
        rows = np.arange(len(numbers), dtype=np.int32)
        runs = RowRuns.of_rows(rows + 2, np.full(len(rows), BY_RECORD, dtype=np.int32), numbers)
        found = []
        for action, records in planned:
            named = tuple(dict.fromkeys(po for po, _ in records))
            columns = [
                text_column([text for _, text in records]),
                int_array(np.array([pos.index(po) for po, _ in records], dtype=np.int32)),
            ]
            block = pack(pa.RecordBatch.from_arrays(columns, names=["records", "record"]))
            found.append(
                PlannedCall(action, len(records), len(named) * rows_per_po, block, order_at=now, pos=named)
            )
        self._add_file(file_id, "about-pos", runs, found, now)
        return file_id

    def _add_file(self, file_id, feed, runs, planned, now):
        with self.ledger.begin() as connection:
            connection.execute(sa.insert(file).values(_file_values(file_id, feed, now)))
            connection.execute(sa.insert(row_block).values(file_id=file_id, runs=pack(runs.batch())))
            calls.add_calls(
                connection,
                planned,
                vendor="acme",
                now=now,
                feed=feed,
                file_id=file_id,
                arrival=self.files,
            )

    def states_by_po(self, file_id, action=None):
        """State of each PO's call, of one action or all, in a file."""
        found = {}
        for one in self.calls(file_id=file_id):
            if one.state != "split" and action in (None, one.action):
                with self.ledger.read() as connection:
                    block = calls.blocks(connection, [one.id])[one.id]
                found |= dict.fromkeys(keys_of(one.action, unpack(block)), one.state.value)
        return found

    def pos_named(self, file_id):
        """POs by which the ledger finds each call of a file that was not split."""
        with self.ledger.read() as connection:
            rows = connection.execute(
                sa.select(call_po.c.call_id, call_po.c.po).join(call).where(call.c.file_id == file_id)
            ).all()
        return sorted((call_id, po) for call_id, po in rows)

    def plan_marks(self, *pos):
        """A PO file whose one call marks these POs, as the state of the sandbox has them; its id."""
        records = [
            mark_record(po["po"], [(item["po_item_id"], item["quantity"]) for item in po["items"]])
            for po in pos
        ]
        block = pack(pa.RecordBatch.from_arrays([text_column(records)], names=["records"]))
        named = tuple(po["po"] for po in pos)
        planned = PlannedCall(Action.MARK_SUBMITTED, len(records), 0, block, pos=named)
        with self.ledger.begin() as connection:
            connection.execute(sa.insert(order_file).values(_ORDER_FILE))
            calls.add_calls(
                connection, [planned], vendor="acme", now=self.clock.now(), order_file_id=_ORDER_FILE["id"]
            )
        return _ORDER_FILE["id"]

    def calls(self, **of):
        with self.ledger.read() as connection:
            return calls.calls_of(connection, **of)

    def states(self, **of):
        """States of the calls, those that were split left out."""
        return [one.state.value for one in self.calls(**of) if one.state != "split"]

    def keys(self, *states):
        """VPCs or POs in calls that are in one of these states."""
        with self.ledger.read() as connection:
            rows = connection.execute(
                sa.select(call.c.action, call_block.c.block)
                .join(call_block)
                .where(call.c.state.in_(states))
                .order_by(call.c.id)
            ).all()
        return sorted(key for action, block in rows for key in keys_of(Action(action), unpack(block)))

    def is_whole(self, file_id):
        """Whether the calls of a file carry every one of its rows once."""
        leaves = [one for one in self.calls(file_id=file_id) if one.state != "split"]
        return sum(one.rows for one in leaves) == sum(
            one.rows for one in self.calls(file_id=file_id) if one.parent_id is None
        )


@pytest.fixture
def book(ledger, channel, clock, sandbox):
    return Book(ledger, channel, clock, sandbox)


def _file_values(file_id, feed, now):
    return {
        "id": file_id,
        "vendor": "acme",
        "feed": feed,
        "name": f"{file_id}.csv",
        "name_bytes": file_id.encode(),
        "sha256": file_id,
        "size": 1,
        "modified_at": now,
        "received_at": now,
        "state": "planned",
        "order_at": now,
    }


_ORDER_FILE = {
    "id": "po-1",
    "vendor": "acme",
    "sequence": 1,
    "name": "PO_1.csv",
    "kind": "order",
    "state": "published",
    "sha256": "",
    "size": 1,
    "rows": 1,
    "pos": 1,
    "done_file": False,
    "submit": "when_written",
    "staged_at": 1,
}


@pytest.fixture
def make_po():
    return _po


def _po(number, **values):
    items = [
        {"po_item_id": 456, "vpc": "MAR-1", "quantity": 2},
        {"po_item_id": 457, "vpc": "00120", "quantity": 1},
    ]
    return {"po": number, "vendor_id": 27, "status": "ready", "items": items} | values


class Said:
    """What files say of a PO, as planned calls carry it."""

    def accepted(self, *pos):
        return Action.MARK_ACCEPTED, [(po, mark_record(po, _ITEMS)) for po in pos]

    def submitted(self, *pos):
        return Action.MARK_SUBMITTED, [(po, mark_record(po, _ITEMS)) for po in pos]

    def ship_dates(self, *pos, day=1, items=None):
        return Action.UPDATE_EST_SHIP_DATE, [
            (po, ship_date_record(po, at_noon(day), items or _ITEMS)) for po in pos
        ]

    def complete(self, po):
        packages = [(7, "1Z1", [("MAR-1", 2)]), (60, "1Z2", [("00120", 1)])]
        return Action.COMPLETE, [(po, complete_body(po, packages))]


_ITEMS = [(456, 2), (457, 1)]


def at_noon(day):
    """Noon of a day of December 2026, microseconds UTC."""
    return to_micros(datetime(2026, 12, day, 12, tzinfo=UTC))


@pytest.fixture
def wait_until():
    def wait(condition, seconds=5.0):
        until = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < until, "it did not happen in time"
            time.sleep(0.005)

    return wait
