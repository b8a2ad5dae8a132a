"""A vendor whose POs lie in a sandbox, an outbox, a ledger, and one pass over them."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from filebridge import orders
from filebridge.clock import SECOND
from filebridge.delivery import Channel, deliver
from filebridge.ledger import calls
from filebridge.ledger import orders as known_orders
from filebridge.ledger.connect import Ledger, open_ledger
from filebridge.ledger.orders import OrderFileRow, OrderRow
from filebridge.mapping.load import load_pack
from filebridge.mapping.pack import VendorPack
from filebridge.retailops.client import RetailOps, Timeouts
from filebridge.sandbox import DEFAULT_KEY, Sandbox, State

NOW = 1_795_435_200 * SECOND  # 2026-11-23T12:00:00Z
VENDOR_YAML = 'vendor_id: "27"\ntime_zone: America/Denver\n'
LAYOUT_YAML = """\
document: purchase-orders
columns:
  PO: po
  Item: vpc
  Qty: quantity
  To: ship_address.addressee
"""


class SteppingClock:
    """A clock that moves a second each time it is asked, and when it is told to."""

    def __init__(self, now: int = NOW) -> None:
        self._now = now

    def now(self) -> int:
        self._now += SECOND
        return self._now

    def monotonic(self) -> float:
        return self.now() / SECOND

    def sleep(self, seconds: float) -> None:
        self._now += int(seconds * SECOND)


def make_po(number: str, **values: Any) -> dict[str, Any]:
    """A PO of vendor 27 that is due, of two items."""
    return {
        "po": number,
        "vendor_id": 27,
        "status": "ready",
        "date_submit": "2026-11-20T17:00:00Z",
        "ship_address": {"addressee": "Ana Pérez", "postal_code": "02109"},
        "ship_service": {"id": 1, "name": "Standard"},
        "items": [
            {"po_item_id": 11, "vpc": "00120", "quantity": 2, "unit_cost": "4.50"},
            {"po_item_id": 12, "vpc": "TG-7", "quantity": 1, "unit_cost": "1.05"},
        ],
    } | values


class Trade:
    """One vendor and all that a pass over it needs. `run` is the pass, as the bridge composes it."""

    def __init__(self, folder: Path, sandbox: Sandbox, pack: VendorPack) -> None:
        self.sandbox = sandbox
        self.pack = pack
        self.outbox = folder / "outbox" / pack.vendor
        self.outbox.mkdir(parents=True)
        self.clock = SteppingClock()
        self.url = f"sqlite:///{folder / 'ledger.db'}"
        self.ledger: Ledger = open_ledger(self.url)
        self.client = RetailOps(
            sandbox.url, DEFAULT_KEY, timeouts=Timeouts(2, 2, 3), attempts=2, retry_seconds=0.01
        )
        self.channel = Channel(
            pack.vendor, pack.settings.vendor_id, self.client, attempts=2, backoff_seconds=0.01
        )

    def run(self) -> tuple[OrderFileRow, ...]:
        """Recover, fetch, export, mark, verify; the files that were written first."""
        orders.recover(self.ledger, self.pack, self.outbox, self.clock)
        with self.ledger.begin() as connection:
            calls.lost(connection, self.clock.now())
        orders.fetch(self.ledger, self.client, self.pack, self.clock)
        written = orders.export(self.ledger, self.pack, self.outbox, self.clock)
        for _ in range(3):
            due = orders.plan_marks(self.ledger, self.client, self.pack, self.outbox, self.clock)
            if not due:
                break
            for file_id in due:
                deliver(self.ledger, self.channel, order_file_id=file_id, clock=self.clock)
            orders.verify(self.ledger, self.client, self.pack, self.outbox, self.clock)
        return written

    def restart(self) -> None:
        """A new process over the same folders and ledger."""
        self.ledger.close()
        self.ledger = open_ledger(self.url)

    def files(self) -> dict[str, str]:
        """What lies in the outbox for the vendor, by name."""
        folder = self.outbox / "orders"
        found = sorted(folder.iterdir()) if folder.exists() else []
        return {path.name: path.read_bytes().decode("utf-8") for path in found}

    def take(self) -> dict[str, str]:
        """What the vendor takes: the files are gone from the outbox then."""
        taken = self.files()
        for name in taken:
            (self.outbox / "orders" / name).unlink()
        return taken

    def order(self, po: str) -> OrderRow:
        with self.ledger.read() as connection:
            row = known_orders.order_row(connection, self.pack.vendor, po)
        assert row is not None
        return row

    def order_files(self) -> list[OrderFileRow]:
        with self.ledger.read() as connection:
            return known_orders.files_of(connection, self.pack.vendor)

    def marks(self) -> list[dict[str, Any]]:
        """The records of every MarkSubmitted that RetailOps received, in order."""
        bodies = [
            json.loads(call.body) for call in self.sandbox.calls if call.action == "Vendor.PO.MarkSubmitted"
        ]
        return [record for body in bodies for record in body["records"]]

    def status(self, po: str) -> str:
        return str(self.sandbox.state.po(po)["status"])

    def close(self) -> None:
        self.client.close()
        self.ledger.close()


def pack_of(layout: str = LAYOUT_YAML, vendor: str = VENDOR_YAML, name: str = "acme") -> VendorPack:
    return load_pack({"vendor.yaml": vendor, "purchase-orders.yaml": layout}, name)


@pytest.fixture
def trade(tmp_path: Path) -> Iterator[Callable[..., Trade]]:
    """Make trades with some POs and a layout; all are closed at the end."""
    made: list[tuple[Trade, Sandbox]] = []

    def make(
        *pos: dict[str, Any],
        layout: str = LAYOUT_YAML,
        vendor: str = VENDOR_YAML,
        pack: VendorPack | None = None,
    ) -> Trade:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        sandbox = Sandbox(State(pos)).start()
        made.append((Trade(folder, sandbox, pack or pack_of(layout, vendor)), sandbox))
        return made[-1][0]

    yield make
    for one, sandbox in made:
        one.close()
        sandbox.stop()


@pytest.fixture
def po() -> Callable[..., dict[str, Any]]:
    return make_po
